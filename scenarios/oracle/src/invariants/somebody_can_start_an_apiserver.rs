//! S6: from the first served request on there is always somebody who serves, or who can start an apiserver.
//!
//! Somebody is: an apiserver that acknowledged within two seconds, at its own endpoint or through the
//! load balancer; a node with power and a static apiserver manifest, unless a process of it was last
//! seen without its files, or a bootstrap secret is gone that lay there beside the manifest; a node with a
//! complete checkpoint of one, and an agent that runs or is started by its own static manifest; a kubelet that still runs since it ran a self-hosted apiserver, or since one
//! was bound to its node, as long as the pods last read do not say otherwise: that none is bound there, or one that is being
//! deleted, whose process nobody starts again once it has ended.
//! Violated when there is nobody although every living control-plane node was looked at and every
//! endpoint asked. While all nodes are off nobody lives who could, and nothing is judged; nor while
//! a majority of the disks is lost and nobody has served since; nor while
//! one is off that had a manifest with its files when it was last seen: until the hand-over only the
//! bootstrap node can start an apiserver, and its power is not the installer's to give.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Component, Incarnation, NodeId};

use super::{Invariant, LEAST_SAMPLES, finding, names, not_judged, unknown};
use crate::observation::{
    NodeInventory, Observation, PodStatus, ProcessId, RequestOutcome, Sighting, Source,
};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::{SERVING_US, View};

/// Where bootstrap manifests find their secrets. An installer that keeps them elsewhere is judged by its processes alone.
const BOOTSTRAP_SECRETS: &str = "/etc/kubernetes/bootstrap-secrets/";
/// As long as this nobody may be known before the whole is unknown.
const UNKNOWN_MAX_US: u64 = 3_000_000;

#[derive(Default)]
struct SomebodyCanStartAnApiserver {
    served: Option<Reference>,
    learnt: BTreeMap<NodeId, ProcessId>,
    /// Nodes whose only apiserver pods were being deleted when pods were last read.
    leaving: BTreeSet<NodeId>,
    /// Bootstrap secrets that were seen beside an apiserver's manifest for as long as it lies there.
    secrets: BTreeMap<NodeId, BTreeSet<String>>,
    /// Nodes that had a manifest with its files when they were last seen.
    equipped: BTreeSet<NodeId>,
    looked: u64,
    unknown_since_us: Option<u64>,
    unknown: Option<String>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<SomebodyCanStartAnApiserver>::default()
}

impl Invariant for SomebodyCanStartAnApiserver {
    fn observe(&mut self, view: &View, seen: &Observation) {
        match &seen.saw {
            Sighting::Request(request)
                if matches!(request.outcome, RequestOutcome::Acknowledged { .. }) =>
            {
                match &mut self.served {
                    Some(served) => served.move_to(seen),
                    None => self.served = Some(Reference::to(seen)),
                }
            }
            Sighting::NodeInventory(now) => {
                if let Source::Node(node) = &seen.source {
                    self.inventory(view, node, now);
                }
            }
            Sighting::Pods(pods) => self.pods(view, pods),
            _ => {}
        }
        self.judge(view, seen);
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if view.procedure().first_started.is_none() {
            return not_judged("no operation was started");
        }
        if let Some(what) = &self.unknown {
            return unknown(what.clone());
        }
        if self.looked < LEAST_SAMPLES {
            return unknown(format!(
                "only {} instants could be judged, {LEAST_SAMPLES} are needed",
                self.looked
            ));
        }
        Judgement::Holds
    }
}

impl SomebodyCanStartAnApiserver {
    fn inventory(&mut self, view: &View, node: &NodeId, now: &NodeInventory) {
        let runs = now.runs(Component::KubeApiserver, Incarnation::SelfHosted);
        if let (Some(kubelet), true) = (now.kubelet, runs) {
            self.learnt.insert(node.clone(), kubelet);
        } else if !runs && self.leaving.contains(node) {
            self.learnt.remove(node);
        }
        if view.repeats() {
            return;
        }
        let beside = self.secrets.entry(node.clone()).or_default();
        if now.apiserver_manifests().next().is_none() {
            beside.clear();
        }
        beside.extend(secrets(now).cloned());
        if is_equipped(now, beside) {
            self.equipped.insert(node.clone());
        } else {
            self.equipped.remove(node);
        }
    }

