//! Hand-written streams: for each invariant one that violates it, one that holds, one that leaves it unknown.

mod story;
mod world;

mod liveness;
mod safety;
mod verdicts;

mod any_order;
