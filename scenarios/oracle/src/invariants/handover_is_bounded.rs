//! S20: a checkpoint and its parent run together at most for the stated window.
//!
//! The window begins when both have a process on the node and the parent's pod is ready, and is 43 s:
//! 10 s of readiness that an agent waits for, 3 s of the apiserver's shutdown delay, 30 s of grace that the
//! kubelet gives. It ends when one of the two is gone, the parent is not ready any more, the node is not seen, or
//! its agent is held at a step.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Component, Incarnation, NodeId};

use super::parents::Parents;
use super::{Invariant, finding, not_judged};
use crate::observation::{NodeInventory, Observation, Sighting, Source};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::{NODE_STALE_US, View};

/// How long a copy and its ready parent may run together.
const WINDOW_US: u64 = 43_000_000;

#[derive(Default)]
struct HandoverIsBounded {
    parents: Parents,
    together: BTreeMap<(NodeId, Component), (Reference, u64)>,
    held: BTreeSet<NodeId>,
    met: u64,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<HandoverIsBounded>::default()
}

impl Invariant for HandoverIsBounded {
    fn observe(&mut self, view: &View, seen: &Observation) {
        self.parents.observe(view, seen);
        self.hold(seen);
        let (Sighting::NodeInventory(now), Source::Node(node)) = (&seen.saw, &seen.source) else {
            return;
        };
        for component in Component::SELF_HOSTED {
            self.judge((node.clone(), component), now, seen);
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, _: &View) -> Judgement {
        if self.met == 0 {
            return not_judged("no copy was seen beside its ready parent");
        }
        Judgement::Holds
    }
}

impl HandoverIsBounded {
    /// Agents that are held by the scenario can hand nothing over.
    fn hold(&mut self, seen: &Observation) {
        match &seen.saw {
            Sighting::Step(step) => {
                let Some(node) = step.actor.agent_node() else {
                    return;
                };
                if step.held {
                    self.held.insert(node);
                } else {
                    self.held.remove(&node);
                }
            }
            Sighting::Entry(entry) if !entry.begins => self.held.clear(),
            _ => {}
        }
    }

    fn judge(&mut self, place: (NodeId, Component), now: &NodeInventory, seen: &Observation) {
        let component = place.1;
        let both = now.runs(component, Incarnation::Checkpoint)
            && now.runs(component, Incarnation::SelfHosted);
        let ready =
            || self.parents.are_known(seen.end_us) && self.parents.ready_since_us(&place).is_some();
        let together = both && ready();
        let before = self.together.remove(&place);
        if !together || self.held.contains(&place.0) {
            return;
        }
        let unbroken =
            |(_, last_us): &(Reference, u64)| seen.end_us.saturating_sub(*last_us) <= NODE_STALE_US;
        let first = before.filter(unbroken).map(|(first, _)| first);
        self.met += u64::from(first.is_none());
        let first = first.unwrap_or_else(|| Reference::to(seen));
        let length_us = seen.end_us.saturating_sub(first.end_us);
        if length_us > WINDOW_US {
            let what = format!(
                "the copy of {component} on {} has run beside its ready parent for {}, the window is {}",
                place.0,
                seconds(length_us),
                seconds(WINDOW_US)
            );
            let witness = vec![
                first.witness("both run, and the parent is ready"),
                Reference::to(seen).witness("both still run"),
            ];
            let found = finding(what, seen.end_us, witness);
            self.found.get_or_insert(found);
        }
        self.together.insert(place, (first, seen.end_us));
    }
}
