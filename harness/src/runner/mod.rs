//! Runs cases: brings a cluster up, plays the timeline against it, closes the record, and leaves
//! the judging to the oracle. In the simulator, playing is its own; record and judging are the same.

mod case;
mod closing;
mod holding;
mod listeners;
mod lock;
mod operation;
mod plans;
mod recovery;
mod replayed;
mod run;
mod settle;
mod simulated;
mod timeline;
mod usual;
mod workload;

pub use case::{Backend, CaseContext, Containers, run_case};
pub(crate) use plans::{agent_of, plan_of};
pub use run::{Run, RunError, RunOptions};
