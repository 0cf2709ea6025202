//! What this host can and cannot do, and the way out of each problem.
//!
//! [`gather`] collects [`Facts`] and judges nothing; [`examine`] turns facts into [`Check`]s and
//! touches nothing.

mod check;
mod engine_checks;
mod examine;
mod facts;
mod fsync;
mod gather;
mod host_checks;
mod kernel;

pub use check::{Check, Level};
pub use examine::{examine, usable};
pub use facts::{EngineFacts, Facts, HostFacts, NodeImage};
pub use fsync::FsyncLatency;
pub use gather::gather;
pub use kernel::{Kernel, Presence};
