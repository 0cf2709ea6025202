//! Gaps between acknowledged writes through the load balancer.

use oracle::observation::{RequestKind, RequestOutcome};
use oracle::{Observation, Sighting, Source};

use crate::{at, duration};

/// A shorter gap is nothing that a person would notice.
const SHORTEST_GAP_US: u64 = 1_000_000;

/// When a write through the load balancer was last acknowledged.
#[derive(Default)]
pub(super) struct Writes {
    last_us: Option<u64>,
}

impl Writes {
    /// Takes note of an observation; the event is the end of a gap, or of the case within one.
    pub(super) fn see(&mut self, observation: &Observation) -> Option<String> {
        match (&observation.source, &observation.saw) {
            (Source::LoadBalancer, Sighting::Request(request)) => {
                let is_write = matches!(request.kind, RequestKind::Write(_));
                if !is_write || !matches!(request.outcome, RequestOutcome::Acknowledged { .. }) {
                    return None;
                }
                let Some(last_us) = self.last_us.replace(observation.end_us) else {
                    return Some("first write acknowledged through the load balancer".to_owned());
                };
                let gap_us = observation.end_us.saturating_sub(last_us);
                (gap_us >= SHORTEST_GAP_US).then(|| {
                    format!(
                        "writes are back after {} without one",
                        duration(gap_us / 1_000)
                    )
                })
            }
            (_, Sighting::CaseClosed(_)) => {
                let last_us = self.last_us?;
                (observation.end_us.saturating_sub(last_us) >= SHORTEST_GAP_US)
                    .then(|| format!("no write was acknowledged after {}", at(last_us)))
            }
            _ => None,
        }
    }
}
