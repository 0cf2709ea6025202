//! A coarse world around the checkpoint agent: packed, untimed, for trying every interleaving.
//!
//! *Part*: one component on one node, with its parent, its copy, what is saved of it, and the agent's
//! machine for it. There are two parts a node: the apiserver, and one controller that stands for both.
//! *Speed*: how long a thing takes, in four classes. The machine is called, never imitated.
//!
//! # What is done at once
//! A living agent is told the facts as soon as they change, announcements are released and guards see
//! fresh facts at once. A kubelet starts what lies in its directory, stops what is gone, and tells of
//! its pods while it can. A bootstrap control plane works whenever its node has power.
//!
//! # Time
//! There is none, but classes: at once (below one second), quick (up to twenty: processes that start,
//! most timers), a lease's (up to forty-five: thirty seconds without a leader), and long (grace
//! periods). What takes longer comes only when nothing of a faster class is under way, except for what
//! may go on for ever (a crash loop, a retry) or waits for somebody (power, a person, the runtime).
//! Within a class every order is tried, and a task may end at any time.
//!
//! # What is left out
//! Packets, links and load balancer; etcd's log (a majority of living nodes is a store); two controllers
//! that fail apart; the agent's own DaemonSet, beyond that its kubelet starts it; nodes that join or
//! leave; ports; images; certificates; versions older than the newest; a file torn after its commit;
//! facts that are late, and hold points. A revision is good or bad: a bad one becomes ready for an
//! instant and crashes. A person undoes a bad revision whenever the API answers.

mod action;
mod actions;
mod agents;
mod apply;
mod config;
mod facts;
mod judge;
mod pack;
mod page;
mod speed;
mod state;
#[cfg(test)]
mod tests;
mod trials;
mod world;

pub use action::Action;
pub use config::{Config, Fault, Faults};
pub use judge::INVARIANTS;
pub use page::page;
pub use state::{Base, Content, Copied, Node, Part, Pending, Pod, Process, Stage, State};
pub use trials::{Found, RETURNS, Subject, Trial, subjects, tried};
pub use world::World;
