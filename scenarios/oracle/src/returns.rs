//! What a loss cost: how long the return took, and how many acknowledged writes are gone.
//!
//! The return counts from the last heal, from the proof that rebooted control-plane nodes run again, or from
//! the proof of a fault that took every instance of a component. Whatever comes later begins it anew, so that the
//! figures are those of the last loss. It has three parts: the first write acknowledged through the load balancer,
//! everything self-hosted again, and as many instances as are wanted without any copy of a checkpoint.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Component, Fault, Incarnation, NodeId};

use crate::faults::FaultSeen;
use crate::figures::{all_serve, is_complete};
use crate::invariants::loss::{Arrivals, STATUS_US};
use crate::observation::{
    NodeInventory, Observation, PodStatus, ProcessId, ReadBack, RequestKind, RequestOutcome,
    Sighting, Source,
};
use crate::view::View;

/// The figures of the return from the last loss; a part that was not seen is absent.
#[derive(Default)]
pub(crate) struct Returns {
    arrivals: Arrivals,
    /// Apiservers whose pods were deleted and which still run: what they answer is no return.
    deleted: BTreeSet<(NodeId, ProcessId)>,
    deleted_gone_us: u64,
    api: Part,
    control_plane: Part,
    redundancy: Part,
}

/// One part of a return: from when it counts, and how long it took.
#[derive(Default)]
struct Part {
    since_us: Option<u64>,
    took_us: Option<u64>,
}

impl Part {
    /// A later loss begins it anew.
    fn count_from(&mut self, since_us: Option<u64>) {
        if self.since_us != since_us {
            *self = Self {
                since_us,
                took_us: None,
            };
        }
    }

    fn back(&mut self, at_us: u64) {
        if let Some(since_us) = self.since_us {
            self.took_us.get_or_insert(at_us.saturating_sub(since_us));
        }
    }
}

