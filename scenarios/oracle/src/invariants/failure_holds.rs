//! S11: a failure never leaves fewer working apiservers than there were.
//!
//! The decision is a step `holding` or `reinstating`, or an operation that ended as failed, holding or
//! overdue. From then until the next operation each instance that served at the decision (in the two
//! seconds before it) counts, except on nodes that a fault hits, and nowhere once faults have stopped a majority of
//! etcd's members: without them no apiserver works. Violated when fewer instances serve
//! for ten seconds on end: a short dip is a restart, and leaves nothing behind.
//!
//! A procedure may tear down for as long as it likes before it says that it failed. So the decision lies
//! where an actor first entered another step without having completed the one before: the failed step.
//! A step that was entered before is entered again by a new process, and is no sign of a failure.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Actor, Component, Fault, Incarnation, Moment, NodeId, StepName};

use super::{Invariant, LEAST_SAMPLES, finding, not_judged, unknown};
use crate::observation::{Observation, OperationEnd, Sighting, Source, Step};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::View;

/// A dip that lasts this long is no restart.
const LASTING_US: u64 = 10_000_000;

#[derive(Default)]
struct FailureHolds {
    decision: Option<Decision>,
    /// How each actor stands among its steps.
    progress: BTreeMap<Actor, Progress>,
    ever: bool,
    looked: u64,
    unknown: Option<String>,
    found: Option<Finding>,
}

#[derive(Clone)]
struct Decision {
    from: Reference,
    what: String,
    /// Nodes that were asked and have not been hit by a fault since.
    nodes: BTreeSet<NodeId>,
    /// Instances that served at the decision, on those nodes.
    served: BTreeSet<(NodeId, Option<Incarnation>)>,
    fewer_since: Option<Reference>,
    /// The step that was left, if that was the decision.
    step: Option<StepName>,
    /// Nodes that nobody asked then.
    unasked: BTreeSet<NodeId>,
}

impl Decision {
    /// Whatever serves now counts from now on.
    fn at(view: &View, seen: &Observation, what: String) -> Self {
        let living = view.living_control_plane();
        let is_asked = |node: &&NodeId| {
            let sources = [
                Source::Apiserver((*node).clone()),
                Source::BootstrapApiserver((*node).clone()),
            ];
            sources.iter().any(|source| view.is_asked(source))
        };
        let (nodes, unasked): (BTreeSet<_>, BTreeSet<_>) = living
            .into_iter()
            .cloned()
            .partition(|node| is_asked(&node));
        let mut served = view.serving();
        // Copies of checkpoints hand over to their parents and end.
        served.retain(|(node, by)| nodes.contains(node) && *by != Some(Incarnation::Checkpoint));
        Self {
            from: Reference::to(seen),
            what,
            nodes,
            served,
            fewer_since: None,
            step: None,
            unasked,
        }
    }
}

/// How far an actor has come in the running operation.
#[derive(Default)]
struct Progress {
    entered: BTreeSet<StepName>,
    /// The step that was entered last and is not completed.
    open: Option<StepName>,
    /// What was so when it left a step uncompleted, should that turn out to be a failure.
    left: Option<Decision>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<FailureHolds>::default()
}

impl Invariant for FailureHolds {
    fn observe(&mut self, view: &View, seen: &Observation) {
        match &seen.saw {
            Sighting::Step(step) if ["holding", "reinstating"].contains(&step.step.as_str()) => {
                let what = format!("the installer announced `{}`", step.step);
                let left = self
                    .progress
                    .get_mut(&step.actor)
                    .and_then(|actor| actor.left.take());
                self.decide(view, seen, left, what);
            }
            Sighting::Step(step) => self.progress(view, seen, step),
            Sighting::OperationEnded(ended)
                if matches!(
                    ended.end,
                    OperationEnd::Failed | OperationEnd::Holding | OperationEnd::Overdue
                ) =>
            {
                let what = format!("`{}` ended as {:?}", ended.operation, ended.end);
                let left = self
                    .progress
                    .values_mut()
                    .find_map(|actor| actor.left.take());
                self.decide(view, seen, left, what);
            }
            Sighting::OperationStarted(_) => {
                self.decision = None;
                self.progress.clear();
            }
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
    fn progress(&mut self, view: &View, seen: &Observation, step: &Step) {
        let progress = self.progress.entry(step.actor.clone()).or_default();
        match step.moment {
            Moment::Completed => {
                if progress.open.as_ref() == Some(&step.step) {
                    progress.open = None;
                }
                // It was late, and no failure.
                let is_it = |left: &Decision| left.step.as_ref() == Some(&step.step);
                progress.left.take_if(|left| is_it(left));
            }
            Moment::Entered => {
                let again = !progress.entered.insert(step.step.clone());
                let left = progress.open.replace(step.step.clone());
                if let Some(left) = left.filter(|left| !again && *left != step.step) {
                    let what =
                        format!("`{}` was entered and `{left}` was not completed", step.step);
                    let mut decision = Decision::at(view, seen, what);
                    decision.step = Some(left);
                    progress.left.get_or_insert(decision);
                }
            }
        }
    }

    /// The first decision of a failure counts; what follows from it is its consequence.
    fn decide(&mut self, view: &View, seen: &Observation, left: Option<Decision>, what: String) {
        if self.decision.is_some() {
            return;
        }
        self.ever = true;
        let decision = left.unwrap_or_else(|| Decision::at(view, seen, what));
        if let Some(node) = decision.unasked.first() {
            let what = &decision.what;
            self.unknown
                .get_or_insert(format!("nobody asked the apiserver on {node} when {what}"));
        }
        self.decision = Some(decision);
    }

    fn watch(&mut self, view: &View, seen: &Observation) {
        let (Sighting::Request(_), Some(decision)) = (&seen.saw, &mut self.decision) else {
            return;
        };
        self.looked += 1;
        // What a fault hits is no longer the installer's doing.
        for fault in view.faults().between(decision.from.start_us, view.now_us()) {
            let of_objects = matches!(
                fault.value.fault,
                Fault::Delete(_) | Fault::Roll(_) | Fault::Change(_)
            );
            decision
                .nodes
                .retain(|node| !of_objects && !fault.value.targets.contains(node));
        }
        if etcd_is_stopped(view, decision) {
            decision.nodes.clear();
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

/// Whether faults since the decision stopped a majority of etcd's members.
fn etcd_is_stopped(view: &View, decision: &Decision) -> bool {
    let mut nodes = view.control_plane();
    let all = nodes.len();
    for fault in view.faults().between(decision.from.start_us, view.now_us()) {
        let stops = match &fault.value.fault {
            Fault::PowerOff(_) | Fault::Reboot(_) | Fault::LoseDisk(_) | Fault::Freeze(_) => true,
            Fault::Kill(kill) => kill.component == Component::Etcd,
            _ => false,
        };
        nodes.retain(|node| !(stops && fault.value.targets.contains(*node)));
    }
    nodes.len() * 2 <= all
}

/// Instances that serve on these nodes, without copies of checkpoints.
fn count(view: &View, nodes: &BTreeSet<NodeId>) -> usize {
    view.serving()
        .iter()
        .filter(|(node, by)| nodes.contains(node) && *by != Some(Incarnation::Checkpoint))
        .count()
}
