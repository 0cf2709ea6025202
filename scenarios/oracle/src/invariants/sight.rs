//! Whose eyes for checkpoints are open.

use std::collections::BTreeSet;

use terms::NodeId;

use super::{names, unknown};
use crate::observation::{NodeInventory, Observation, Sighting, Source};
use crate::verdict::Judgement;

/// Looks at nodes by observers that could look for checkpoints. Of the others nothing is known.
#[derive(Default)]
pub(super) struct Sight {
    /// Nodes whose last look was blind.
    blind: BTreeSet<NodeId>,
}

impl Sight {
    /// The node and its inventory, when this observation is one that tells of checkpoints.
    pub(super) fn look<'a>(
        &mut self,
        seen: &'a Observation,
    ) -> Option<(&'a NodeId, &'a NodeInventory)> {
        let (Sighting::NodeInventory(now), Source::Node(node)) = (&seen.saw, &seen.source) else {
            return None;
        };
        if now.sees_checkpoints() {
            self.blind.remove(node);
            Some((node, now))
        } else {
            self.blind.insert(node.clone());
            None
        }
    }

    /// That nothing is known in the end, of nodes whose observer is blind by then.
    pub(super) fn is_lacking(&self) -> Option<Judgement> {
        let blind = names(&self.blind);
        let what = format!("the observers could not look for checkpoints on {blind}");
        (!self.blind.is_empty()).then(|| unknown(what))
    }
}
