//! Gaps between acknowledged writes through the load balancer.

use std::collections::BTreeSet;

use terms::Actor;

use crate::observation::{Observation, RequestKind, RequestOutcome, Sighting, Source};
use crate::reference::Reference;
use crate::view::PROBE_STALE_US;

/// As many failed writes in a gap say that it was the API's and not the prober's.
const FAILED_WRITES: u64 = 3;

/// The stretch from one acknowledged write to the next, or to now.
#[derive(Clone, Debug)]
pub(crate) struct Gap {
    /// The acknowledged write before it.
    pub(crate) from: Reference,
    /// What ended it, or the latest that was seen.
    pub(crate) to: Reference,
    /// Its length without the time during which the installer or an agent was held.
    pub(crate) gap_us: u64,
    /// The time during which the installer or an agent was held.
    pub(crate) held_us: u64,
    /// Failed writes in it.
    pub(crate) failed: u64,
    /// The part of it during which nobody tried: silences longer than a prober's.
    pub(crate) silent_us: u64,
}

impl Gap {
    /// Whether it is longer than this by the API's own doing: writes failed in it, and silences are not counted.
    pub(crate) fn is_proven_beyond(&self, length_us: u64) -> bool {
        self.failed >= FAILED_WRITES && self.gap_us.saturating_sub(self.silent_us) > length_us
    }
}

/// Follows acknowledged writes.
#[derive(Default)]
pub(crate) struct WriteGap {
    last: Option<Reference>,
    failed: u64,
    tried_us: u64,
    silent_us: u64,
    holders: BTreeSet<Actor>,
    held_since_us: Option<u64>,
    held_us: u64,
    held_at_last_us: u64,
    /// Acknowledged writes so far.
    pub(crate) acknowledged: u64,
}

impl WriteGap {
    /// Takes in the next observation and returns the gap that it ends.
    pub(crate) fn observe(&mut self, seen: &Observation) -> Option<Gap> {
        match &seen.saw {
            Sighting::Step(step) => {
                // Nobody's step says that another one, who is held, goes on.
                self.holders.remove(&step.actor);
                if step.held {
                    self.holders.insert(step.actor.clone());
                }
                if self.holders.is_empty() {
                    self.release(seen.end_us);
                } else {
                    self.held_since_us.get_or_insert(seen.end_us);
                }
                None
            }
            Sighting::Entry(entry) if !entry.begins => {
                self.holders.clear();
                self.release(seen.end_us);
                None
            }
            Sighting::Request(request)
                if seen.source == Source::LoadBalancer
                    && matches!(request.kind, RequestKind::Write(_)) =>
            {
                self.silent_us = self.silent_until(seen.end_us);
                self.tried_us = self.tried_us.max(seen.end_us);
                if !matches!(request.outcome, RequestOutcome::Acknowledged { .. }) {
                    self.failed += 1;
                    return None;
                }
                let gap = self.until(seen);
                self.last = Some(Reference::to(seen));
                self.held_at_last_us = self.held_until(seen.end_us);
                self.failed = 0;
                self.silent_us = 0;
                self.acknowledged += 1;
                gap
            }
            _ => None,
        }
    }

    /// The gap from the last acknowledged write to this observation.
    pub(crate) fn until(&self, seen: &Observation) -> Option<Gap> {
        let from = self.last.clone()?;
        let held_us = self
            .held_until(seen.end_us)
            .saturating_sub(self.held_at_last_us);
        let gap_us = seen
            .end_us
            .saturating_sub(from.end_us)
            .saturating_sub(held_us);
        Some(Gap {
            from,
            to: Reference::to(seen),
            gap_us,
            held_us,
            failed: self.failed,
            silent_us: self.silent_until(seen.end_us),
        })
    }

    fn silent_until(&self, now_us: u64) -> u64 {
        let pause_us = now_us.saturating_sub(self.tried_us);
        self.silent_us
            + if pause_us > PROBE_STALE_US {
                pause_us
            } else {
                0
            }
    }

    fn release(&mut self, now_us: u64) {
        self.held_us = self.held_until(now_us);
        self.held_since_us = None;
    }

    fn held_until(&self, now_us: u64) -> u64 {
        let open_us = self
            .held_since_us
            .map_or(0, |since_us| now_us.saturating_sub(since_us));
        self.held_us + open_us
    }
}
