//! L6 to L9: after a great loss the API serves again within `api_return`, and everything is self-hosted
//! again within `control_plane_return`.
//!
//! Losses, each an invariant of its own: control-plane nodes without power (L6), all apiserver pods
//! deleted (L7), all schedulers or all controller managers lost while the API lives (L8), every process of the
//! control plane killed (L9). Judged once the procedure was done. A loss of power before that must be followed by the
//! API alone, if writes had been acknowledged: nothing is self-hosted as yet. The time counts from the moment when the last
//! control-plane node has power again, or from the proof of the fault, and begins anew with every fault or heal
//! of nodes. Back is the API with an acknowledged write through the load balancer, and the
//! control plane when the wanted pods of each component are ready in a reading that began three seconds
//! after the loss, with none of those that were deleted, every wanted self-hosted apiserver serves, both controllers'
//! leases were renewed since, and no copy from a checkpoint lies in a kubelet's directory. A cluster that does not settle after such a loss violates it too.

use std::collections::BTreeSet;

use terms::{Component, Fault, Resource};

use super::loss::{Arrivals, Owner, STATUS_US, unsettled};
use super::{Invariant, finding, not_judged, unknown};
use crate::faults::FaultSeen;
use crate::observation::{Observation, PodStatus, RequestKind, RequestOutcome, Sighting, Source};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// The budgets that these invariants read.
const API: &str = "api_return";
const CONTROL_PLANE: &str = "control_plane_return";

/// What was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Power,
    Apiservers,
    Controllers,
    Processes,
}

struct ControlPlaneReturns {
    kind: Kind,
    arrivals: Arrivals,
    pods: Vec<PodStatus>,
    /// Whether a write was ever acknowledged.
    served: bool,
    loss: Option<Loss>,
    returned: u64,
    not_judged: Option<String>,
    found: Option<Finding>,
}

/// A loss whose return is waited for.
struct Loss {
    fault: FaultSeen,
    /// From when the time counts; nothing while a control-plane node is without power.
    since: Option<Reference>,
    /// Pods that were there when they were deleted.
    deleted: BTreeSet<String>,
    api_back: bool,
    /// The procedure was done, so that everything must be self-hosted again.
    was_done: bool,
}

/// L6.
pub(crate) fn after_power_loss() -> Box<dyn Invariant> {
    monitor(Kind::Power)
}

/// L7.
pub(crate) fn after_apiserver_deletion() -> Box<dyn Invariant> {
    monitor(Kind::Apiservers)
}

/// L8.
pub(crate) fn after_controller_deletion() -> Box<dyn Invariant> {
    monitor(Kind::Controllers)
}

/// L9.
pub(crate) fn after_process_loss() -> Box<dyn Invariant> {
    monitor(Kind::Processes)
}

fn monitor(kind: Kind) -> Box<dyn Invariant> {
    Box::new(ControlPlaneReturns {
        kind,
        arrivals: Arrivals::default(),
        pods: Vec::new(),
        served: false,
        loss: None,
        returned: 0,
        not_judged: None,
        found: None,
    })
}

impl Invariant for ControlPlaneReturns {
    fn observe(&mut self, view: &View, seen: &Observation) {
        for fault in self.arrivals.next(view, seen) {
            self.fault(view, fault);
        }
        if let Sighting::Pods(pods) = &seen.saw
            && !view.repeats()
        {
            self.pods.clone_from(pods);
        }
        self.served |= is_acknowledged_write(seen);
        // Most of the time there is none, and taking one out moves it.
        if self.loss.is_none() {
            return;
        }
        let Some(mut loss) = self.loss.take() else {
            return;
        };
        if let Some(unsettled) = unsettled(view, seen, Owner::ControlPlane) {
            self.found.get_or_insert(unsettled);
        }
        loss.count(view, seen);
        loss.api_back |= loss.since.is_some() && is_acknowledged_write(seen);
        let all = !loss.was_done || loss.is_complete(view, seen, &self.pods);
        if loss.api_back && all {
            self.returned += 1;
            return;
        }
        if self.found.is_none() {
            self.found = loss.overdue(view, seen);
        }
        self.loss = Some(loss);
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        let is_judged = view.budget_us(API).is_some() && view.budget_us(CONTROL_PLANE).is_some();
        if let (true, Some(loss)) = (is_judged, &self.loss) {
            return unknown(format!(
                "the record ends before the control plane was seen to be back after `{}`, within its budgets",
                loss.fault.value.fault.key()
            ));
        }
        if self.returned == 0 && self.loss.is_none() {
            let why = self.not_judged.clone();
            return not_judged(why.unwrap_or_else(|| self.kind.nothing_lost().to_owned()));
        }
        if !is_judged {
            return not_judged(format!("the budget `{API}` or `{CONTROL_PLANE}` is none"));
        }
        Judgement::Holds
    }
}

