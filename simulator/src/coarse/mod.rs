//! A coarse world: packed, untimed, for trying every interleaving around the machine that ships.
//!
//! *State*: the machine's state, its marker, and per node what a whole component does there; it packs
//! exactly into 128 bits. *Action*: something that happens, at any time. *Config*: a plan, a number of
//! nodes and how much may go wrong. The machine is called, never imitated: `pivot::step` and
//! `pivot::resume` decide, [`facts`] tells them what an adapter on a real node would.
//!
//! # What is done at once
//! Steps that commute with everything else but a fault, and that a fault just before or just after
//! them covers, are no actions: a kubelet starts what lies in its directory and what the API binds to
//! its node, nodes register, a lease whose holder is gone is nobody's, an announcement is released.
//! Effects are performed in order up to the end of the machine's step. A kill between two of them is
//! still covered, for only `Persist` outlives a kill: before it, the kill equals one before the step
//! (with the task landed, see [`Action::Lands`]); after it, one after the step. A release that would
//! persist again, and the end of the procedure, are actions of their own while a kill is possible.
//!
//! # Time
//! There is none. A retry comes at any time; what a gate asks for has held for long enough unless a
//! fresh look would say otherwise; a stage is overdue once nothing moves any more. Everything else that
//! a clock could do (a stage overdue while there is progress, a look that came too late) is an action
//! that takes from the budget `timing`. Between a task's start and its landing an apiserver that was
//! verified at the start counts as verified: the judge has two seconds for that.
//!
//! # What is left out
//! Packets and links (nodes have power or not); etcd's log (a majority of living nodes is a store that
//! neither loses nor delays anything; members start at once); stale watches and caches; pod network,
//! images, RBAC, certificates, ports other than [`Config::one_port`]; asset groups other than the
//! control plane's DaemonSets; a kubelet that restarts without its node, or learns of a pod late, or
//! shows an old status after its node came back; evictions and deletions of pods; a lease that was
//! renewed just before its holder died; partly destroyed stashes; workers. The checkpoint agent is a
//! stand-in: a copy appears after its parent was ready, is started when the API does not answer and no
//! instance runs on its node, and retires once its parent may run again.

mod action;
mod actions;
mod apply;
mod cluster;
mod config;
mod decisions;
mod facts;
mod first_fault;
mod installer;
mod judge;
mod look;
mod pack;
mod project;
mod shown;
mod state;
mod symmetry;
mod tasks;
#[cfg(test)]
mod tests;
mod world;

pub use action::{Action, Holder, Port};
pub use config::{Budgets, Config};
pub use first_fault::{FirstFault, Hits};
pub use judge::INVARIANTS;
pub(crate) use look::name;
pub use project::project;
pub(crate) use shown::{holder, installer};
pub(crate) use state::index;
pub use state::{Disk, Joined, Lease, Node, Pod, Power, Process, State, Status, Teardown};
pub use world::World;
