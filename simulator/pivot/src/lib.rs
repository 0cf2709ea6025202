//! The pivot as a pure machine: what `selfhost` decides, and what a simulator explores, is this.
//!
//! *Plan*: an installer's procedure as data, stage by stage. *State*: where the machine stands.
//! *Input*: something that happened. *Effect*: something that the driver must do, in order.
//! *Facts*: what the driver knows of the cluster, in fixed width.
//!
//! Determinism: no time, no strings, no chance, no heap. Timers are armed or fire; durations live
//! in the plan. A driver performs effects in order, `Persist` is an fsync barrier, and a crash is
//! possible before and after each. Every input is legal in every state.
//!
//! [`checkpoint`] is a second machine of the same kind: the agent that keeps a control plane startable.

mod asked;
mod check;
pub mod checkpoint;
pub mod contract;
mod effect;
mod facts;
mod failure;
mod few;
mod judge;
mod machine;
mod mutants;
mod plan;
mod policies;
mod progress;
mod replay;
mod state;
mod work;

pub use asked::{Asked, asked};
pub use check::PlanError;
pub use effect::{Attempt, Durable, Effect, Effects, Input, Outcome, StageIndex, Task, Timer};
pub use facts::{ApiserverFact, Facts, LeaseFact, NodeSet, PodFact, PodPhase, StaleFact};
pub use few::Few;
pub use machine::{resume, running_tasks, step};
pub use mutants::{Mutant, mutants};
pub use plan::{
    AssetGroup, ComponentSet, GateRule, IdentifyRule, OnTimeout, Plan, Rules, SecretsRule, Stage,
    StageKind, TaskRule, Why,
};
pub use policies::{bootkube, kubeadm_alpha, modern, recover};
pub use replay::{LogEntry, LogError, Mismatch, read_log, replay};
pub use state::State;
