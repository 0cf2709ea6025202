//! Runs cases: brings a cluster up, plays the timeline against it, closes the record, and leaves
//! the judging to the oracle.

mod case;
mod closing;
mod listeners;
mod lock;
mod operation;
mod replayed;
mod run;
mod settle;
mod timeline;
mod usual;

pub use case::{CaseContext, run_case};
pub use run::{Run, RunError, RunOptions};
