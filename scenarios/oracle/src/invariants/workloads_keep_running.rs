//! S30: while the control plane is down, pods and Services on untouched nodes go on working.
//!
//! Down: no write was acknowledged for five seconds, and several failed. What counts is what nodes that no fault
//! of the case hits showed of a user's workload when the last write before that was acknowledged. From then until
//! 30 s after the next acknowledged write, for a control plane that returns may throw out what it takes for lost:
//! each container that was there is there and was not started again, and a Service that answered is not silent.

use std::collections::BTreeMap;

use terms::NodeId;

use super::{Invariant, finding, not_judged, unknown};
use crate::observation::{
    Answering, Observation, RequestKind, RequestOutcome, Sighting, Source, WorkloadSeen,
};
use crate::reference::{Latest, Reference};
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// What is shorter is a hand-over between apiservers.
const DOWN_US: u64 = 5_000_000;
/// As many failed writes say that it was the API and not the prober.
const FAILED_WRITES: u64 = 3;
/// How long after its return the control plane is watched.
const RETURN_US: u64 = 30_000_000;

#[derive(Default)]
struct WorkloadsKeepRunning {
    /// What nodes showed when the last write was acknowledged while all was well.
    steady: BTreeMap<NodeId, Latest<WorkloadSeen>>,
    /// What they showed since.
    latest: BTreeMap<NodeId, Latest<WorkloadSeen>>,
    /// The last acknowledged write.
    acknowledged: Option<Reference>,
    failed: u64,
    down: bool,
    /// Until when a control plane that has returned is watched.
    until_us: Option<u64>,
    /// What went wrong first since writes failed; it counts once it is certain that the control plane is down.
    broken: Option<Finding>,
    judged: u64,
    unknown: Option<String>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<WorkloadsKeepRunning>::default()
}

impl Invariant for WorkloadsKeepRunning {
    fn observe(&mut self, view: &View, seen: &Observation) {
        if self
            .until_us
            .is_some_and(|until_us| view.now_us() > until_us)
        {
            self.look_back(view);
        }
        match &seen.saw {
            Sighting::Request(request)
                if seen.source == Source::LoadBalancer
                    && matches!(request.kind, RequestKind::Write(_)) =>
            {
                let acknowledged = matches!(request.outcome, RequestOutcome::Acknowledged { .. });
                self.written(view, seen, acknowledged);
            }
            Sighting::NodeInventory(now) => {
                if let (Source::Node(node), Some(workload)) = (&seen.source, &now.workload) {
                    self.look(view, seen, node, workload);
                }
            }
            Sighting::Gap(gap) if self.failed > 0 => {
                if let Source::Node(node) = &seen.source
                    && self.steady.contains_key(node)
                {
                    let why = format!("{node} was not seen meanwhile: {}", gap.reason);
                    self.unknown.get_or_insert(why);
                }
            }
            _ => {}
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        let unseen = self.unseen(view).filter(|_| self.down);
        if let Some(what) = self.unknown.clone().filter(|_| self.judged > 0).or(unseen) {
            return unknown(what);
        }
        if self.judged == 0 {
            return not_judged(
                "no untouched node ran a user's workload when the control plane went down",
            );
        }
        Judgement::Holds
    }
}

impl WorkloadsKeepRunning {
    fn written(&mut self, view: &View, seen: &Observation, acknowledged: bool) {
        if !acknowledged {
            self.failed += 1;
            self.until_us = None;
        }
        let last_us = self.acknowledged.as_ref().map(|last| last.end_us);
        let since_us = last_us.map_or(0, |last_us| seen.end_us.saturating_sub(last_us));
        let is_down = self.failed >= FAILED_WRITES && since_us >= DOWN_US;
        if is_down && !self.down && !self.steady.is_empty() {
            self.down = true;
            self.judged += 1;
        }
        self.conclude();
        if !acknowledged {
            return;
        }
        self.acknowledged = Some(Reference::to(seen));
        if self.down {
            let until_us = view.now_us() + RETURN_US;
            self.until_us.get_or_insert(until_us);
        } else {
            self.steady.append(&mut self.latest);
            self.forget();
        }
    }

    fn look(&mut self, view: &View, seen: &Observation, node: &NodeId, now: &WorkloadSeen) {
        if is_touched(view, node) {
            return;
        }
        if self.failed == 0 && !now.containers.is_empty() {
            Latest::renew(&mut self.latest, node, now, seen);
        }
        let Some(before) = self.steady.get(node) else {
            return;
        };
        if let Some(what) = worse(&before.value, now) {
            let what =
                format!("on {node}, which no fault hit, {what} while the control plane was down");
            let witness = vec![
                before.from.witness("so it was before"),
                Reference::to(seen).witness("so it was then"),
            ];
            let found = finding(what, seen.end_us, witness);
            self.broken.get_or_insert(found);
            self.conclude();
        }
    }

    /// What went wrong counts once the control plane is down for certain.
    fn conclude(&mut self) {
        if self.down && self.found.is_none() {
            self.found = self.broken.take();
        }
    }

    /// The time after the return is over.
    fn look_back(&mut self, view: &View) {
        if let Some(what) = self.unseen(view) {
            self.unknown.get_or_insert(what);
        }
        self.forget();
    }

    fn forget(&mut self) {
        (self.down, self.failed) = (false, 0);
        (self.broken, self.until_us) = (None, None);
    }

    /// A node that nobody has looked at lately.
    fn unseen(&self, view: &View) -> Option<String> {
        let mut nodes = self.steady.keys();
        let node = nodes.find(|node| view.inventory(node).is_none())?;
        Some(format!(
            "{node} was not seen after the control plane had gone down"
        ))
    }
}

/// Whether any fault of the case hits the node.
fn is_touched(view: &View, node: &NodeId) -> bool {
    let mut faults = view.faults().all().iter();
    faults.any(|fault| fault.value.targets.contains(node))
}

/// What is no longer as it was, if anything.
fn worse(before: &WorkloadSeen, now: &WorkloadSeen) -> Option<String> {
    for container in &before.containers {
        let is_it = |other: &&crate::observation::ContainerSeen| {
            (&other.pod, &other.name) == (&container.pod, &container.name)
        };
        let name = format!("container {} of pod {}", container.name, container.pod);
        match now.containers.iter().find(is_it) {
            None => return Some(format!("{name} vanished")),
            Some(other) if other.starts > container.starts => {
                return Some(format!("{name} was started again"));
            }
            Some(_) => {}
        }
    }
    let fell_silent = before.service == Answering::Answers && now.service == Answering::Silent;
    fell_silent.then(|| "the Service fell silent".to_owned())
}
