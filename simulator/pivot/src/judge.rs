//! What the facts prove: every judgement that a policy can get wrong.

use terms::{Component, Incarnation};

use crate::facts::{Facts, NodeSet, PodFact, PodPhase};
use crate::plan::{ComponentSet, GateRule, IdentifyRule, Plan, Rules, Stage, StageKind};
use crate::work::Watch;

/// A lease counts as renewed lately up to this age, in deciseconds: below the three seconds that
/// a hand-over waits at least, so that the renewal lies within them.
const LATELY_DS: u8 = 25;

/// Whether a gate's rule holds.
pub(crate) fn gate(rules: &Rules, rule: GateRule, facts: &Facts) -> bool {
    let wanted = NodeSet::first(facts.control_planes);
    // A cluster without control-plane nodes is one of which nothing is known.
    if wanted.count() == 0 {
        return false;
    }
    match rule {
        GateRule::EtcdServing => facts.etcd.and(wanted) == wanted,
        GateRule::BootstrapServing => {
            facts.apiservers.bootstrap.count() > 0 && facts.apiservers.load_balancer
        }
        GateRule::NodesRegistered => {
            let all = NodeSet::first(facts.nodes);
            facts.registered.and(all) == all && facts.registered.and(wanted) == wanted
        }
        GateRule::PodsScheduled => {
            facts.pods_known
                && Component::SELF_HOSTED
                    .into_iter()
                    .all(|component| scheduled(rules, component, facts))
        }
        GateRule::SelfHostedServing => self_hosted_serving(rules, facts),
    }
}

fn scheduled(rules: &Rules, component: Component, facts: &Facts) -> bool {
    let wanted = NodeSet::first(facts.control_planes);
    match rules.identify {
        IdentifyRule::NamePrefix => pods(facts).any(|pod| pod.looks_like == Some(component)),
        IdentifyRule::Proof => {
            let mut bound = NodeSet::default();
            for node in pods(facts)
                .filter(|pod| is_proven(pod, component))
                .filter_map(|pod| pod.node)
            {
                if node < 16 {
                    bound = bound.with(node);
                }
            }
            bound.and(wanted) == wanted
        }
    }
}

/// Whether the cluster can do without its bootstrap control plane: the gate of that name, and the
/// guard before anything is taken away.
pub(crate) fn self_hosted_serving(rules: &Rules, facts: &Facts) -> bool {
    if facts.control_planes == 0 || !facts.pods_known {
        return false;
    }
    match rules.identify {
        IdentifyRule::Proof => {
            // A certificate proves who served just now; the node's fresh lease, that it is no memory.
            let serving = facts
                .apiservers
                .self_hosted
                .and(facts.ready)
                .and(NodeSet::first(facts.control_planes));
            let least = u32::from(rules.least_apiservers.min(facts.control_planes));
            // Clients come through the load balancer: one that it does not list yet replaces nothing.
            let reachable = serving.and(facts.apiservers.listed).count() > 0;
            serving.count() >= least
                && (reachable || !rules.load_balancer)
                && [Component::KubeControllerManager, Component::KubeScheduler]
                    .into_iter()
                    .all(|component| {
                        pods(facts).any(|pod| {
                            is_proven(pod, component) && pod.phase == PodPhase::Running && pod.ready
                        })
                    })
        }
        // History took the first pod with the name's prefix, whose order was that of a hash map, and
        // asked that every node object be Ready. Any pod stands for that luck here.
        IdentifyRule::NamePrefix => {
            facts.registered.and(facts.ready) == facts.registered
                && Component::SELF_HOSTED.into_iter().all(|component| {
                    pods(facts).any(|pod| {
                        pod.looks_like == Some(component) && pod.phase == PodPhase::Running
                    })
                })
        }
    }
}

/// A self-hosted pod of the component, by its owner, bound to a node that is heard of.
fn is_proven(pod: &PodFact, component: Component) -> bool {
    pod.claims == Some(component)
        && pod.incarnation == Incarnation::SelfHosted
        && pod.node.is_some()
        && pod.fresh
}

fn pods(facts: &Facts) -> impl Iterator<Item = &PodFact> {
    facts.pods.iter().map_while(Option::as_ref)
}

/// Whether what a stage waits for between its tasks is to be seen. For a hand-over this is the
/// absence of the bootstrap copies only; [`leases_taken`] is the other half.
pub(crate) fn watch(rules: &Rules, watch: Watch, facts: &Facts) -> bool {
    match watch {
        Watch::Nothing => true,
        Watch::Gate(rule) => gate(rules, rule, facts),
        Watch::HandedOver(set) | Watch::Gone(set) => gone(set, facts),
        Watch::Drained(set) => {
            gone(set, facts)
                && (!set.contains(Component::KubeApiserver)
                    || facts.apiservers.bootstrap.count() == 0
                        && facts.apiservers.bootstrap_unlisted)
        }
        Watch::Reinstated(set) => {
            ComponentSet(facts.bootstrap_running).contains_all(set)
                && facts.apiservers.bootstrap.count() > 0
        }
        Watch::Armed(set) => armed(set, facts),
    }
}

/// Whether every node that hosts a self-hosted apiserver could start these components by itself: one that
/// serves, and one to which a pod of it is bound and that is heard of. A node that came back a moment ago
/// hosts before it serves, and has nothing saved yet. A node that nobody hears of is not waited for.
fn armed(set: ComponentSet, facts: &Facts) -> bool {
    if !facts.pods_known {
        return false;
    }
    let mut hosts = facts.apiservers.self_hosted;
    let proven = pods(facts).filter(|pod| is_proven(pod, Component::KubeApiserver));
    for node in proven.filter_map(|pod| pod.node).filter(|node| *node < 16) {
        hosts = hosts.with(node);
    }
    let hosts = hosts.and(NodeSet::first(facts.control_planes));
    let components = Component::SELF_HOSTED.into_iter().zip(facts.armed);
    hosts.count() > 0
        && components
            .filter(|(component, _)| set.contains(*component))
            .all(|(_, nodes)| nodes.and(hosts) == hosts)
}

/// Whether something may be taken away now: what the gates before asked for is asked again, on fresh facts.
pub(crate) fn guard(plan: &Plan, facts: &Facts) -> bool {
    let arms = |stage: &Stage| match stage.kind {
        StageKind::Arm(set) => set == ComponentSet::NONE || armed(set, facts),
        _ => true,
    };
    self_hosted_serving(&plan.rules, facts) && plan.stages.iter().all(arms)
}

fn gone(set: ComponentSet, facts: &Facts) -> bool {
    facts.bootstrap_running & set.0 == 0
}

/// Whether the leases of the components that hand over were renewed lately.
pub(crate) fn leases_taken(set: ComponentSet, facts: &Facts) -> bool {
    let [controller_manager, scheduler] = facts.leases;
    (!set.contains(Component::KubeControllerManager) || controller_manager.age_ds < LATELY_DS)
        && (!set.contains(Component::KubeScheduler) || scheduler.age_ds < LATELY_DS)
}
