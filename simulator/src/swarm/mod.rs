//! Swarm: random trials of a policy, in timed runs.
//!
//! *Trial*: faults on the way through a pivot and after it, as an explicit value that is a scenario
//! file. *Weights*: how often each kind of act comes, drawn anew for each trial, because uniform
//! draws hardly ever come near what matters. *Tally*: what came of many trials.
//!
//! Every trial ends with a healed phase: power is back, a killed installer is started again, nothing
//! further is done, and the cluster must settle. A seed only generates trials; what failed is kept as
//! a scenario file, which stays what it is when the generator changes.

mod search;
mod strategy;
mod trial;

pub use search::{Draw, Tally, search};
pub use strategy::{Bounds, trials};
pub use trial::{Act, Strike, Trial};
