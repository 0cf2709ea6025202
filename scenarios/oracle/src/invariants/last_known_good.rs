//! S21: a revision replaces a checkpoint only after it was ready on that node for the stated time.
//!
//! A generation that is complete for the first time must come from a pod that can have been ready on that node for
//! five seconds, the same one throughout: it became so after the last reading began that did not call it ready.
//! A second is allowed for what the agent and the observer read by themselves; and who was ready when the node was last
//! looked at may have been saved then, and seen only after a loss of power. A generation that appears while
//! pods are not read, or were not all the while, makes the whole unknown.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Component, NodeId};

use super::parents::Parents;
use super::sight::Sight;
use super::{Invariant, finding, not_judged, unknown};
use crate::observation::Observation;
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// How long a pod must have been ready.
const READY_US: u64 = 5_000_000;
/// An agent reads by itself, from another apiserver.
const SLACK_US: u64 = 1_000_000;

#[derive(Default)]
struct LastKnownGood {
    parents: Parents,
    known: BTreeSet<(NodeId, Component, String)>,
    /// When each node was last looked at.
    looked_us: BTreeMap<NodeId, u64>,
    sight: Sight,
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
        let Some((node, now)) = self.sight.look(seen) else {
            return;
        };
        let before_us = self.looked_us.insert(node.clone(), seen.start_us);
        if view.repeats() {
            return;
        }
        for version in now.checkpoints.iter().filter(|version| version.complete) {
            let key = (node.clone(), version.component, version.generation.clone());
            if self.known.insert(key) {
                self.appeared(node, version.component, before_us, seen);
            }
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, _: &View) -> Judgement {
        if let Some(unknown) = self.sight.is_lacking() {
            return unknown;
        }
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
    /// A generation is complete that was not when the node was last looked at, if it ever was.
    fn appeared(
        &mut self,
        node: &NodeId,
        component: Component,
        before_us: Option<u64>,
        seen: &Observation,
    ) {
        let place = (node.clone(), component);
        if !self.parents.are_known(seen.end_us) {
            self.unknown.get_or_insert(format!(
                "a checkpoint of {component} appeared on {node} while pods could not be read"
            ));
            return;
        }
        let since_us = self.parents.ready_since_us(&place);
        // It may have failed just after it was saved, and before anybody looked.
        let saved_us = seen.end_us.saturating_sub(SLACK_US);
        let saved_us = before_us.map_or(saved_us, |before_us| saved_us.min(before_us));
        let ended = self.parents.was_ready_us(&place);
        let ended = ended.filter(|(_, until_us)| *until_us >= saved_us);
        let ended_us = ended.map_or(0, |(since_us, until_us)| until_us - since_us);
        let ready_us = since_us.map_or(0, |since_us| seen.end_us.saturating_sub(since_us));
        let ready_us = ready_us.max(ended_us);
        if ready_us + SLACK_US >= READY_US {
            self.judged += 1;
            return;
        }
        let from_us = seen.end_us.saturating_sub(READY_US);
        if !self.parents.are_known_since(from_us, seen.end_us) {
            self.unknown.get_or_insert(format!(
                "a checkpoint of {component} appeared on {node} shortly after pods could not be read"
            ));
            return;
        }
        self.judged += 1;
        let what = format!(
            "a checkpoint of {component} was saved on {node} after its pod had been ready for at most {}",
            seconds(ready_us)
        );
        let witness = vec![Reference::to(seen).witness("the first look that found it complete")];
        let found = finding(what, seen.end_us, witness);
        self.found.get_or_insert(found);
    }
}
