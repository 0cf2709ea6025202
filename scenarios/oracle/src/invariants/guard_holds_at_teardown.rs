//! S5: when the bootstrap control plane is removed, what replaces it is at work.
//!
//! At the act (see `teardown`) three things must be so.
//! Apiservers: on at least the stated number of nodes a self-hosted apiserver acknowledged a request
//! within the two seconds before the act, and not two requests in a row have failed since. One failed
//! request may be the prober's; two say that it does not serve.
//! Load balancer: through it a self-hosted apiserver acknowledged a request within the three seconds before
//! the act. It sends each connection to the next server, so that in fifteen requests one meets it if it is listed.
//! Controllers, for each of controller manager and scheduler: when no bootstrap process of it was left
//! in the inventory before the act, its lease was renewed after the last one had gone: once, or twice if the
//! holder is the same as before on a node where a bootstrap process ran. When one was still there, the lease
//! is held by an identity that never held it before the first self-hosted process appeared, and not on a node
//! where only the bootstrap process runs.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Component, Incarnation, NodeId};

use super::teardown::{Act, Sign, Teardown};
use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::{Lease, Observation, Sighting, Source};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement, Witness};
use crate::view::{CLUSTER_STALE_US, SERVING_US, View};

/// The two components whose lease must be in new hands.
const CONTROLLERS: [Component; 2] = [Component::KubeControllerManager, Component::KubeScheduler];
/// With a longer pause between the two inventories nobody can say when the act was.
const ACT_MAX_US: u64 = 3_000_000;
/// Who answers through the load balancer at most this long before the act is listed there.
const LISTED_US: u64 = 3_000_000;
/// As many failed requests in a row say that an instance does not serve.
const FAILURES: u32 = 2;

#[derive(Default)]
struct GuardHoldsAtTeardown {
    teardown: Teardown,
    controllers: BTreeMap<Component, Controller>,
    acting: Option<Result<(), Lack>>,
    guarded: u32,
    unknown: Option<String>,
    found: Option<Finding>,
}

/// What is known of a controller's handover.
#[derive(Default)]
struct Controller {
    bootstrap_on: BTreeSet<NodeId>,
    bootstrap_ever_on: BTreeSet<NodeId>,
    bootstrap_gone: Option<Reference>,
    holder_then: Option<String>,
    renewals_since: u32,
    renewed: String,
    self_hosted_on: BTreeSet<NodeId>,
    self_hosted_ever: bool,
    early_holders: BTreeSet<String>,
}

/// What the guard lacked.
enum Lack {
    Found(Finding),
    Unknown(String),
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<GuardHoldsAtTeardown>::default()
}

impl Invariant for GuardHoldsAtTeardown {
    fn observe(&mut self, view: &View, seen: &Observation) {
        if let Sighting::Lease(lease) = &seen.saw {
            self.controllers
                .entry(lease.lock)
                .or_default()
                .lease(seen, lease);
        }
        match self.teardown.observe(view, seen) {
            // The guard is judged by what was known before this inventory.
            Sign::Acted(act) => self.acting = Some(self.guard(view, &act)),
            Sign::TakenBack => self.acting = None,
            Sign::Gone => self.conclude(),
            Sign::Nothing => {}
        }
        self.processes(view, seen);
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn judgement(&self, view: &View) -> Judgement {
        match (&self.found, &self.acting) {
            (Some(found), _) | (None, Some(Err(Lack::Found(found)))) => {
                Judgement::Violated(found.clone())
            }
            (None, Some(Err(Lack::Unknown(what)))) => unknown(what.clone()),
            (None, Some(Ok(()))) => Judgement::Holds,
            (None, None) => self.otherwise(view),
        }
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if let Some(what) = &self.unknown {
            return unknown(what.clone());
        }
        if self.guarded > 0 {
            return Judgement::Holds;
        }
        if view.procedure().first_started.is_none() {
            return not_judged("no operation was started");
        }
        if view.procedure().first_done.is_some() {
            return unknown(
                "the procedure was done, and the removal of a temporary apiserver was not seen",
            );
        }
        if self.teardown.ever_ran() {
            let standing = names(self.teardown.standing());
            return not_judged(format!(
                "the bootstrap control plane was not removed (it stands on {standing})"
            ));
        }
        unknown("no temporary apiserver was seen")
    }
}

impl GuardHoldsAtTeardown {
    fn conclude(&mut self) {
        match self.acting.take() {
            Some(Ok(())) => self.guarded += 1,
            Some(Err(Lack::Found(found))) => {
                self.found.get_or_insert(found);
            }
            Some(Err(Lack::Unknown(what))) => {
                self.unknown.get_or_insert(what);
            }
            None => {}
        }
    }

