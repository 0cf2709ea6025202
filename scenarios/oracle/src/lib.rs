//! The judge: observations in, findings and a verdict out.
//!
//! *Observation*: what was seen from outside, with its time and source. *View*: the latest that is
//! known at an instant, where silence becomes unknown. *Invariant*: a sentence that must hold.
//! *Finding*: a violated invariant with its witness. *Verdict*: what became of a case.
//!
//! [`reader::read`] parses a recorded case, [`judge`] gives its verdict, and [`Live`] names
//! provisional findings while a case still runs. [`register`] lists every invariant.
//!
//! Architecture invariant: this crate sees observations only. It knows no client, no simulator, no
//! installer's policy and none of the machines it judges, so a live run, a run of last year and a
//! simulated run are judged alike. It reads no clock: time is what the observations say.

pub mod observation;
pub mod verdict;

pub mod register;

mod faults;
mod reference;
mod view;

mod figures;
mod host;
mod invariants;
mod judge;
mod live;
mod order;
pub mod reader;
mod returns;

pub use faults::{FaultSeen, Faults};
pub use invariants::Invariant;
pub use judge::{END_WHEN_PROVEN, judge};
pub use live::Live;
pub use observation::{Observation, Sighting, Source};
pub use reference::{Latest, Reference};
pub use verdict::{CaseResult, Expectation, Finding, Judged, Judgement, Verdict, Witness};
pub use view::{LeaseSeen, Procedure, Server, View};
