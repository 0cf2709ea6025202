//! S13: an installer of another cluster is refused, and changes nothing.
//!
//! From its start to the first inventory after its end the manifests and bootstrap files of each node
//! stay what they were; its own assets are laid down before it is started.

use std::collections::{BTreeMap, BTreeSet};

use terms::NodeId;

use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::{NodeInventory, Observation, OperationEnd, Sighting, Source};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement, Witness};
use crate::view::View;

type Files = (BTreeSet<String>, BTreeSet<String>);

#[derive(Default)]
struct ForeignClusterRefused {
    before: BTreeMap<NodeId, (Files, Reference)>,
    started: Option<Reference>,
    ended: Option<Reference>,
    looked: BTreeSet<NodeId>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<ForeignClusterRefused>::default()
}

impl Invariant for ForeignClusterRefused {
    fn observe(&mut self, view: &View, seen: &Observation) {
        match &seen.saw {
            Sighting::OperationStarted(operation) if operation.foreign => {
                self.started = Some(Reference::to(seen));
                self.ended = None;
                self.looked.clear();
                let living = view.living_control_plane();
                self.before = living
                    .into_iter()
                    .filter_map(|node| {
                        let latest = view.inventory(node)?;
                        Some((node.clone(), (files(&latest.value), latest.from.clone())))
                    })
                    .collect();
            }
            Sighting::OperationEnded(ended) if self.started.is_some() && self.ended.is_none() => {
                self.ended = Some(Reference::to(seen));
                if ended.end != OperationEnd::Refused {
                    let what = format!(
                        "an installer of another cluster was not refused, it ended as {:?}",
                        ended.end
                    );
                    self.violated(seen, what, Vec::new());
                }
            }
            Sighting::NodeInventory(now) => self.inventory(view, seen, now),
            _ => {}
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if self.started.is_none() {
            return not_judged("no installer of another cluster was run");
        }
        if self.ended.is_none() {
            return unknown("the installer of another cluster was still running in the end");
        }
        let mut unseen = view.living_control_plane();
        unseen.retain(|node| !self.looked.contains(*node));
        if !unseen.is_empty() {
            return unknown(format!(
                "no inventories of {} from before and after the installer of another cluster",
                names(unseen)
            ));
        }
        Judgement::Holds
    }
}

impl ForeignClusterRefused {
    fn inventory(&mut self, view: &View, seen: &Observation, now: &NodeInventory) {
        let (Source::Node(node), Some(_)) = (&seen.source, &self.started) else {
            return;
        };
        let Some((before, from)) = self.before.get(node) else {
            return;
        };
        if self.looked.contains(node) || view.faults().is_off(node, seen.start_us) {
            return;
        }
        let (manifests, bootstrap_files) = files(now);
        let changed: Vec<_> = manifests
            .symmetric_difference(&before.0)
            .chain(bootstrap_files.symmetric_difference(&before.1))
            .collect();
        if !changed.is_empty() {
            let words = names(changed.into_iter().take(5));
            let what = format!("an installer of another cluster changed files on {node}: {words}");
            let first = from.witness("the files before it was started");
            self.violated(seen, what, vec![first]);
        } else if self
            .ended
            .as_ref()
            .is_some_and(|ended| seen.start_us > ended.end_us)
        {
            self.looked.insert(node.clone());
        }
    }

    fn violated(&mut self, seen: &Observation, what: String, mut witness: Vec<Witness>) {
        if self.found.is_some() {
            return;
        }
        witness.push(Reference::to(seen).witness(what.clone()));
        witness.extend(
            self.started
                .iter()
                .map(|from| from.witness("an installer of another cluster was started")),
        );
        self.found = Some(finding(what, seen.end_us, witness));
    }
}

fn files(inventory: &NodeInventory) -> Files {
    (
        inventory.manifests.clone(),
        inventory.bootstrap_files.clone(),
    )
}
