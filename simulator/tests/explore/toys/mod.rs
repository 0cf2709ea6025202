//! Worlds whose answers are known.

mod graph;
mod pivot;
mod two_phase;

pub(crate) use graph::{Edge, Graph, graphs};
pub(crate) use pivot::{Mistake, Pivot};
pub(crate) use two_phase::TwoPhase;
