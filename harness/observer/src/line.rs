//! One line of the observer's output.

use oracle::observation::NodeInventory;
use serde::{Deserialize, Serialize};

/// A sighting with its time on the host's boot-time clock, which containers share.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    /// When looking began, in microseconds since boot.
    pub start_us: u64,
    /// When it ended.
    pub end_us: u64,
    /// What was seen.
    pub saw: Seen,
}

/// What was seen.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// The node as it is.
    Inventory(NodeInventory),
    /// A line of the installer's step stream, as it was written.
    Step(String),
}

/// The boot-time clock in microseconds.
pub fn boot_us() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1_000
}
