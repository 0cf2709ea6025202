//! S18: a checkpoint is removed only after the API has said, throughout the grace period, that its
//! parent is not bound to the node.
//!
//! Removed: a node that held a complete version of a component holds none in the next look. What the
//! API said is what the cluster's pods were read as; a silence of its readings ends every stretch.
//! Agents' grace periods are minutes; here [`LEAST_GRACE_US`] is asked for, so that a reading that came
//! late excuses nobody. What goes with a disk was not removed.

use std::collections::BTreeMap;

use terms::{Component, NodeId};

use super::parents::Parents;
use super::{Invariant, finding, not_judged};
use crate::observation::{Observation, Sighting, Source};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// Half of the shortest grace period in use, which was a minute.
const LEAST_GRACE_US: u64 = 30_000_000;

#[derive(Default)]
struct CheckpointsOutliveIgnorance {
    parents: Parents,
    held: BTreeMap<(NodeId, Component), Reference>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<CheckpointsOutliveIgnorance>::default()
}

impl Invariant for CheckpointsOutliveIgnorance {
    fn observe(&mut self, view: &View, seen: &Observation) {
        self.parents.observe(view, seen);
        let (Sighting::NodeInventory(now), Source::Node(node)) = (&seen.saw, &seen.source) else {
            return;
        };
        for component in Component::SELF_HOSTED {
            let place = (node.clone(), component);
            if now.versions(component).any(|version| version.complete) {
                self.held.insert(place, Reference::to(seen));
            } else if let Some(last) = self.held.remove(&place) {
                // What was on a disk before the empty machine came went with the disk.
                let faults = view.faults();
                let disk_lost_us = faults.disk_lost_us(node, seen.end_us);
                let until_us = disk_lost_us.map(|lost_us| faults.healed_us(node, lost_us));
                if until_us.is_some_and(|until_us| last.start_us < until_us) {
                    continue;
                }
                // A torn version is the disk's doing, or a fault's; it was not removed.
                let torn = now.versions(component).next().is_some();
                let unbound_us = self.parents.unbound_since_us(&place, seen.end_us);
                let said_us = unbound_us.map_or(0, |since| seen.end_us.saturating_sub(since));
                if !torn && said_us < LEAST_GRACE_US {
                    self.removed(&place, &last, seen, said_us);
                }
            }
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, _: &View) -> Judgement {
        if self.held.is_empty() {
            return not_judged("no complete checkpoint was seen");
        }
        Judgement::Holds
    }
}

impl CheckpointsOutliveIgnorance {
    fn removed(
        &mut self,
        (node, component): &(NodeId, Component),
        last: &Reference,
        seen: &Observation,
        said_us: u64,
    ) {
        let what = format!(
            "the last complete checkpoint of {component} on {node} was removed, although the API had said for {} only that no pod of it is bound there",
            seconds(said_us)
        );
        let witness = vec![
            last.witness("the last look that found it"),
            Reference::to(seen).witness("the first look that did not"),
        ];
        let found = finding(what, seen.end_us, witness);
        self.found.get_or_insert(found);
    }
}
