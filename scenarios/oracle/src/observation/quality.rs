//! What says how far the other observations can be trusted.

use serde::{Deserialize, Serialize};

/// A control sample of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSample {
    /// How late a timer of 100 ms fired.
    pub timer_late_us: u64,
    /// How long a write of 4 KiB and its fsync took.
    pub fsync_us: u64,
    /// How crowded the processors were; unknown in older records, and where the system does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crowd: Option<Crowd>,
}

/// How many tasks want to run at an instant, and on how many processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crowd {
    /// Tasks that run or wait for a processor.
    pub runnable: u32,
    /// Processors.
    pub processors: u32,
}

/// A silence of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Since when.
    pub since_us: u64,
    /// Why, as far as is known.
    pub reason: String,
}