    fn processes(&mut self, view: &View, seen: &Observation) {
        let (Sighting::NodeInventory(now), Source::Node(node)) = (&seen.saw, &seen.source) else {
            return;
        };
        for component in CONTROLLERS {
            let controller = self.controllers.entry(component).or_default();
            let self_hosted = now.runs(component, Incarnation::SelfHosted);
            put(&mut controller.self_hosted_on, node, self_hosted);
            controller.self_hosted_ever |= self_hosted;
            let bootstrap = now.runs(component, Incarnation::Bootstrap);
            let had = put(&mut controller.bootstrap_on, node, bootstrap);
            if bootstrap {
                controller.bootstrap_ever_on.insert(node.clone());
                controller.bootstrap_gone = None;
            } else if had && controller.bootstrap_on.is_empty() {
                controller.bootstrap_gone = Some(Reference::to(seen));
                controller.renewals_since = 0;
                controller.holder_then = view
                    .lease(component)
                    .and_then(|lease| lease.lease.value.holder.clone());
            }
        }
    }

    fn guard(&self, view: &View, act: &Act) -> Result<(), Lack> {
        let mut doubts = Vec::new();
        let pause_us = act.after.end_us.saturating_sub(act.before.end_us);
        if pause_us > ACT_MAX_US {
            let what = format!(
                "the observer on {} was silent for {} ms while the bootstrap control plane was removed",
                act.node,
                pause_us / 1_000
            );
            return Err(Lack::Unknown(what));
        }
        let mut lacks = apiservers(view, act, &mut doubts);
        lacks.extend(load_balancer(view, act, &mut doubts));
        for component in CONTROLLERS {
            lacks.extend(self.controller(view, act, component, &mut doubts));
        }
        if !lacks.is_empty() {
            let (words, mut witness): (Vec<_>, Vec<_>) = lacks.into_iter().unzip();
            witness.push(
                act.before
                    .witness("the temporary apiserver's manifest is there"),
            );
            witness.push(
                act.after
                    .witness("the temporary apiserver's manifest is gone"),
            );
            let what = format!(
                "the bootstrap control plane on {} was removed although {}",
                act.node,
                words.join(", and ")
            );
            return Err(Lack::Found(finding(what, act.after.end_us, witness)));
        }
        if doubts.is_empty() {
            Ok(())
        } else {
            Err(Lack::Unknown(doubts.join("; ")))
        }
    }

    /// Why the controller was not in new hands, with its witness.
    fn controller(
        &self,
        view: &View,
        act: &Act,
        component: Component,
        doubts: &mut Vec<String>,
    ) -> Option<(String, Witness)> {
        let empty = Controller::default();
        let controller = self.controllers.get(&component).unwrap_or(&empty);
        let Some(lease) = view.lease(component) else {
            doubts.push(format!("the lease of {component} was never read"));
            return None;
        };
        let read = &lease.lease;
        if act.after.end_us.saturating_sub(read.from.end_us) > CLUSTER_STALE_US {
            doubts.push(format!(
                "the lease of {component} was last read {} ms before the removal",
                act.after.end_us.saturating_sub(read.from.end_us) / 1_000
            ));
            return None;
        }
        let holder = read
            .value
            .holder
            .clone()
            .unwrap_or_else(|| "nobody".to_owned());
        let lack = |why: String| {
            Some((
                why,
                read.from
                    .witness(format!("the lease of {component} is held by {holder}")),
            ))
        };
        if read.value.holder.is_none() {
            return lack(format!("nobody held the lease of {component}"));
        }
        if controller.bootstrap_on.is_empty() {
            let renewed = controller.is_in_new_hands(&read.value, lease.renewed.start_us);
            return if renewed {
                None
            } else {
                lack(format!(
                    "the lease of {component} was not renewed since its bootstrap process had gone"
                ))
            };
        }
        let only_bootstrap = read.value.holder_node.as_ref().is_some_and(|node| {
            controller.bootstrap_on.contains(node) && !controller.self_hosted_on.contains(node)
        });
        if controller.early_holders.contains(&holder)
            || only_bootstrap
            || !controller.self_hosted_ever
        {
            return lack(format!("the bootstrap {component} still held the lease"));
        }
        None
    }
}

impl Controller {
    fn lease(&mut self, seen: &Observation, lease: &Lease) {
        if let Some(holder) = &lease.holder
            && !self.self_hosted_ever
        {
            self.early_holders.insert(holder.clone());
        }
        let since = self
            .bootstrap_gone
            .as_ref()
            .is_some_and(|gone| seen.start_us > gone.start_us);
        if since && lease.renewed != self.renewed {
            self.renewals_since += 1;
        }
        self.renewed.clone_from(&lease.renewed);
    }

