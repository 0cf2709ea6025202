//! The judge: observations in, findings and a verdict out.
//!
//! *Observation*: what was seen from outside, with its time and source. *View*: the latest that is
//! known at an instant, where silence becomes unknown. *Invariant*: a sentence that must hold.
//! *Finding*: a violated invariant with its witness. *Verdict*: what became of a case.
//!
//! Architecture invariant: this crate sees observations only. It knows no client, no simulator, no
//! installer's policy and none of the machines it judges, so a live run, a run of last year and a
//! simulated run are judged alike.

pub mod observation;
pub mod verdict;

pub use observation::{Observation, Sighting, Source};
pub use verdict::{CaseResult, Expectation, Finding, Judged, Judgement, Verdict, Witness};
