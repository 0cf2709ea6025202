//! What the installer's adapters would tell of the world: as on a real node, unknown is absent.

use pivot::{ApiserverFact, Facts, LeaseFact, NodeSet, PodFact, PodPhase, StaleFact};
use terms::{Component, Incarnation};

use super::action::Port;
use super::state::{Joined, Pod, Process, State, index};
use super::world::World;

/// A lease that is being renewed was renewed this long ago, in deciseconds.
const RENEWED_DS: u8 = 5;
/// A lease that is not being renewed, or was never held.
const OLD_DS: u8 = u8::MAX;

impl World {
    /// The installer's look at the world.
    pub(crate) fn facts(&self, state: &State) -> Facts {
        let count = self.control_planes();
        let quorum = state.has_quorum(count);
        let known = state.is_reachable(quorum);
        let mut facts = Facts {
            control_planes: count,
            nodes: count,
            etcd: NodeSet::default(),
            registered: NodeSet::default(),
            ready: NodeSet::default(),
            labelled: NodeSet::default(),
            apiservers: ApiserverFact {
                load_balancer: known,
                bootstrap_unlisted: state.nodes[0].listed & Port::Bootstrap.bit() == 0,
                ..ApiserverFact::default()
            },
            leases: [Component::KubeControllerManager, Component::KubeScheduler].map(|lock| {
                let renewed = state.acts(lock, known);
                LeaseFact {
                    age_ds: if renewed { RENEWED_DS } else { OLD_DS },
                }
            }),
            bootstrap_running: 0,
            armed: [NodeSet::default(); 3],
            pods_known: known,
            // Every node of this world is wanted, and its pods are told as fresh or not.
            stale: known.then(StaleFact::default),
            pods: [None; Facts::MOST_PODS],
        };
        for (bit, process) in state.bootstrap.iter().enumerate() {
            facts.bootstrap_running |= u8::from(*process != Process::Gone) << bit;
        }
        if quorum && state.bootstrap[0] == Process::Ready {
            facts.apiservers.bootstrap = NodeSet::first(1);
        }
        self.tell_nodes(state, quorum, known, &mut facts);
        facts
    }

    fn tell_nodes(&self, state: &State, quorum: bool, known: bool, facts: &mut Facts) {
        let mut place = 0;
        for (number, node) in (0..self.control_planes()).zip(&state.nodes) {
            if node.is_on() {
                facts.etcd = facts.etcd.with(number);
            }
            if quorum && node.has_apiserver() {
                facts.apiservers.self_hosted = facts.apiservers.self_hosted.with(number);
            }
            if node.listed & Port::SelfHosted.bit() != 0 {
                facts.apiservers.listed = facts.apiservers.listed.with(number);
            }
            if !known {
                continue;
            }
            let fresh = node.is_fresh();
            if node.joined != Joined::No {
                facts.registered = facts.registered.with(number);
            }
            if fresh {
                facts.ready = facts.ready.with(number);
            }
            if node.joined == Joined::Labelled {
                facts.labelled = facts.labelled.with(number);
            }
            for (component, pod) in Component::SELF_HOSTED.into_iter().zip(node.pods) {
                if pod.is_saved() && fresh {
                    let armed = &mut facts.armed[index(component)];
                    *armed = armed.with(number);
                }
                if pod != Pod::None {
                    facts.pods[place] = Some(pod_fact(component, number, pod, fresh));
                    place += 1;
                }
            }
        }
    }
}

fn pod_fact(component: Component, node: u8, pod: Pod, fresh: bool) -> PodFact {
    let bound = pod.is_bound();
    PodFact {
        claims: Some(component),
        looks_like: Some(component),
        node: bound.then_some(node),
        incarnation: Incarnation::SelfHosted,
        phase: if pod.is_running() {
            PodPhase::Running
        } else {
            PodPhase::Pending
        },
        ready: pod.is_ready(),
        fresh: bound && fresh,
    }
}
