//! S2: the resource versions that one client sees never decrease.
//!
//! A client is a source: all its reads leave the version unset, so the answers must be current whoever
//! gives them. Only requests that did not overlap are
//! compared: the later one began after the earlier one had ended.

use std::collections::{BTreeMap, VecDeque};

use super::{Invariant, LEAST_SAMPLES, finding, not_judged, unknown};
use crate::observation::{Observation, Request, RequestKind, RequestOutcome, Sighting, Source};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// How far back requests can overlap: no prober's deadline is longer.
const KEPT_US: u64 = 60_000_000;

#[derive(Default)]
struct RevisionsNeverGoBack {
    clients: BTreeMap<Source, VecDeque<(u64, Reference)>>,
    compared: u64,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<RevisionsNeverGoBack>::default()
}

impl Invariant for RevisionsNeverGoBack {
    fn observe(&mut self, _view: &View, seen: &Observation) {
        if let Sighting::Request(request) = &seen.saw {
            self.request(seen, request);
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if view.procedure().first_started.is_none() && self.compared == 0 {
            return not_judged("no operation was started");
        }
        if self.compared < LEAST_SAMPLES {
            return unknown(format!(
                "only {} pairs of revisions could be compared, {LEAST_SAMPLES} are needed",
                self.compared
            ));
        }
        Judgement::Holds
    }
}

impl RevisionsNeverGoBack {
    fn request(&mut self, seen: &Observation, request: &Request) {
        if request.kind == RequestKind::Ready {
            return;
        }
        let RequestOutcome::Acknowledged {
            revision: Some(revision),
        } = request.outcome
        else {
            return;
        };
        let earlier = self.clients.entry(seen.source.clone()).or_default();
        let newest_ended = earlier
            .iter()
            .rev()
            .find(|(_, from)| from.end_us < seen.start_us);
        if let Some((before, from)) = newest_ended {
            self.compared += 1;
            if revision < *before {
                let what = format!(
                    "a client of {} saw resource version {revision} after it had seen {before}",
                    seen.source
                );
                let witness = vec![
                    from.witness(format!("resource version {before}")),
                    Reference::to(seen).witness(format!("resource version {revision}")),
                ];
                let found = finding(what, seen.end_us, witness);
                self.found.get_or_insert(found);
            }
        }
        // Each entry holds the highest so far, so the newest that ended in time is also the highest.
        let highest = earlier.back().map_or(0, |(highest, _)| *highest);
        if revision >= highest {
            earlier.push_back((revision, Reference::to(seen)));
        }
        // Of those that no request can overlap any more the newest is enough.
        let horizon_us = seen.end_us.saturating_sub(KEPT_US);
        while earlier
            .get(1)
            .is_some_and(|(_, from)| from.end_us < horizon_us)
        {
            earlier.pop_front();
        }
    }
}
