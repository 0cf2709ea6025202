//! L4: one instance that is deleted or killed is replaced within `redundancy_restored`.
//!
//! Killed, on one node: another process of the same component and incarnation runs there (or, for a checkpoint's
//! copy, its parent). Once the
//! procedure was done, the wanted number of ready self-hosted pods must also be read, in a reading that
//! began three seconds after that, when the pod's status has caught up. Deleted, one pod: a reading after
//! it has the wanted number of ready pods of each component without the deleted one. The time counts from
//! the proof of the latest fault or heal, and stands still while a node is off. A fault against several
//! instances is not judged here. A cluster that does not settle after such a fault violates this as well.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Component, Fault, Incarnation, NodeId, Resource};

use super::loss::{Arrivals, Owner, STATUS_US, unsettled};
use super::{Invariant, finding, not_judged, unknown};
use crate::faults::FaultSeen;
use crate::observation::{NodeInventory, Observation, PodStatus, ProcessId, Sighting, Source};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::{CLUSTER_STALE_US, View};

/// The budget that this invariant reads.
const BUDGET: &str = "redundancy_restored";

/// What must come back.
enum Lost {
    /// Processes on a node, by incarnation.
    Processes(
        NodeId,
        Component,
        BTreeMap<Option<Incarnation>, BTreeSet<ProcessId>>,
    ),
    /// A pod of a component, among these.
    Pod(Component, BTreeSet<String>),
}

struct Loss {
    lost: Lost,
    fault: FaultSeen,
    /// Whether self-hosted pods must be complete, which they are once the procedure was done.
    complete: bool,
    process_back: Option<Reference>,
}

#[derive(Default)]
struct LostInstanceReturns {
    arrivals: Arrivals,
    pods: Vec<PodStatus>,
    kubelets: BTreeMap<NodeId, ProcessId>,
    processes: BTreeMap<NodeId, NodeInventory>,
    open: Vec<Loss>,
    returned: u64,
    not_judged: Option<String>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<LostInstanceReturns>::default()
}

impl Invariant for LostInstanceReturns {
    fn observe(&mut self, view: &View, seen: &Observation) {
        for fault in self.arrivals.next(view, seen) {
            self.fault(view, &fault);
        }
        match (&seen.saw, &seen.source) {
            (Sighting::NodeInventory(now), Source::Node(node)) => {
                for loss in &mut self.open {
                    loss.inventory(view, seen, node, now);
                }
                if !view.repeats() {
                    self.processes.insert(node.clone(), now.clone());
                }
                self.kubelets
                    .extend(now.kubelet.map(|kubelet| (node.clone(), kubelet)));
            }
            (Sighting::Pods(pods), _) if !view.repeats() => self.pods.clone_from(pods),
            _ => {}
        }
        let open = self.open.len();
        self.open.retain(|loss| !loss.is_over(view, seen));
        self.returned += (open - self.open.len()) as u64;
        if let Some(unsettled) = unsettled(view, seen, Owner::Instance) {
            self.found.get_or_insert(unsettled);
        }
        if !self.open.is_empty()
            && let Some(budget_us) = view.budget_us(BUDGET)
        {
            self.judge(view, seen, budget_us);
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if view.budget_us(BUDGET).is_none() {
            return not_judged(format!("the budget `{BUDGET}` is none"));
        }
        if let Some(loss) = self.open.first() {
            return unknown(format!(
                "the record ends before {} was seen to be back, within its budget",
                loss.lost.name()
            ));
        }
        if self.returned == 0 {
            let why = self.not_judged.clone();
            return not_judged(
                why.unwrap_or_else(|| "no instance was deleted or killed".to_owned()),
            );
        }
        Judgement::Holds
    }
}

impl LostInstanceReturns {
    fn fault(&mut self, view: &View, fault: &FaultSeen) {
        let began_us = fault.from.start_us;
        let complete = view
            .procedure()
            .first_done
            .as_ref()
            .is_some_and(|done| done.end_us <= began_us);
        let lost = match (&fault.value.fault, fault.value.targets.as_slice()) {
            (Fault::Kill(kill), [node]) => self.processes_of(node, kill.component),
            (Fault::Delete(delete), _) if delete.kind == Resource::Pod => {
                self.pod_of(&fault.value.objects)
            }
            (Fault::Kill(_), _) => Err("more than one instance was killed at once".to_owned()),
            _ => return,
        };
        match lost {
            Ok(lost) => self.open.push(Loss {
                lost,
                fault: fault.clone(),
                complete,
                process_back: None,
            }),
            Err(why) => self.not_judged = Some(why),
        }
    }

    fn processes_of(&self, node: &NodeId, component: Component) -> Result<Lost, String> {
        let mut lost: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        if component == Component::Kubelet {
            let kubelet = self.kubelets.get(node).copied();
            lost.insert(None, kubelet.into_iter().collect());
        }
        for process in self
            .processes
            .get(node)
            .iter()
            .flat_map(|inventory| &inventory.processes)
        {
            if process.component == component {
                lost.entry(process.incarnation)
                    .or_default()
                    .insert(process.id);
            }
        }
        if lost.is_empty() {
            return Err(format!("no process of {component} had been seen on {node}"));
        }
        Ok(Lost::Processes(node.clone(), component, lost))
    }