impl ControlPlaneReturns {
    fn fault(&mut self, view: &View, fault: FaultSeen) {
        let together = |loss: &Loss| loss.fault.value.entry == fault.value.entry;
        if !self.is_loss(view, &fault) {
            // What is struck together is one loss.
            if self.loss.as_ref().is_some_and(together) {
                return;
            }
            // What another fault takes away is not this loss's to bring back.
            if self.loss.take().is_some() {
                let key = fault.value.fault.key();
                self.not_judged = Some(format!("`{key}` came before everything was back"));
            }
            return;
        }
        let was_done = view.procedure().first_done.is_some();
        if !was_done && !(self.kind == Kind::Power && self.served) {
            self.not_judged = Some("the loss came before the procedure was done".to_owned());
            return;
        }
        let deleted = match &fault.value.fault {
            Fault::Delete(_) => self.pods.iter().filter(|pod| is_hit(pod, &fault)).collect(),
            _ => Vec::new(),
        };
        self.loss = Some(Loss {
            deleted: deleted.into_iter().map(|pod| pod.uid.clone()).collect(),
            fault,
            since: None,
            api_back: false,
            was_done,
        });
    }

    fn is_loss(&self, view: &View, fault: &FaultSeen) -> bool {
        match (self.kind, &fault.value.fault) {
            (Kind::Power, Fault::PowerOff(_) | Fault::Reboot(_)) => fault
                .value
                .targets
                .iter()
                .any(terms::NodeId::is_control_plane),
            (Kind::Apiservers, Fault::Delete(_)) => {
                self.deletes_all(Component::KubeApiserver, fault)
            }
            (Kind::Controllers, Fault::Delete(_)) => {
                self.deletes_all(Component::KubeControllerManager, fault)
                    || self.deletes_all(Component::KubeScheduler, fault)
            }
            (Kind::Controllers, Fault::Kill(kill)) => {
                kill.component != Component::KubeApiserver
                    && Component::SELF_HOSTED.contains(&kill.component)
                    && is_everywhere(view, fault)
            }
            (Kind::Processes, Fault::Kill(kill)) => {
                kill.component == Component::KubeApiserver && is_everywhere(view, fault)
            }
            _ => false,
        }
    }

    /// Whether every pod of the component that was there was deleted.
    fn deletes_all(&self, component: Component, fault: &FaultSeen) -> bool {
        let Fault::Delete(delete) = &fault.value.fault else {
            return false;
        };
        let mut own = self
            .pods
            .iter()
            .filter(|pod| pod.component == component && !pod.terminating);
        let count = own.clone().count();
        let named = fault.value.objects.iter();
        let hits = named
            .filter(|object| object.contains(component.name()))
            .count();
        delete.kind == Resource::Pod && own.next().is_some() && hits >= count
    }
}

/// Whether the fault hit every control-plane node.
fn is_everywhere(view: &View, fault: &FaultSeen) -> bool {
    let mut nodes = view.control_plane().into_iter();
    nodes.all(|node| fault.value.targets.contains(node))
}

/// Whether the deletion hit a pod of this component.
fn is_hit(pod: &PodStatus, fault: &FaultSeen) -> bool {
    let named = |object: &String| object.contains(pod.component.name());
    fault.value.objects.iter().any(named)
}

