//! S12: a procedure that was killed and started again ends as the case asks, and removes nothing that it does not own.
//!
//! Killed: by a fault against the installer, by the loss of its node before it was done, or ended as
//! killed. Started again: an operation began, or the installer announced a step, after that. From the
//! kill on no etcd manifest that a node had may vanish, unless its disk is lost. A resumed operation that fails or is overdue,
//! or a case that ends otherwise than it asks, did not converge.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Actor, Component, Fault, NodeId};

use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::{Observation, OperationEnd, Sighting, Source};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

#[derive(Default)]
struct RunningAgainConverges {
    killed: Option<Reference>,
    again: Option<Reference>,
    etcd_on: BTreeMap<NodeId, (BTreeSet<String>, Reference)>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<RunningAgainConverges>::default()
}

impl Invariant for RunningAgainConverges {
    fn observe(&mut self, view: &View, seen: &Observation) {
        match &seen.saw {
            Sighting::Fault(record) => {
                let at_home = view
                    .case()
                    .is_some_and(|case| record.targets.contains(&case.bootstrap_node));
                let kills = match &record.fault {
                    Fault::KillInstaller(_) => true,
                    Fault::PowerOff(_) | Fault::Reboot(_) | Fault::LoseDisk(_) => {
                        at_home && view.procedure().done.is_none()
                    }
                    _ => false,
                };
                if kills {
                    self.killed.get_or_insert_with(|| Reference::to(seen));
                }
            }
            Sighting::OperationEnded(ended) if ended.end == OperationEnd::Killed => {
                self.killed.get_or_insert_with(|| Reference::to(seen));
            }
            Sighting::OperationEnded(ended)
                if self.again.is_some()
                    && matches!(ended.end, OperationEnd::Failed | OperationEnd::Overdue) =>
            {
                let what = format!(
                    "`{}` was started again after it had been killed, and ended as {:?}",
                    ended.operation, ended.end
                );
                self.diverged(seen, what);
            }
            Sighting::OperationStarted(operation) if !operation.foreign => self.started_again(seen),
            Sighting::Step(step) if step.actor == Actor::default() => self.started_again(seen),
            Sighting::NodeInventory(_) => self.manifests(view, seen),
            Sighting::CaseClosed(closed) if self.again.is_some() && closed.trouble.is_none() => {
                let asked = view
                    .case()
                    .map_or("done", |case| case.expected_end.as_str());
                let proven = closed.end == crate::judge::END_WHEN_PROVEN;
                if closed.end != asked && !proven {
                    let what = format!(
                        "the procedure was killed and started again, and ended as `{}` instead of `{asked}`",
                        closed.end
                    );
                    self.diverged(seen, what);
                }
            }
            _ => {}
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if self.killed.is_none() {
            return not_judged("nothing was killed");
        }
        if self.again.is_none() {
            return not_judged("what was killed was never started again");
        }
        let Some(closed) = view.closed() else {
            return unknown("the record has no last line, so nobody knows how it ended");
        };
        let asked = view
            .case()
            .map_or("done", |case| case.expected_end.as_str());
        if closed.end != asked {
            return unknown(format!(
                "the case ended as `{}` before the procedure was `{asked}`",
                closed.end
            ));
        }
        let mut unseen = view.living_control_plane();
        unseen.retain(|node| !self.etcd_on.contains_key(*node));
        if !unseen.is_empty() {
            return unknown(format!(
                "no etcd manifest was ever seen on {}",
                names(unseen)
            ));
        }
        Judgement::Holds
    }
}

impl RunningAgainConverges {
    fn started_again(&mut self, seen: &Observation) {
        let after = self
            .killed
            .as_ref()
            .is_some_and(|killed| seen.start_us >= killed.end_us);
        if after {
            self.again.get_or_insert_with(|| Reference::to(seen));
        }
    }

    fn diverged(&mut self, seen: &Observation, what: String) {
        let mut witness = vec![Reference::to(seen).witness(what.clone())];
        witness.extend(
            self.killed
                .iter()
                .map(|killed| killed.witness("it was killed")),
        );
        witness.extend(
            self.again
                .iter()
                .map(|again| again.witness("it was started again")),
        );
        let found = finding(what, seen.end_us, witness);
        self.found.get_or_insert(found);
    }

    fn manifests(&mut self, view: &View, seen: &Observation) {
        let (Sighting::NodeInventory(now), Source::Node(node)) = (&seen.saw, &seen.source) else {
            return;
        };
        let etcd = Component::Etcd.name();
        let there: BTreeSet<_> = now
            .manifests
            .iter()
            .filter(|name| name.contains(etcd))
            .collect();
        if let Some((before, from)) = self.etcd_on.get_mut(node)
            && before.iter().eq(there.iter().copied())
        {
            from.move_to(seen);
            return;
        }
        if let (Some((before, from)), true) = (self.etcd_on.get(node), self.killed.is_some())
            && let Some(lost) = before.iter().find(|name| !there.contains(name))
            && !view.faults().disk_was_lost_since(node, from.start_us, seen)
        {
            let what = format!(
                "the manifest {lost} vanished from {node} after the procedure had been killed"
            );
            let witness = vec![
                from.witness(format!("{lost} is there")),
                Reference::to(seen).witness(what.clone()),
            ];
            let found = finding(what, seen.end_us, witness);
            self.found.get_or_insert(found);
        }
        if !there.is_empty() {
            let there = there.into_iter().cloned().collect();
            self.etcd_on
                .insert(node.clone(), (there, Reference::to(seen)));
        }
    }
}
