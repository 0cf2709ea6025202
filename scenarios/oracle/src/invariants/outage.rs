//! When the API was proven silent.

use super::write_gap::WriteGap;
use crate::observation::{Observation, Source};
use crate::reference::Reference;

/// A shorter silence may pass between two questions of an agent, each of which may take two seconds.
const OUTAGE_US: u64 = 5_000_000;

/// Follows when writes through the load balancer failed for longer than an agent can overlook.
#[derive(Default)]
pub(super) struct Outage {
    gap: WriteGap,
    last: Option<(Reference, Reference)>,
}

impl Outage {
    /// Takes in the next observation.
    pub(super) fn observe(&mut self, seen: &Observation) {
        let ended = self.gap.observe(seen);
        if seen.source != Source::LoadBalancer {
            return;
        }
        let Some(gap) = ended.or_else(|| self.gap.until(seen)) else {
            return;
        };
        // An agent may act while the installer is held.
        if gap.is_proven_beyond(OUTAGE_US.saturating_sub(gap.held_us)) {
            self.last = Some((gap.from, gap.to));
        }
    }

    /// The last outage, unless it was over by then: its last acknowledged write, and until when none was acknowledged.
    pub(super) fn since(&self, at_us: u64) -> Option<&(Reference, Reference)> {
        self.last.as_ref().filter(|(_, to)| to.end_us > at_us)
    }
}
