//! S21: a revision replaces a checkpoint only after it was ready on that node for the stated time.
//!
//! A generation that is complete for the first time must come from a pod that every reading of the last
//! five seconds called ready on that node, the same one throughout; a second of it is allowed for the readings.
//! While pods were not read nothing is known, and a generation that appears then makes the whole unknown.

use std::collections::BTreeSet;

use terms::{Component, NodeId};

use super::parents::Parents;
use super::{Invariant, finding, not_judged, unknown};
use crate::observation::{Observation, Sighting, Source};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// How long a pod must have been ready.
const READY_US: u64 = 5_000_000;
/// Readings are 200 ms apart, and each may take as long again; an agent reads by itself.
const SLACK_US: u64 = 1_000_000;

#[derive(Default)]
struct LastKnownGood {
    parents: Parents,
    known: BTreeSet<(NodeId, Component, String)>,
    judged: u64,
    unknown: Option<String>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<LastKnownGood>::default()
}

impl Invariant for LastKnownGood {
    fn observe(&mut self, view: &View, seen: &Observation) {
        self.parents.observe(view, seen);
        let (Sighting::NodeInventory(now), Source::Node(node)) = (&seen.saw, &seen.source) else {
            return;
        };
        if view.repeats() {
            return;
        }
        for version in now.checkpoints.iter().filter(|version| version.complete) {
            let key = (node.clone(), version.component, version.generation.clone());
            if self.known.insert(key) {
                self.appeared(node, version.component, seen);
            }
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, _: &View) -> Judgement {
        if let Some(what) = &self.unknown {
            return unknown(what.clone());
        }
        if self.judged == 0 {
            return not_judged("no complete checkpoint was seen");
        }
        Judgement::Holds
    }
}

impl LastKnownGood {
    fn appeared(&mut self, node: &NodeId, component: Component, seen: &Observation) {
        let place = (node.clone(), component);
        if !self.parents.are_known(seen.end_us) {
            self.unknown.get_or_insert(format!(
                "a checkpoint of {component} appeared on {node} while pods could not be read"
            ));
            return;
        }
        self.judged += 1;
        let since_us = self.parents.ready_since_us(&place);
        // It may have failed just after it was saved, and before anybody looked.
        let ended = self.parents.was_ready_us(&place);
        let ended = ended.filter(|(_, until_us)| seen.end_us.saturating_sub(*until_us) <= SLACK_US);
        let ended_us = ended.map_or(0, |(since_us, until_us)| until_us - since_us);
        let ready_us = since_us.map_or(0, |since_us| seen.end_us.saturating_sub(since_us));
        let ready_us = ready_us.max(ended_us);
        if ready_us + SLACK_US >= READY_US {
            return;
        }
        let what = format!(
            "a checkpoint of {component} was saved on {node} after its pod had been ready for {} only",
            seconds(ready_us)
        );
        let witness = vec![Reference::to(seen).witness("the first look that found it complete")];
        let found = finding(what, seen.end_us, witness);
        self.found.get_or_insert(found);
    }
}
