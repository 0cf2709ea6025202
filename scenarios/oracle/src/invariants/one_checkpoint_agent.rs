//! S19: at most one agent acts on a node, and its own protection stays while it has a parent to protect.
//!
//! Who acts is who holds the lock. The protection is the agent's static manifest: once it was there it
//! must stay as long as a complete checkpoint lies on the node and a pod of that component was bound
//! to it when pods were last read. Both must be found so in two looks in a row.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Component, NodeId};

use super::parents::Parents;
use super::sight::Sight;
use super::{Invariant, finding, not_judged};
use crate::observation::{NodeInventory, Observation};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

#[derive(Default)]
struct OneCheckpointAgent {
    parents: Parents,
    protected: BTreeSet<NodeId>,
    suspect: BTreeMap<NodeId, (String, Reference)>,
    sight: Sight,
    judged: u64,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<OneCheckpointAgent>::default()
}

impl Invariant for OneCheckpointAgent {
    fn observe(&mut self, view: &View, seen: &Observation) {
        self.parents.observe(view, seen);
        let Some((node, now)) = self.sight.look(seen) else {
            return;
        };
        self.judged += u64::from(!now.agents.is_empty() || self.protected.contains(node));
        let wrong = self.wrong(node, now);
        if now.has_static_agent() {
            self.protected.insert(node.clone());
        }
        let before = self.suspect.remove(node);
        let Some(wrong) = wrong else { return };
        let first = before.filter(|(earlier, _)| *earlier == wrong);
        if let Some((_, first)) = &first {
            let witness = vec![
                first.witness("the first look that found it so"),
                Reference::to(seen).witness("and the next one"),
            ];
            let found = finding(wrong.clone(), seen.end_us, witness);
            self.found.get_or_insert(found);
        }
        let since = first.map_or_else(|| Reference::to(seen), |(_, first)| first);
        self.suspect.insert(node.clone(), (wrong, since));
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, _: &View) -> Judgement {
        if let Some(unknown) = self.sight.is_lacking() {
            return unknown;
        }
        if self.judged == 0 {
            return not_judged("no checkpoint agent was seen");
        }
        Judgement::Holds
    }
}

impl OneCheckpointAgent {
    fn wrong(&self, node: &NodeId, now: &NodeInventory) -> Option<String> {
        let acting = now.agents.iter().filter(|agent| agent.acting).count();
        if acting > 1 {
            return Some(format!("{acting} checkpoint agents act on {node}"));
        }
        if !self.protected.contains(node) || now.has_static_agent() {
            return None;
        }
        let protects = |component: &Component| {
            now.versions(*component).any(|version| version.complete)
                && self.parents.is_bound(&(node.clone(), *component))
        };
        let parent = Component::SELF_HOSTED.into_iter().find(protects)?;
        Some(format!(
            "the agent on {node} has no manifest of itself any more, although it has {parent} to protect"
        ))
    }
}
