//! S11: a failure never leaves fewer working apiservers than there were.
//!
//! The decision is a step `holding` or `reinstating`, or an operation that ended as failed, holding or
//! overdue. From then until the next operation each instance that served at the decision (in the two
//! seconds before it) counts, except on nodes that a fault hits. Violated when fewer instances serve
//! for ten seconds on end: a short dip is a restart, and leaves nothing behind.

use std::collections::BTreeSet;

use terms::{Fault, Incarnation, NodeId};

use super::{Invariant, LEAST_SAMPLES, finding, not_judged, unknown};
use crate::observation::{Observation, OperationEnd, Sighting, Source};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// A dip that lasts this long is no restart.
const LASTING_US: u64 = 10_000_000;

#[derive(Default)]
struct FailureHolds {
    decision: Option<Decision>,
    ever: bool,
    looked: u64,
    unknown: Option<String>,
    found: Option<Finding>,
}

struct Decision {
    from: Reference,
    what: String,
    /// Nodes that were asked and have not been hit by a fault since.
    nodes: BTreeSet<NodeId>,
    /// Instances that served at the decision, on those nodes.
    served: BTreeSet<(NodeId, Option<Incarnation>)>,
    fewer_since: Option<Reference>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<FailureHolds>::default()
}

impl Invariant for FailureHolds {
    fn observe(&mut self, view: &View, seen: &Observation) {
        match &seen.saw {
            Sighting::Step(step) if ["holding", "reinstating"].contains(&step.step.as_str()) => {
                self.decide(
                    view,
                    seen,
                    format!("the installer announced `{}`", step.step),
                );
            }
            Sighting::OperationEnded(ended)
                if matches!(
                    ended.end,
                    OperationEnd::Failed | OperationEnd::Holding | OperationEnd::Overdue
                ) =>
            {
                self.decide(
                    view,
                    seen,
                    format!("`{}` ended as {:?}", ended.operation, ended.end),
                );
            }
            Sighting::OperationStarted(_) => self.decision = None,
            _ => self.watch(view, seen),
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if !self.ever {
            return not_judged("nothing failed");
        }
        if let Some(what) = &self.unknown {
            return unknown(what.clone());
        }
        if let Some(decision) = &self.decision {
            let watched_us = view.now_us().saturating_sub(decision.from.end_us);
            if watched_us < LASTING_US || decision.fewer_since.is_some() {
                return unknown(format!(
                    "the record ends {} after the failure{}",
                    seconds(watched_us),
                    if decision.fewer_since.is_some() {
                        ", in a dip"
                    } else {
                        ""
                    }
                ));
            }
        }
        if self.looked < LEAST_SAMPLES {
            return unknown(format!(
                "only {} requests were seen after the failure, {LEAST_SAMPLES} are needed",
                self.looked
            ));
        }
        Judgement::Holds
    }
}

impl FailureHolds {
    /// The first decision of a failure counts; what follows from it is its consequence.
    fn decide(&mut self, view: &View, seen: &Observation, what: String) {
        if self.decision.is_some() {
            return;
        }
        self.ever = true;
        let mut nodes = BTreeSet::new();
        for node in view.living_control_plane() {
            let asked = [
                Source::Apiserver(node.clone()),
                Source::BootstrapApiserver(node.clone()),
            ];
            if asked.iter().any(|source| view.is_asked(source)) {
                nodes.insert(node.clone());
            } else {
                self.unknown
                    .get_or_insert(format!("nobody asked the apiserver on {node} when {what}"));
            }
        }
        let mut served = view.serving();
        served.retain(|(node, _)| nodes.contains(node));
        let from = Reference::to(seen);
        self.decision = Some(Decision {
            from,
            what,
            nodes,
            served,
            fewer_since: None,
        });
    }

    fn watch(&mut self, view: &View, seen: &Observation) {
        let (Sighting::Request(_), Some(decision)) = (&seen.saw, &mut self.decision) else {
            return;
        };
        self.looked += 1;
        // What a fault hits is no longer the installer's doing.
        for fault in view.faults().between(decision.from.start_us, view.now_us()) {
            let of_objects = matches!(fault.value.fault, Fault::Delete(_));
            decision
                .nodes
                .retain(|node| !of_objects && !fault.value.targets.contains(node));
        }
        let nodes = &decision.nodes;
        decision.served.retain(|(node, _)| nodes.contains(node));
        let served = decision.served.len();
        let asked = decision
            .nodes
            .iter()
            .all(|node| view.is_asked(&Source::Apiserver(node.clone())));
        let now = count(view, &decision.nodes);
        if now >= served || !asked {
            decision.fewer_since = None;
            return;
        }
        let since = decision
            .fewer_since
            .get_or_insert_with(|| Reference::to(seen))
            .clone();
        if view.now_us().saturating_sub(since.end_us) < LASTING_US {
            return;
        }
        let what = format!(
            "{} apiservers served when {}, and {now} for more than {} s since",
            served,
            decision.what,
            LASTING_US / 1_000_000
        );
        let witness = vec![
            decision
                .from
                .witness(format!("{}; {served} apiservers served", decision.what)),
            since.witness("fewer apiservers serve"),
            Reference::to(seen).witness(format!("still {now} apiservers serve")),
        ];
        let found = finding(what, seen.end_us, witness);
        self.found.get_or_insert(found);
    }
}

/// Instances that serve on these nodes.
fn count(view: &View, nodes: &BTreeSet<NodeId>) -> usize {
    view.serving()
        .iter()
        .filter(|(node, _)| nodes.contains(node))
        .count()
}