impl Kind {
    const fn nothing_lost(self) -> &'static str {
        match self {
            Self::Power => "no control-plane node lost its power",
            Self::Apiservers => "not all apiserver pods were deleted at once",
            Self::Controllers => {
                "neither all schedulers nor all controller managers were lost at once"
            }
            Self::Processes => "no apiserver was killed on every control-plane node at once",
        }
    }
}

impl Loss {
    /// The time counts from the last heal, or from the fault where nothing needs to be healed.
    fn count(&mut self, view: &View, seen: &Observation) {
        let is_off = |node| view.faults().is_off(node, seen.start_us);
        if view.control_plane().into_iter().any(is_off) || seen.start_us < self.fault.from.end_us {
            self.since = None;
            return;
        }
        if self.since.is_none() {
            let heals = view.faults().heals().iter();
            let last = heals
                .filter(|heal| heal.from.end_us <= seen.start_us)
                .max_by_key(|heal| heal.from.end_us)
                .filter(|heal| heal.from.end_us >= self.fault.from.end_us);
            let since = last.map_or_else(|| self.fault.from.clone(), |heal| heal.from.clone());
            self.since = Some(since);
            self.api_back = false;
        }
    }

    fn is_complete(&self, view: &View, seen: &Observation, pods: &[PodStatus]) -> bool {
        let (Some(since), Sighting::Pods(_)) = (&self.since, &seen.saw) else {
            return false;
        };
        let gone = pods.iter().all(|pod| !self.deleted.contains(&pod.uid));
        seen.start_us >= since.end_us + STATUS_US
            && gone
            && crate::figures::is_complete(view, pods)
            && crate::figures::all_serve(view)
            && are_led(view, since)
            && copies(view).is_empty()
    }

    fn overdue(&self, view: &View, seen: &Observation) -> Option<Finding> {
        let since = self.since.as_ref()?;
        // When nobody could be asked nothing is known.
        if !view.is_asked(&Source::LoadBalancer) {
            return None;
        }
        let length_us = seen.end_us.saturating_sub(since.end_us);
        let late = |name: &str| {
            view.budget_us(name)
                .filter(|budget_us| length_us > *budget_us)
        };
        let what = if let (false, Some(budget_us)) = (self.api_back, late(API)) {
            format!("no write was acknowledged within {}", seconds(budget_us))
        } else if let (true, Some(budget_us)) = (self.was_done, late(CONTROL_PLANE)) {
            format!(
                "not everything was self-hosted again within {}",
                seconds(budget_us)
            )
        } else {
            return None;
        };
        let what = format!("after `{}`, {what}", self.fault.value.fault.key());
        let copies = copies(view);
        let witness = vec![
            self.fault.from.witness("the loss"),
            since.witness("from when the time counts"),
            Reference::to(seen).witness(format!("copies that stand in: {}", super::names(copies))),
        ];
        Some(finding(what, seen.end_us, witness))
    }
}

/// Whether both controllers' leases were renewed since then: ready candidates without a leader do nothing.
fn are_led(view: &View, since: &Reference) -> bool {
    let controllers = [Component::KubeControllerManager, Component::KubeScheduler];
    controllers.into_iter().all(|lock| {
        view.lease(lock)
            .is_some_and(|lease| lease.renewed.end_us > since.end_us)
    })
}

fn is_acknowledged_write(seen: &Observation) -> bool {
    let Sighting::Request(request) = &seen.saw else {
        return false;
    };
    seen.source == Source::LoadBalancer
        && matches!(request.kind, RequestKind::Write(_))
        && matches!(request.outcome, RequestOutcome::Acknowledged { .. })
}

/// Copies from checkpoints that lie in a kubelet's directory.
fn copies(view: &View) -> Vec<String> {
    let mut found = Vec::new();
    for node in view.control_plane() {
        let Some(latest) = view.last_inventory(node) else {
            continue;
        };
        for component in Component::SELF_HOSTED {
            if latest.value.has_copy(component) {
                found.push(format!("{component} on {node}"));
            }
        }
    }
    found
}
