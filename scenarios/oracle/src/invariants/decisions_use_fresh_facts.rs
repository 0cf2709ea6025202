//! S28: no procedure counts a pod whose node has no fresh lease.
//!
//! Judged of recoveries, which begin with what etcd remembers; of a rival's too, if it comes that far. What was
//! counted shows in the steps that wait for pods: when one is completed, a self-hosted pod of each component that it waits for must be bound to a node with
//! power (`pods-scheduled`), or a process of it run on one (`self-hosted-serving`, `controllers-handed-over`). Only
//! nodes with power renew their leases. Unknown when the pods, or a node with power, were not seen lately.

use terms::{Component, Incarnation, Moment};

use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::{Observation, Sighting};
use crate::reference::Reference;
use crate::verdict::{Finding, Judgement, Witness};
use crate::view::{CLUSTER_STALE_US, View};

#[derive(Default)]
struct DecisionsUseFreshFacts {
    judged: u64,
    unknown: Option<String>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<DecisionsUseFreshFacts>::default()
}

/// What a step waits for: components, and whether they must run.
fn waits_for(step: &str) -> Option<(&'static [Component], bool)> {
    const APISERVER: [Component; 1] = [Component::KubeApiserver];
    const CONTROLLERS: [Component; 2] =
        [Component::KubeControllerManager, Component::KubeScheduler];
    match step {
        "pods-scheduled" => Some((&Component::SELF_HOSTED, false)),
        "self-hosted-serving" => Some((&APISERVER, true)),
        "controllers-handed-over" => Some((&CONTROLLERS, true)),
        _ => None,
    }
}

impl Invariant for DecisionsUseFreshFacts {
    fn observe(&mut self, view: &View, seen: &Observation) {
        match &seen.saw {
            Sighting::Step(step)
                if step.actor.recovery_node().is_some() && step.moment == Moment::Completed =>
            {
                let Some((components, must_run)) = waits_for(step.step.as_str()) else {
                    return;
                };
                self.judged += 1;
                for component in components {
                    match lack(view, *component, must_run) {
                        Ok(None) => {}
                        Ok(Some((what, mut witness))) => {
                            let what = format!("`{}` was completed although {what}", step.step);
                            witness.push(Reference::to(seen).witness("the step was completed"));
                            let found = finding(what, seen.end_us, witness);
                            self.found.get_or_insert(found);
                        }
                        Err(what) => {
                            let what = format!("when `{}` was completed {what}", step.step);
                            self.unknown.get_or_insert(what);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, _: &View) -> Judgement {
        if let Some(what) = &self.unknown {
            return unknown(what.clone());
        }
        if self.judged == 0 {
            return not_judged("no recovery completed a step that waits for pods");
        }
        Judgement::Holds
    }
}

/// What a completed step lacks of a component, if anything; or why nothing is known.
fn lack(
    view: &View,
    component: Component,
    must_run: bool,
) -> Result<Option<(String, Vec<Witness>)>, String> {
    let living = view.living_control_plane();
    let known = living.iter().filter_map(|node| view.inventory(node));
    if must_run {
        let mut runs = known
            .clone()
            .filter(|latest| latest.value.runs(component, Incarnation::SelfHosted));
        if runs.next().is_some() {
            return Ok(None);
        }
        if known.clone().count() < living.len() {
            return Err(format!("not all of {} were seen", names(&living)));
        }
        let witness = known.map(|latest| latest.from.witness("it does not run here"));
        let what = format!("no self-hosted {component} runs on a node with power");
        return Ok(Some((what, witness.collect())));
    }
    let fresh = |pods: &&crate::reference::Latest<Vec<_>>| {
        pods.fresh(view.now_us(), CLUSTER_STALE_US).is_some()
    };
    let pods = view.pods().filter(fresh).ok_or("pods were not read")?;
    let is_bound = pods.value.iter().any(|pod| {
        pod.component == component
            && pod.incarnation == Incarnation::SelfHosted
            && pod.node.as_ref().is_some_and(|node| living.contains(&node))
    });
    let what = format!("no self-hosted pod of {component} is bound to a node with power");
    let witness = vec![pods.from.witness("the pods as they were read")];
    Ok((!is_bound).then_some((what, witness)))
}
