//! Making a failing scenario small, so that a person can see what it takes.
//!
//! *Draft*: a case as a file of its own. *Candidate*: a draft with something left out. *Replay*: a
//! candidate that was played, to see whether it still fails in the same way.
//!
//! [`shrink()`] is pure but for the plan files that a draft names: whether a candidate fails is asked
//! of the caller. What comes out is a scenario file like any other.

mod draft;
mod flow;
mod passes;
mod search;

pub use draft::Draft;
pub use search::{Fails, Shrunk, shrink};
