//! S5b: when the bootstrap control plane is removed, every control-plane node that hosts a self-hosted
//! apiserver holds a complete checkpoint of it.
//!
//! The act is `teardown`'s. What a node holds is what its observer last saw before the act; a node of
//! which nothing is known then makes the whole unknown. A node without power hosts nothing, and neither
//! does one that has just got it back: nobody outside it can know yet that it does.
//!
//! Looks are up to a second apart. A checkpoint that its agent says it saved between the last look and the
//! act counts if the next look finds it.

use std::collections::BTreeMap;

use terms::{Component, Incarnation, Moment, NodeId};

use super::teardown::{Sign, Teardown};
use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::{NodeInventory, Observation, Sighting, Source};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement, Witness};
use crate::view::View;

/// How long after its return a node hosts unknown to an installer: its kubelet reports within a second,
/// the installer asks the API every 250 ms at best, and what it does then takes its time.
const UNHEARD_OF_US: u64 = 2_000_000;

/// The step with which an agent says that it has saved the apiserver.
const SAVED: &str = "kube-apiserver-saved";

#[derive(Default)]
struct CheckpointsArmedBeforeTeardown {
    teardown: Teardown,
    /// Since when a self-hosted apiserver is seen on a node.
    hosts_since_us: BTreeMap<NodeId, u64>,
    /// When a node's agent last said that it saved the apiserver.
    saved_us: BTreeMap<NodeId, u64>,
    /// Nodes whose agents said so just before the act, until the next look at them.
    promised: BTreeMap<NodeId, Witness>,
    acting: Option<Result<(), Lack>>,
    judged: u32,
    unknown: Option<String>,
    found: Option<Finding>,
}

/// What was lacking at the act.
enum Lack {
    Found(Finding),
    Unknown(String),
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<CheckpointsArmedBeforeTeardown>::default()
}

impl Invariant for CheckpointsArmedBeforeTeardown {
    fn observe(&mut self, view: &View, seen: &Observation) {
        self.hear(seen);
        self.look(view, seen);
        match self.teardown.observe(view, seen) {
            Sign::Acted(act) => {
                self.acting = Some(self.armed(view, &act.after.witness("the removal")));
            }
            Sign::TakenBack => {
                self.acting = None;
                self.promised.clear();
            }
            Sign::Gone => self.conclude(),
            Sign::Nothing => {}
        }
    }

    fn finding(&self) -> Option<&Finding> {
        match (&self.found, &self.acting) {
            (Some(found), _) | (None, Some(Err(Lack::Found(found)))) => Some(found),
            _ => None,
        }
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if let Some(Err(Lack::Unknown(what))) = &self.acting {
            return unknown(what.clone());
        }
        if let Some(what) = &self.unknown {
            return unknown(what.clone());
        }
        if !self.promised.is_empty() {
            let nodes = names(self.promised.keys());
            return unknown(format!(
                "nobody looked for the checkpoint that the agent of {nodes} saved just before the removal"
            ));
        }
        if self.judged > 0 || self.acting.is_some() {
            return Judgement::Holds;
        }
        if view.procedure().first_started.is_none() {
            return not_judged("no operation was started");
        }
        if view.procedure().first_done.is_some() {
            return unknown("the procedure was done, and no removal was seen");
        }
        not_judged("the bootstrap control plane was not removed")
    }
}

impl CheckpointsArmedBeforeTeardown {
    fn conclude(&mut self) {
        match self.acting.take() {
            Some(Ok(())) => self.judged += 1,
            Some(Err(Lack::Found(found))) => {
                self.found.get_or_insert(found);
            }
            Some(Err(Lack::Unknown(what))) => {
                self.unknown.get_or_insert(what);
            }
            None => {}
        }
    }

    fn hear(&mut self, seen: &Observation) {
        let Sighting::Step(step) = &seen.saw else {
            return;
        };
        let is_saved = step.step.as_str() == SAVED && step.moment == Moment::Completed;
        if let Some(node) = step.actor.agent_node().filter(|_| is_saved) {
            self.saved_us.insert(node, seen.start_us);
        }
    }

    fn look(&mut self, view: &View, seen: &Observation) {
        let (Sighting::NodeInventory(now), Source::Node(node)) = (&seen.saw, &seen.source) else {
            return;
        };
        // A look that cannot see checkpoints leaves the promise open.
        if now.sees_checkpoints()
            && let Some(removal) = self.promised.remove(node)
            && !is_saved(now)
        {
            let broken = Reference::to(seen).witness(format!(
                "the checkpoint that the agent of {node} said it saved does not lie there"
            ));
            let what = bare(&[node]);
            let found = finding(what, removal.at_us, vec![removal, broken]);
            // As long as the removal can still be taken back, so can this.
            if self.acting.is_some() {
                self.acting = Some(Err(Lack::Found(found)));
            } else {
                self.found.get_or_insert(found);
            }
        }
        if !now.runs(Component::KubeApiserver, Incarnation::SelfHosted) {
            self.hosts_since_us.remove(node);
            return;
        }
        let back_us = view.faults().power_back_us(node, seen.start_us);
        let since_us = self.hosts_since_us.entry(node.clone());
        let since_us = since_us.or_insert(seen.start_us);
        if back_us.is_some_and(|back_us| *since_us < back_us) {
            *since_us = seen.start_us;
        }
    }

    /// Whether the node lost its power and hosts again for so short a time that nobody can know.
    fn is_unheard_of(&self, view: &View, node: &NodeId, at_us: u64) -> bool {
        let came_back = view.faults().power_back_us(node, at_us).is_some();
        let since_us = self.hosts_since_us.get(node);
        came_back
            && since_us.is_some_and(|since_us| at_us.saturating_sub(*since_us) < UNHEARD_OF_US)
    }

    fn armed(&mut self, view: &View, act: &Witness) -> Result<(), Lack> {
        let mut lacking = Vec::new();
        let mut witness = vec![act.clone()];
        for node in view.living_control_plane() {
            let Some(latest) = view.inventory(node) else {
                let what = format!("nothing is known of {node} at the removal");
                return Err(Lack::Unknown(what));
            };
            let inventory = &latest.value;
            if !inventory.sees_checkpoints() {
                let what = format!("the observer on {node} could not look for checkpoints");
                return Err(Lack::Unknown(what));
            }
            let hosts = inventory.runs(Component::KubeApiserver, Incarnation::SelfHosted)
                && !self.is_unheard_of(view, node, act.at_us);
            if hosts && !is_saved(inventory) {
                let said_us = self.saved_us.get(node);
                if said_us.is_some_and(|said_us| *said_us >= latest.from.start_us) {
                    self.promised.insert(node.clone(), act.clone());
                    continue;
                }
                witness.push(latest.from.witness(format!(
                    "a self-hosted apiserver runs on {node}, and no complete checkpoint of it lies there"
                )));
                lacking.push(node);
            }
        }
        if lacking.is_empty() {
            return Ok(());
        }
        Err(Lack::Found(finding(bare(&lacking), act.at_us, witness)))
    }
}

fn is_saved(inventory: &NodeInventory) -> bool {
    let mut versions = inventory.versions(Component::KubeApiserver);
    versions.any(|version| version.complete)
}

fn bare(nodes: &[&NodeId]) -> String {
    format!(
        "the bootstrap control plane was removed while {} had no complete checkpoint of their apiserver",
        names(nodes)
    )
}
