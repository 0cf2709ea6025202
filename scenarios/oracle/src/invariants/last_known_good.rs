//! S21: a revision replaces a checkpoint only after it was ready on that node for the stated time.
//!
//! A generation that is complete for the first time must come from a pod that can have been ready on that node for
//! five seconds, the same one throughout: it became so after the last reading began that did not call it ready.
//! A second is allowed for what the agent and the observer read by themselves; and who was ready when the node was last
//! looked at may have been saved then, and seen only after a loss of power. Of a generation that appears while
//! pods are not read, or were not all the while, the next readings are asked: a pod that is ready by then, and by
//! its own condition was so before, clears it. One that nothing clears makes the whole unknown.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Component, NodeId};

use super::parents::{Parents, Place};
use super::sight::Sight;
use super::{Invariant, finding, not_judged, unknown};
use crate::observation::{Observation, Sighting};
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
    judged: usize,
    /// What was saved when pods were not read.
    waiting: Vec<Saved>,
    found: Option<Finding>,
}

/// A generation that is complete for the first time.
struct Saved {
    place: Place,
    /// It was saved then at the earliest.
    since_us: u64,
    /// It was seen.
    seen_us: u64,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<LastKnownGood>::default()
}

impl Invariant for LastKnownGood {
    fn observe(&mut self, view: &View, seen: &Observation) {
        self.parents.observe(view, seen);
        if !self.waiting.is_empty() && matches!(seen.saw, Sighting::Pods(_)) {
            self.ask_again();
        }
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
        if let Some(Saved { place, .. }) = self.waiting.first() {
            let (node, component) = place;
            return unknown(format!(
                "a checkpoint of {component} appeared on {node} when pods could not be read, or shortly after"
            ));
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
        let slack_us = seen.end_us.saturating_sub(SLACK_US);
        let saved = Saved {
            place: (node.clone(), component),
            // It may have failed just after it was saved, and before anybody looked.
            since_us: before_us.map_or(slack_us, |before_us| slack_us.min(before_us)),
            seen_us: seen.end_us,
        };
        let known = self.parents.are_known(seen.end_us);
        let ready_us = saved.ready_us(&self.parents);
        if known && ready_us + SLACK_US >= READY_US {
            self.judged += 1;
            return;
        }
        let from_us = seen.end_us.saturating_sub(READY_US);
        if !self.parents.are_known_since(from_us, seen.end_us) {
            self.waiting.push(saved);
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

    /// Pods are read again, and say since when they have been ready: that may clear what was saved meanwhile.
    fn ask_again(&mut self) {
        let parents = &self.parents;
        let before = self.waiting.len();
        self.waiting
            .retain(|saved| saved.ready_us(parents) + SLACK_US < READY_US);
        self.judged += before - self.waiting.len();
    }
}

impl Saved {
    /// For how long at most its pod can have been ready when it was saved, as far as pods were read.
    fn ready_us(&self, parents: &Parents) -> u64 {
        let since_us = parents.ready_since_us(&self.place);
        let ready_us = since_us.map_or(0, |since_us| self.seen_us.saturating_sub(since_us));
        let ended = parents.was_ready_us(&self.place);
        let ended = ended.filter(|(_, until_us)| *until_us >= self.since_us);
        let ended_us = ended.map_or(0, |(since_us, until_us)| {
            until_us.min(self.seen_us).saturating_sub(since_us)
        });
        ready_us.max(ended_us)
    }
}