    fn pod_of(&self, objects: &[String]) -> Result<Lost, String> {
        let [object] = objects else {
            return Err("more than one object was deleted at once".to_owned());
        };
        let component = Component::SELF_HOSTED
            .into_iter()
            .find(|component| object.contains(component.name()));
        let Some(component) = component else {
            return Err(format!(
                "{object} is no pod of the control plane that is watched"
            ));
        };
        let of_it = self
            .pods
            .iter()
            .filter(|pod| pod.component == component && !pod.terminating);
        Ok(Lost::Pod(
            component,
            of_it.map(|pod| pod.uid.clone()).collect(),
        ))
    }

    fn judge(&mut self, view: &View, seen: &Observation, budget_us: u64) {
        let Some(loss) = self.open.first() else {
            return;
        };
        // It cannot be late yet: the budget counts from the loss at the earliest.
        if seen.end_us.saturating_sub(loss.fault.from.start_us) <= budget_us {
            return;
        }
        if view
            .control_plane()
            .iter()
            .any(|node| view.faults().is_off(node, seen.end_us))
        {
            return;
        }
        let since_us = loss.since_us(view);
        let read = view
            .pods()
            .is_some_and(|pods| pods.fresh(seen.end_us, CLUSTER_STALE_US).is_some());
        // When nobody could be asked nothing is known; when nobody answered it is not back.
        let known = read || view.is_asked(&Source::LoadBalancer);
        if seen.end_us.saturating_sub(since_us) <= budget_us || !known {
            return;
        }
        let what = format!(
            "{} was not replaced within {}",
            loss.lost.name(),
            seconds(budget_us)
        );
        let witness = vec![
            loss.fault
                .from
                .witness(format!("its loss: {}", loss.fault.value.objects.join(", "))),
            Reference::to(seen).witness(loss.missing(view)),
        ];
        let found = finding(what, seen.end_us, witness);
        self.found.get_or_insert(found);
    }
}

impl Lost {
    fn name(&self) -> String {
        match self {
            Self::Processes(node, component, _) => format!("the killed {component} on {node}"),
            Self::Pod(component, _) => format!("the deleted pod of {component}"),
        }
    }
}

impl Loss {
    fn inventory(&mut self, view: &View, seen: &Observation, node: &NodeId, now: &NodeInventory) {
        let Lost::Processes(of, component, lost) = &self.lost else {
            return;
        };
        if of != node || seen.start_us < self.fault.from.start_us || self.process_back.is_some() {
            return;
        }
        let back = lost.iter().all(|(incarnation, ids)| {
            // A temporary instance need not come back once it is no longer needed.
            let temporary = *incarnation == Some(Incarnation::Bootstrap)
                && view.procedure().first_done.is_some();
            // Nor need a checkpoint's copy whose parent runs.
            let copy = *incarnation == Some(Incarnation::Checkpoint)
                && now.runs(*component, Incarnation::SelfHosted);
            let dispensable = temporary || copy;
            let kubelet = *component == Component::Kubelet
                && now.kubelet.is_some_and(|id| !ids.contains(&id));
            let process = now.processes.iter().any(|process| {
                process.component == *component
                    && process.incarnation == *incarnation
                    && !ids.contains(&process.id)
            });
            dispensable || kubelet || process
        });
        if back {
            self.process_back = Some(Reference::to(seen));
        }
    }

    fn is_over(&self, view: &View, seen: &Observation) -> bool {
        match (&self.lost, &seen.saw) {
            (Lost::Processes(_, component, _), saw) => {
                let Some(back) = &self.process_back else {
                    return false;
                };
                if !self.complete || !Component::SELF_HOSTED.contains(component) {
                    return true;
                }
                let Sighting::Pods(pods) = saw else {
                    return false;
                };
                seen.start_us >= back.end_us + STATUS_US && is_complete(view, pods)
            }
            (Lost::Pod(component, before), Sighting::Pods(pods)) => {
                let now: BTreeSet<_> = pods
                    .iter()
                    .filter(|pod| pod.component == *component && !pod.terminating)
                    .map(|pod| &pod.uid)
                    .collect();
                let gone = before.iter().any(|uid| !now.contains(uid));
                seen.start_us >= self.fault.from.end_us && gone && is_complete(view, pods)
            }
            _ => false,
        }
    }

    /// From when the budget counts: the latest fault or heal since the loss.
    fn since_us(&self, view: &View) -> u64 {
        let began_us = self.fault.from.start_us;
        let now_us = view.now_us();
        let faults = view
            .faults()
            .between(began_us, now_us)
            .map(|fault| fault.from.end_us);
        let heals = view.faults().heals().iter().map(|heal| heal.from.end_us);
        faults
            .chain(heals.filter(|end_us| (began_us..=now_us).contains(end_us)))
            .max()
            .unwrap_or(began_us)
    }

    fn missing(&self, view: &View) -> String {
        if let (Lost::Processes(..), None) = (&self.lost, &self.process_back) {
            return "no new process of it is there".to_owned();
        }
        let empty = Vec::new();
        let pods = view.pods().map_or(&empty, |pods| &pods.value);
        let counts = Component::SELF_HOSTED
            .map(|component| format!("{component} {}", ready(pods, component)));
        format!("ready pods: {}", counts.join(", "))
    }
}

fn is_complete(view: &View, pods: &[PodStatus]) -> bool {
    let wanted = view.case().map_or(1, |case| case.wanted_instances as usize);
    Component::SELF_HOSTED
        .into_iter()
        .all(|component| ready(pods, component) >= wanted)
}

fn ready(pods: &[PodStatus], component: Component) -> usize {
    let is_it = |pod: &&PodStatus| {
        pod.component == component
            && pod.incarnation == Incarnation::SelfHosted
            && pod.ready
            && !pod.terminating
    };
    pods.iter().filter(is_it).count()
}