    /// A kubelet learns of a pod that is bound to it, and of its end.
    fn pods(&mut self, view: &View, pods: &[PodStatus]) {
        for node in view.control_plane() {
            let mut own = pods.iter().filter(|pod| {
                pod.component == Component::KubeApiserver
                    && pod.incarnation == Incarnation::SelfHosted
                    && pod.node.as_ref() == Some(node)
            });
            let is_there = own.clone().next().is_some();
            let bound = own.any(|pod| !pod.terminating);
            if is_there && !bound {
                self.leaving.insert(node.clone());
            } else {
                self.leaving.remove(node);
            }
            let inventory = view.inventory(node);
            let runs = inventory.is_some_and(|latest| {
                latest
                    .value
                    .runs(Component::KubeApiserver, Incarnation::SelfHosted)
            });
            if let (true, Some(kubelet)) =
                (bound, inventory.and_then(|latest| latest.value.kubelet))
            {
                self.learnt.insert(node.clone(), kubelet);
            } else if !bound && !runs {
                self.learnt.remove(node);
            }
        }
    }

    fn judge(&mut self, view: &View, seen: &Observation) {
        let Some(served) = &self.served else { return };
        if view.all_are_off() {
            self.unknown_since_us = None;
            return;
        }
        let now_us = view.now_us();
        let members = view.control_plane().len();
        let lost_us = view.faults().etcd_lost_us(members, now_us);
        if lost_us.is_some_and(|lost_us| served.end_us <= lost_us) {
            self.unknown_since_us = None;
            return;
        }
        if now_us.saturating_sub(served.end_us) <= SERVING_US || self.somebody_can(view) {
            self.looked += 1;
            self.unknown_since_us = None;
            return;
        }
        if self.waits_for_power(view) {
            self.unknown_since_us = None;
            return;
        }
        let mut unseen = view.living_control_plane();
        unseen.retain(|node| {
            let seen = view.inventory(node);
            !seen.is_some_and(|latest| latest.value.sees_checkpoints())
                || !view.is_asked(&Source::Apiserver((*node).clone()))
        });
        if !unseen.is_empty() {
            let since_us = *self.unknown_since_us.get_or_insert(now_us);
            let span_us = now_us.saturating_sub(since_us);
            if span_us > UNKNOWN_MAX_US {
                let what = format!(
                    "nobody is known who serves or could start an apiserver at {}, but nothing is known of {}",
                    seconds(now_us),
                    names(unseen)
                );
                self.unknown.get_or_insert(what);
            }
            return;
        }
        self.looked += 1;
        let living = names(view.living_control_plane());
        let what = format!(
            "nobody serves since {} and nobody can start an apiserver: {living} have no manifest of one with its files and no kubelet that knows of one",
            seconds(served.end_us)
        );
        let mut witness = vec![
            served.witness("the last acknowledged request"),
            Reference::to(seen).witness("nobody serves and nobody can start an apiserver"),
        ];
        for node in view.living_control_plane() {
            if let Some(latest) = view.inventory(node) {
                witness.push(
                    latest
                        .from
                        .witness(format!("manifests: {}", names(&latest.value.manifests))),
                );
            }
        }
        let found = finding(what, now_us, witness);
        self.found.get_or_insert(found);
    }

    fn somebody_can(&self, view: &View) -> bool {
        view.living_control_plane().into_iter().any(|node| {
            let Some(latest) = view.inventory(node) else {
                return false;
            };
            let manifest = self.equipped.contains(node);
            let knows = latest.value.kubelet.is_some()
                && latest.value.kubelet.as_ref() == self.learnt.get(node);
            manifest || knows
        })
    }

    /// Whether a node without power could start one if it had any.
    fn waits_for_power(&self, view: &View) -> bool {
        let living = view.living_control_plane();
        let mut off = view.control_plane();
        off.retain(|node| !living.contains(node));
        off.into_iter().any(|node| self.equipped.contains(node))
    }
}

/// Whether an apiserver's manifest lies there, unless its process was seen without its files, or one of
/// the secrets is gone that were there beside it: without them a kubelet starts no container of it, so
/// that no process is ever seen. A checkpoint that could be activated is as good as a manifest, and the
/// manifest of a copy as good as the version that it refers to.
fn is_equipped(inventory: &NodeInventory, beside: &BTreeSet<String>) -> bool {
    let lacks_files = inventory.processes.iter().any(|process| {
        process.component == Component::KubeApiserver
            && process.incarnation != Some(Incarnation::SelfHosted)
            && !process.missing_files.is_empty()
    });
    let manifest = inventory.temporary_manifests().next().is_some();
    let startable = manifest && beside.is_subset(&inventory.bootstrap_files);
    let mut versions = inventory.versions(Component::KubeApiserver);
    let copy = inventory.has_copy(Component::KubeApiserver)
        && versions.any(|version| version.prepared && version.complete);
    (startable || copy) && !lacks_files || inventory.can_activate(Component::KubeApiserver)
}

/// Bootstrap secrets in their place, but for those that are being written.
fn secrets(inventory: &NodeInventory) -> impl Iterator<Item = &String> {
    let hidden = |path: &str| {
        path.rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with('.'))
    };
    inventory
        .bootstrap_files
        .iter()
        .filter(move |path| path.starts_with(BOOTSTRAP_SECRETS) && !hidden(path))
}
