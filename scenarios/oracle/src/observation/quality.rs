//! What says how far the other observations can be trusted.

use serde::{Deserialize, Serialize};

/// A control sample of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSample {
    /// How late a timer of 100 ms fired.
    pub timer_late_us: u64,
    /// How long a write of 4 KiB and its fsync took.
    pub fsync_us: u64,
}

/// A silence of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Since when.
    pub since_us: u64,
    /// Why, as far as is known.
    pub reason: String,
}
