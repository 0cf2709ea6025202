//! L10: after a recovery from a snapshot the cluster returns, and stale objects converge.
//!
//! From the end of the recovery on, within `control_plane_return`, a write is acknowledged through the load balancer, the wanted
//! pods of each component are ready on nodes with power and every wanted apiserver serves, every node object is ready, and no
//! control-plane pod is bound to a node that is not there. How long the recovery itself takes is bounded by its own
//! deadline: one that is not done when the case is closed violates this. A fault after it began leaves it unjudged, and so
//! does a refusal by which what was done before is done still; that is not so of a second try. Whether it was right to refuse,
//! the expected end says.

use std::collections::BTreeSet;

use terms::NodeId;

use super::loss::Arrivals;
use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::{
    NodeStatus, Observation, OperationEnd, PodStatus, RequestKind, RequestOutcome, Sighting, Source,
};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// The budget that this invariant reads.
const BUDGET: &str = "control_plane_return";
/// What a recovery is called.
const RECOVER: &str = "recover";

#[derive(Default)]
struct RecoveryFromSnapshot {
    arrivals: Arrivals,
    recovery: Option<Recovery>,
    returned: u64,
    not_judged: Option<String>,
    found: Option<Finding>,
}

/// A recovery whose return is waited for.
struct Recovery {
    began: Reference,
    done: Option<Reference>,
    api_back: bool,
    nodes: Vec<NodeStatus>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<RecoveryFromSnapshot>::default()
}

impl Invariant for RecoveryFromSnapshot {
    fn observe(&mut self, view: &View, seen: &Observation) {
        for fault in self.arrivals.next(view, seen) {
            let after = |recovery: &mut Recovery| fault.from.end_us > recovery.began.end_us;
            if self.recovery.take_if(after).is_some() {
                let key = fault.value.fault.key();
                self.not_judged = Some(format!("`{key}` came before everything was back"));
            }
        }
        if let Sighting::OperationStarted(operation) = &seen.saw
            && operation.from_snapshot
            && !operation.rival
        {
            self.recovery = Some(Recovery {
                began: Reference::to(seen),
                done: None,
                api_back: false,
                nodes: Vec::new(),
            });
        }
        if was_refused(view, seen) && self.recovery.take().is_some() {
            self.not_judged = Some("the recovery from a snapshot was refused".to_owned());
        }
        let Some(mut recovery) = self.recovery.take() else {
            return;
        };
        recovery.observe(seen);
        if recovery.is_over(view, seen) {
            self.returned += 1;
            return;
        }
        if self.found.is_none() {
            self.found = recovery.overdue(view, seen);
        }
        self.recovery = Some(recovery);
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if view.budget_us(BUDGET).is_none() {
            return not_judged(format!("the budget `{BUDGET}` is none"));
        }
        if self.recovery.is_some() {
            return unknown(
                "the record ends before everything was seen to be back after the recovery, within its budget",
            );
        }
        if self.returned == 0 {
            let why = self.not_judged.clone();
            return not_judged(
                why.unwrap_or_else(|| "nothing was restored from a snapshot".to_owned()),
            );
        }
        Judgement::Holds
    }
}

/// Whether the case's own recovery was refused just now, and left done what was done before it. A rival's refusal, which
/// has the same name, leaves the recovery that runs undone.
fn was_refused(view: &View, seen: &Observation) -> bool {
    let Sighting::OperationEnded(ended) = &seen.saw else {
        return false;
    };
    ended.operation == RECOVER
        && ended.end == OperationEnd::Refused
        && view.procedure().done.is_some()
}

impl Recovery {
    fn observe(&mut self, seen: &Observation) {
        match &seen.saw {
            // A rival ends under the same name, but not as done: that is S29's.
            Sighting::OperationEnded(ended)
                if ended.operation == RECOVER && ended.end == OperationEnd::Done =>
            {
                self.done.get_or_insert_with(|| Reference::to(seen));
            }
            Sighting::Request(request) => {
                let write = matches!(request.kind, RequestKind::Write(_));
                let acknowledged = matches!(request.outcome, RequestOutcome::Acknowledged { .. });
                let through = seen.source == Source::LoadBalancer;
                self.api_back |= self.done.is_some() && through && write && acknowledged;
            }
            Sighting::Nodes(nodes) => self.nodes.clone_from(nodes),
            _ => {}
        }
    }

    fn is_over(&self, view: &View, seen: &Observation) -> bool {
        let (Some(_), Sighting::Pods(pods)) = (&self.done, &seen.saw) else {
            return false;
        };
        self.api_back
            && crate::figures::all_serve(view)
            && crate::figures::is_complete(view, pods)
            && self.stale(view, pods).is_empty()
    }

    /// Node objects and pods of nodes that are not there, or of which nobody hears.
    fn stale(&self, view: &View, pods: &[PodStatus]) -> BTreeSet<String> {
        let ready = self.nodes.iter().filter(|node| node.ready);
        let ready: BTreeSet<&NodeId> = ready.map(|node| &node.node).collect();
        let unready = self.nodes.iter().filter(|node| !node.ready);
        let mut stale: BTreeSet<String> =
            unready.map(|node| format!("node {}", node.node)).collect();
        let missing = view.living_control_plane().into_iter();
        let missing = missing.filter(|node| !ready.contains(node));
        stale.extend(missing.map(|node| format!("node {node}")));
        for pod in pods {
            if let Some(node) = pod.node.as_ref().filter(|node| !ready.contains(node)) {
                stale.insert(format!("a pod of {} on {node}", pod.component));
            }
        }
        stale
    }

    fn overdue(&self, view: &View, seen: &Observation) -> Option<Finding> {
        let Some(done) = &self.done else {
            let Sighting::CaseClosed(closed) = &seen.saw else {
                return None;
            };
            let what = "the recovery from a snapshot was not done in the end".to_owned();
            let witness = vec![
                self.began.witness("the recovery began"),
                Reference::to(seen).witness("the case was closed"),
            ];
            let found = finding(what, seen.end_us, witness);
            return closed.trouble.is_none().then_some(found);
        };
        let budget_us = view.budget_us(BUDGET)?;
        let late = seen.end_us.saturating_sub(done.end_us) > budget_us;
        // When nobody could be asked nothing is known.
        if !late || !view.is_asked(&Source::LoadBalancer) {
            return None;
        }
        let pods = view.pods().map_or(&[][..], |pods| &pods.value);
        let what = format!(
            "not everything was back within {} after the recovery from a snapshot; stale: {}",
            seconds(budget_us),
            names(self.stale(view, pods))
        );
        let witness = vec![
            self.began.witness("the recovery began"),
            done.witness("it was done"),
            Reference::to(seen).witness("still not everything is back"),
        ];
        Some(finding(what, seen.end_us, witness))
    }
}