impl Returns {
    /// By name with the unit last.
    pub(crate) fn all(&self) -> [(&'static str, Option<u64>); 3] {
        let milliseconds = |part: &Part| part.took_us.map(|us| us / 1_000);
        [
            ("api_return_ms", milliseconds(&self.api)),
            ("control_plane_return_ms", milliseconds(&self.control_plane)),
            ("redundancy_restored_ms", milliseconds(&self.redundancy)),
        ]
    }

    /// Takes in the next observation, which `view` has taken in.
    pub(crate) fn observe(&mut self, view: &View, seen: &Observation) {
        for fault in self.arrivals.next(view, seen) {
            if takes_all(view, &fault, Component::KubeApiserver)
                && matches!(fault.value.fault, Fault::Delete(_))
            {
                self.deleted = apiservers(view);
            }
        }
        match (&seen.source, &seen.saw) {
            (Source::LoadBalancer, Sighting::Request(request)) => {
                // Pods cannot be read while nobody answers, but everything counts anew.
                self.count_from(view, seen.start_us);
                let write = matches!(request.kind, RequestKind::Write(_));
                let acknowledged = matches!(request.outcome, RequestOutcome::Acknowledged { .. });
                let is_new = self.deleted.is_empty() && seen.start_us >= self.deleted_gone_us;
                if write && acknowledged && is_new {
                    self.api.back(seen.end_us);
                }
            }
            (_, Sighting::Pods(pods)) => self.pods(view, seen, pods),
            (Source::Node(node), Sighting::NodeInventory(now)) => self.ended(node, now, seen),
            _ => {}
        }
    }

    /// The last loss before an instant, and for the redundancy any other disruption.
    fn count_from(&mut self, view: &View, before_us: u64) {
        let lost_us = lost_us(view, before_us);
        self.api.count_from(lost_us);
        self.control_plane.count_from(lost_us);
        let disrupted_us = disrupted_us(view, before_us);
        self.redundancy.count_from(lost_us.max(disrupted_us));
    }

    fn pods(&mut self, view: &View, seen: &Observation, pods: &[PodStatus]) {
        self.count_from(view, seen.start_us);
        // The status of a pod whose node was off, or whose process was killed, lags behind.
        let is_told = |part: &Part| {
            part.since_us
                .is_some_and(|us| seen.start_us >= us + STATUS_US)
        };
        if !is_complete(view, pods) || !all_serve(view) {
            return;
        }
        if is_told(&self.control_plane) {
            self.control_plane.back(seen.end_us);
        }
        if is_told(&self.redundancy) && no_copy_is_left(view) {
            self.redundancy.back(seen.end_us);
        }
    }

    fn ended(&mut self, node: &NodeId, now: &NodeInventory, seen: &Observation) {
        if self.deleted.is_empty() {
            return;
        }
        let runs = |id: &ProcessId| now.processes.iter().any(|process| process.id == *id);
        self.deleted.retain(|(of, id)| of != node || runs(id));
        self.deleted_gone_us = seen.end_us;
    }
}

/// When the last loss before an instant was over, so that a return could begin.
fn lost_us(view: &View, before_us: u64) -> Option<u64> {
    let heals = view.faults().heals().iter().map(|heal| heal.from.end_us);
    let is_loss = |fault: &&FaultSeen| match fault.value.fault {
        Fault::Reboot(_) => fault.value.targets.iter().any(NodeId::is_control_plane),
        _ => Component::SELF_HOSTED
            .into_iter()
            .any(|component| takes_all(view, fault, component)),
    };
    let losses = view.faults().before(before_us).filter(is_loss);
    heals
        .chain(losses.map(|fault| fault.from.end_us))
        .filter(|end_us| *end_us <= before_us)
        .max()
}

/// When the last fault before an instant was proven that needs no heal and disrupts the cluster.
fn disrupted_us(view: &View, before_us: u64) -> Option<u64> {
    let faults = view.faults().before(before_us);
    let disruptive = faults.filter(|fault| {
        !fault.value.fault.is_lasting() && !matches!(fault.value.fault, Fault::KillInstaller(_))
    });
    disruptive
        .map(|fault| fault.from.end_us)
        .filter(|end_us| *end_us <= before_us)
        .max()
}

/// Whether a fault killed or deleted as many instances of the component as are wanted.
fn takes_all(view: &View, fault: &FaultSeen, component: Component) -> bool {
    let wanted = view.case().map_or(1, |case| case.wanted_instances as usize);
    let hit = match &fault.value.fault {
        Fault::Kill(kill) if kill.component == component => fault.value.targets.len(),
        Fault::Delete(_) => {
            let names = fault.value.objects.iter();
            names
                .filter(|object| object.contains(component.name()))
                .count()
        }
        _ => 0,
    };
    hit >= wanted
}

fn apiservers(view: &View) -> BTreeSet<(NodeId, ProcessId)> {
    let mut all = BTreeSet::new();
    for node in view.living_control_plane() {
        let processes = view.last_processes(node, Component::KubeApiserver);
        let deleted =
            processes.filter(|process| process.incarnation == Some(Incarnation::SelfHosted));
        all.extend(deleted.map(|process| (node.clone(), process.id)));
    }
    all
}

/// Whether every control-plane node with power is known to have no copy, and no manifest of one.
fn no_copy_is_left(view: &View) -> bool {
    view.living_control_plane().into_iter().all(|node| {
        view.inventory(node).is_some_and(|latest| {
            let now = &latest.value;
            let is_copied =
                |component| now.has_copy(component) || now.runs(component, Incarnation::Checkpoint);
            !Component::SELF_HOSTED.into_iter().any(is_copied)
        })
    })
}

/// How many acknowledged writes are missing when they are read back, once something was done to the cluster.
#[derive(Default)]
pub(crate) struct Losses {
    acknowledged: BTreeMap<u64, u64>,
    /// By the last read.
    pub(crate) count: Option<u64>,
}

impl Losses {
    /// Takes in the next observation, which `view` has taken in.
    pub(crate) fn observe(&mut self, view: &View, seen: &Observation) {
        match &seen.saw {
            Sighting::Request(request) => {
                if let (RequestKind::Write(key), RequestOutcome::Acknowledged { .. }) =
                    (&request.kind, &request.outcome)
                {
                    self.acknowledged.insert(*key, seen.end_us);
                }
            }
            Sighting::ReadBack(read) => self.read(view, seen, read),
            _ => {}
        }
    }

    fn read(&mut self, view: &View, seen: &Observation, read: &ReadBack) {
        let harmless = |fault: &FaultSeen| matches!(fault.value.fault, Fault::KillInstaller(_));
        if view.faults().before(seen.start_us).all(harmless) {
            return;
        }
        let lost = self.acknowledged.iter().filter(|(key, acknowledged_us)| {
            **acknowledged_us < seen.start_us && !read.keys.contains(key)
        });
        self.count = Some(lost.count() as u64);
    }
}
