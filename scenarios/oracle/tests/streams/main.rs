//! Hand-written streams: for each invariant one that violates it, one that holds, one that leaves it unknown.

mod runner;
mod story;
mod world;

mod checkpoints;
mod data;
mod failure;
mod liveness;
mod recoveries;
mod removals;
mod returns;
mod teardown;
mod verdicts;
mod workloads;

mod any_order;
