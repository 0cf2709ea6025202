//! S18: a checkpoint is removed only after the API has said, throughout the grace period, that its
//! parent is not bound to the node.
//!
//! Removed: a node that held a complete version of a component holds none in the next look. The grace period is
//! the installer's own, as the case states it. Within it no reading of the pods may have the parent bound
//! to the node, and the API may not have been silent, which is proven by writes through the load balancer that
//! failed for five seconds on end. A removal makes the whole unknown where no grace period is stated, and where the
//! pods were not read throughout it while nothing proves that this was the API's doing. What goes with a disk
//! was not removed.

use std::collections::BTreeMap;

use terms::{Component, NodeId};

use super::outage::Outage;
use super::parents::{Parents, Place};
use super::sight::Sight;
use super::{Invariant, finding, not_judged, unknown};
use crate::observation::Observation;
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement, Witness};
use crate::view::View;

#[derive(Default)]
struct CheckpointsOutliveIgnorance {
    parents: Parents,
    outage: Outage,
    held: BTreeMap<Place, Reference>,
    sight: Sight,
    judged: bool,
    unknown: Option<String>,
    found: Option<Finding>,
}

/// Whether a removal was allowed.
enum Leave {
    Given,
    Refused(String, Vec<Witness>),
    Unknown(String),
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<CheckpointsOutliveIgnorance>::default()
}

impl Invariant for CheckpointsOutliveIgnorance {
    fn observe(&mut self, view: &View, seen: &Observation) {
        self.parents.observe(view, seen);
        self.outage.observe(seen);
        let Some((node, now)) = self.sight.look(seen) else {
            return;
        };
        for component in Component::SELF_HOSTED {
            let place = (node.clone(), component);
            if now.versions(component).any(|version| version.complete) {
                self.judged = true;
                let last = self.held.entry(place);
                last.and_modify(|last| last.move_to(seen))
                    .or_insert_with(|| Reference::to(seen));
            } else if let Some(last) = self.held.remove(&place) {
                // What was on a disk before the empty machine came went with the disk.
                let faults = view.faults();
                let disk_lost_us = faults.disk_lost_us(node, seen.end_us);
                let until_us = disk_lost_us.map(|lost_us| faults.healed_us(node, lost_us));
                if until_us.is_some_and(|until_us| last.start_us < until_us) {
                    continue;
                }
                // A torn version is the disk's doing, or a fault's; it was not removed.
                let torn = now
                    .versions(component)
                    .any(|version| !version.generation.is_empty());
                if !torn {
                    self.removed(&place, &last, view, seen);
                }
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
        if !self.judged {
            return not_judged("no complete checkpoint was seen");
        }
        Judgement::Holds
    }
}

impl CheckpointsOutliveIgnorance {
    fn removed(&mut self, place: &Place, last: &Reference, view: &View, seen: &Observation) {
        let (node, component): &(NodeId, Component) = place;
        let what = format!("the last complete checkpoint of {component} on {node} was removed");
        match self.leave(place, view, seen) {
            Leave::Given => {}
            Leave::Unknown(why) => {
                self.unknown.get_or_insert(format!("{what}, and {why}"));
            }
            Leave::Refused(why, mut witness) => {
                witness.push(last.witness("the last look that found it"));
                witness.push(Reference::to(seen).witness("the first look that did not"));
                let found = finding(format!("{what}, although {why}"), seen.end_us, witness);
                self.found.get_or_insert(found);
            }
        }
    }

    fn leave(&self, place: &Place, view: &View, seen: &Observation) -> Leave {
        let Some(grace_us) = view.case().and_then(|case| case.grace_us()) else {
            return Leave::Unknown("the case states no grace period".to_owned());
        };
        let grace = seconds(grace_us);
        let from_us = seen.end_us.saturating_sub(grace_us);
        // The parent may have gone as soon as the API had answered that it is there.
        let bound = self.parents.last_bound(place);
        if let Some(bound) = bound.filter(|bound| bound.start_us > from_us) {
            let why = format!("its parent was bound there within the {grace} before");
            return Leave::Refused(why, vec![bound.witness("the parent is bound to the node")]);
        }
        if let Some((last, until)) = self.outage.since(from_us) {
            let why = format!("the API did not answer throughout the {grace} before");
            let witness = vec![
                last.witness("the last acknowledged write"),
                until.witness("none was acknowledged until here"),
            ];
            return Leave::Refused(why, witness);
        }
        if !self.parents.are_known_since(from_us, seen.end_us) {
            return Leave::Unknown(format!(
                "pods were not read throughout the {grace} before it"
            ));
        }
        Leave::Given
    }
}
