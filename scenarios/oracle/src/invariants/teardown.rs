//! When the bootstrap control plane is removed, as seen from outside.
//!
//! The act is the removal of the last manifest of a temporary apiserver from the kubelet's
//! directory, on a node that ran one. It is taken back when a manifest returns while the process
//! still runs, and final once the process is gone. Loss of power and kills remove no manifest, so
//! they are no act, and neither is the loss of the disk that the manifest lay on. For an installer without manifests the act is the end of the process, unless a
//! fault of the last half minute may have ended it.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Component, Incarnation, NodeId};

use crate::observation::{Observation, Sighting, Source};
use crate::reference::Reference;
use crate::view::View;

/// How long after a fault the end of a process is laid to it.
const AFTERMATH_US: u64 = 30_000_000;

/// What the latest observation means for the bootstrap control plane.
pub(super) enum Sign {
    /// Nothing new.
    Nothing,
    /// It is being removed.
    Acted(Act),
    /// It was not removed after all.
    TakenBack,
    /// It is gone.
    Gone,
}

/// The removal, between two inventories.
pub(super) struct Act {
    /// Where.
    pub(super) node: NodeId,
    /// The last inventory before it.
    pub(super) before: Reference,
    /// The first inventory after it.
    pub(super) after: Reference,
}

/// What an inventory says of the temporary apiserver.
struct Look {
    from: Reference,
    runs: bool,
    has_manifest: bool,
}

/// Follows the temporary apiservers.
#[derive(Default)]
pub(super) struct Teardown {
    last: BTreeMap<NodeId, Look>,
    ran: BTreeSet<NodeId>,
    had_manifest: BTreeSet<NodeId>,
    acting: Option<NodeId>,
}

impl Teardown {
    /// Takes in the next observation.
    pub(super) fn observe(&mut self, view: &View, seen: &Observation) -> Sign {
        let (Sighting::NodeInventory(now), Source::Node(node)) = (&seen.saw, &seen.source) else {
            return Sign::Nothing;
        };
        let runs = now.runs(Component::KubeApiserver, Incarnation::Bootstrap);
        let has_manifest = now.temporary_manifests().next().is_some();
        if runs {
            self.ran.insert(node.clone());
        }
        if has_manifest {
            self.had_manifest.insert(node.clone());
        }
        let look = Look {
            from: Reference::to(seen),
            runs,
            has_manifest,
        };
        let before = self.last.insert(node.clone(), look);
        if self.acting.as_ref() == Some(node) {
            if has_manifest || (runs && !self.had_manifest.contains(node)) {
                self.acting = None;
                return Sign::TakenBack;
            }
            if !runs {
                self.acting = None;
                return Sign::Gone;
            }
        }
        let Some(before) = before else {
            return Sign::Nothing;
        };
        if !self.ran.contains(node)
            || !self.is_act(view, node, &before, seen)
            || self.others_stay(node)
        {
            return Sign::Nothing;
        }
        self.acting = Some(node.clone());
        Sign::Acted(Act {
            node: node.clone(),
            before: before.from,
            after: Reference::to(seen),
        })
    }

    /// Nodes whose temporary apiserver was still there when it was last looked.
    pub(super) fn standing(&self) -> Vec<&NodeId> {
        let stands = |(node, look): &(&NodeId, &Look)| {
            self.ran.contains(*node) && (look.has_manifest || look.runs)
        };
        let standing = self.last.iter().filter(stands);
        standing.map(|(node, _)| node).collect()
    }

    /// Whether a temporary apiserver ever ran.
    pub(super) fn ever_ran(&self) -> bool {
        !self.ran.is_empty()
    }

    fn is_act(&self, view: &View, node: &NodeId, before: &Look, seen: &Observation) -> bool {
        let Some(now) = self.last.get(node) else {
            return false;
        };
        if self.had_manifest.contains(node) {
            let disk_lost = view
                .faults()
                .disk_was_lost_since(node, before.from.start_us, seen);
            return before.has_manifest && !now.has_manifest && !disk_lost;
        }
        let ended = before.runs && !now.runs;
        let since_us = before.from.start_us.saturating_sub(AFTERMATH_US);
        ended
            && view
                .faults()
                .between(since_us, seen.end_us)
                .next()
                .is_none()
    }

    fn others_stay(&self, node: &NodeId) -> bool {
        self.standing().iter().any(|other| *other != node)
    }
}