    /// Whether somebody renewed the lease after the last bootstrap process had gone. What that one wrote
    /// last may be read after its end, so a holder that it may have been must have renewed twice.
    fn is_in_new_hands(&self, lease: &Lease, renewed_us: u64) -> bool {
        let Some(gone) = &self.bootstrap_gone else {
            return true;
        };
        let node = lease.holder_node.as_ref();
        let was_bootstrap = self.holder_then == lease.holder
            && node.is_none_or(|node| self.bootstrap_ever_on.contains(node));
        let least = if was_bootstrap { 2 } else { 1 };
        renewed_us > gone.start_us && self.renewals_since >= least
    }
}

/// How many nodes can host. Empty machines in the places of lost nodes host nothing before they have joined. Once a
/// majority of etcd's disks is lost, a node without power belongs to no cluster that anybody could bring back.
fn hosts(view: &View) -> u32 {
    let mut hosts = view.equipped_control_plane();
    let all = view.control_plane().len();
    if view.faults().etcd_lost_us(all, view.now_us()).is_some() {
        hosts.retain(|node| !view.faults().is_off(node, view.now_us()));
    }
    hosts.len() as u32
}

/// Why too few apiservers were verified, with a witness; what is not known goes to `doubts`.
fn apiservers(view: &View, act: &Act, doubts: &mut Vec<String>) -> Vec<(String, Witness)> {
    let wanted = view.case().map_or(1, |case| case.guard_instances);
    let wanted = wanted.min(hosts(view).max(1));
    let mut verified = Vec::new();
    let mut silent = Vec::new();
    for node in view.living_control_plane() {
        let source = Source::Apiserver(node.clone());
        if !view.is_asked(&source) {
            silent.push(node);
            continue;
        }
        let Some(server) = view.server(&source) else {
            continue;
        };
        let by = Some((node.clone(), Incarnation::SelfHosted));
        let served = server.acknowledged.get(&by).is_some_and(|last| {
            last.end_us + SERVING_US >= act.before.end_us && server.failures < FAILURES
        });
        if served {
            verified.push(node);
        }
    }
    let count = verified.len() as u32;
    if count >= wanted {
        return Vec::new();
    }
    if count + silent.len() as u32 >= wanted {
        doubts.push(format!("{count} self-hosted apiservers served and {wanted} are needed, and nobody asked those on {}", names(silent)));
        return Vec::new();
    }
    let why = format!(
        "{count} self-hosted apiservers were verified ({}) and {wanted} are needed",
        names(verified)
    );
    vec![(why.clone(), act.after.witness(why))]
}

/// Why the load balancer listed no self-hosted apiserver, with a witness.
fn load_balancer(view: &View, act: &Act, doubts: &mut Vec<String>) -> Option<(String, Witness)> {
    if !view.is_asked(&Source::LoadBalancer) {
        doubts.push("nobody asked the load balancer".to_owned());
        return None;
    }
    let mut behind = view.server(&Source::LoadBalancer)?.acknowledged.iter();
    let listed = behind.any(|(by, last)| {
        let self_hosted =
            |(_, incarnation): &(NodeId, Incarnation)| *incarnation == Incarnation::SelfHosted;
        by.as_ref().is_some_and(self_hosted) && last.end_us + LISTED_US >= act.before.end_us
    });
    let why = "no self-hosted apiserver answered through the load balancer";
    (!listed).then(|| (why.to_owned(), act.after.witness(why)))
}

/// Puts a node into a set or takes it out; says whether it was in.
fn put(set: &mut BTreeSet<NodeId>, node: &NodeId, belongs: bool) -> bool {
    if belongs {
        !set.insert(node.clone())
    } else {
        set.remove(node)
    }
}
