//! The time of a case: microseconds of the host's boot-time clock since the case began.

use jiff::Timestamp;
use oracle::observation::{Observation, Sighting, Source};

/// The boot-time clock, which containers share, counted from the case's beginning.
#[derive(Clone, Copy, Debug)]
pub struct CaseClock {
    base_us: u64,
    /// What the wall clock said then.
    wall: Timestamp,
}

impl CaseClock {
    /// A case begins now.
    pub fn start() -> Self {
        Self {
            base_us: observer::line::boot_us(),
            wall: Timestamp::now(),
        }
    }

    /// Microseconds since the case began.
    pub fn now_us(self) -> u64 {
        observer::line::boot_us().saturating_sub(self.base_us)
    }

    /// A reading of the boot-time clock, taken in a node, in the case's time. What was read before
    /// the case began counts as its beginning.
    pub const fn from_boot_us(self, boot_us: u64) -> u64 {
        boot_us.saturating_sub(self.base_us)
    }

    /// An instant of the wall clock, as objects of the API have it, in the case's time. What was before the
    /// case began counts as its beginning.
    pub fn from_wall(self, instant: Timestamp) -> u64 {
        let since_us = instant.duration_since(self.wall).as_micros();
        u64::try_from(since_us).unwrap_or_default()
    }
}

/// Something a source saw, before it has its place in the stream.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Who saw it.
    pub source: Source,
    /// When looking began, in the case's microseconds.
    pub start_us: u64,
    /// When the answer was there.
    pub end_us: u64,
    /// What was seen.
    pub saw: Sighting,
}

impl Sample {
    /// The sample as the `seq`th observation of its source.
    pub fn into_observation(self, seq: u64) -> Observation {
        let Self {
            source,
            start_us,
            end_us,
            saw,
        } = self;
        Observation {
            v: 1,
            source,
            seq,
            start_us,
            end_us,
            saw,
        }
    }
}
