//! S16: a checkpoint that could be activated has all its files, all of one generation.
//!
//! It could be activated if a manifest that lies ready for the kubelet, or in its directory, refers to
//! it. An observer's look at a disk is no snapshot, so a version must be found wanting in two looks in a row.
//! What a fault tore is nobody's mistake, as long as no copy was started from it.

use std::collections::BTreeMap;

use terms::{Component, Fault, NodeId};

use super::sight::Sight;
use super::{Invariant, finding, not_judged};
use crate::observation::{CheckpointSeen, Observation};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

#[derive(Default)]
struct CheckpointsAreComplete {
    /// Versions that were wanting in the last look at their node.
    wanting: BTreeMap<(NodeId, Component, String), Reference>,
    sight: Sight,
    judged: u64,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<CheckpointsAreComplete>::default()
}

impl Invariant for CheckpointsAreComplete {
    fn observe(&mut self, view: &View, seen: &Observation) {
        let Some((node, now)) = self.sight.look(seen) else {
            return;
        };
        let before = std::mem::take(&mut self.wanting);
        let (own, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            before.into_iter().partition(|((of, ..), _)| of == node);
        self.wanting = others;
        for version in now.checkpoints.iter().filter(|version| version.prepared) {
            self.judged += 1;
            let Some(lack) = lack(version) else { continue };
            if is_torn(view, node, version) && !now.has_copy(version.component) {
                continue;
            }
            let key = (node.clone(), version.component, version.generation.clone());
            let first = own.get(&key).cloned();
            if let Some(first) = &first {
                let what = format!(
                    "the checkpoint {} of {} on {node} could be activated, but {lack}",
                    version.generation, version.component
                );
                let witness = vec![
                    first.witness("the first look that found it so"),
                    Reference::to(seen).witness("and the next one"),
                ];
                let found = finding(what, seen.end_us, witness);
                self.found.get_or_insert(found);
            }
            self.wanting
                .insert(key, first.unwrap_or_else(|| Reference::to(seen)));
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, _: &View) -> Judgement {
        if let Some(unknown) = self.sight.is_lacking() {
            return unknown;
        }
        if self.judged == 0 {
            return not_judged("no checkpoint that could be activated was seen");
        }
        Judgement::Holds
    }
}

/// Whether a fault has cut a file of the version.
fn is_torn(view: &View, node: &NodeId, version: &CheckpointSeen) -> bool {
    let CheckpointSeen {
        component,
        generation,
        ..
    } = version;
    let (place, folder) = (format!("{node}:"), format!("/{component}/{generation}/"));
    let is_of_it = |object: &String| object.starts_with(&place) && object.contains(&folder);
    view.faults().before(view.now_us()).any(|fault| {
        matches!(fault.value.fault, Fault::Tear(_)) && fault.value.objects.iter().any(is_of_it)
    })
}

fn lack(version: &CheckpointSeen) -> Option<&'static str> {
    if version.generation.is_empty() {
        Some("the version that its manifest refers to is not there")
    } else if !version.complete {
        Some("its files are not those that its commit mark names")
    } else if version.mixed {
        Some("its manifest refers to files of another version")
    } else {
        None
    }
}
