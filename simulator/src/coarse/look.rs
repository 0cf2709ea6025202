//! What is seen of a coarse state from outside, in one look.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::{
    Connection, EtcdStatus, Lease, NodeInventory, NodeStatus, PodStatus, Process, ProcessId,
    Request, RequestKind, RequestOutcome, Served,
};
use oracle::{Sighting, Source};
use terms::{Component, Incarnation, NodeId};

use super::action::Port;
use super::project::Projection;
use super::state::{APISERVER, Joined, Pod, State, index};

/// Files that the bootstrap processes' command lines name.
const SECRETS: [&str; 2] = [
    "/etc/kubernetes/bootstrap-secrets/apiserver.key",
    "/etc/kubernetes/bootstrap-secrets/ca.crt",
];

impl Projection<'_> {
    /// One look at everything.
    pub(crate) fn look(&mut self) {
        let state = self.state;
        self.revision += 1;
        let reachable = state.is_reachable(self.quorum());
        self.through_load_balancer(&state, RequestKind::Write(self.revision), reachable);
        self.through_load_balancer(&state, RequestKind::Read, reachable);
        self.apiservers(&state);
        if reachable {
            self.cluster(&state);
        }
        for number in 0..self.world.control_planes() {
            let node = &state.nodes[usize::from(number)];
            let status = node.is_on().then(|| EtcdStatus {
                cluster: "c0".to_owned(),
                member: format!("m{number}"),
                leader: self.quorum().then(|| "m0".to_owned()),
                term: 1,
                revision: self.revision,
            });
            self.answer(Source::EtcdMember(name(number)), Sighting::Etcd(status));
            if node.is_on() {
                let inventory = self.inventory(&state, number);
                self.answer(
                    Source::Node(name(number)),
                    Sighting::NodeInventory(inventory),
                );
            }
        }
    }

    fn through_load_balancer(&mut self, state: &State, kind: RequestKind, reachable: bool) {
        let serves = |(number, port): &(u8, Port)| {
            let listed = state.nodes[usize::from(*number)].listed & port.bit() != 0;
            listed && state.works_behind(*port, usize::from(*number))
        };
        let ports = (0..self.world.control_planes())
            .flat_map(|number| [(number, Port::SelfHosted), (number, Port::Bootstrap)]);
        // It sends each request to the next one.
        let behind: Vec<_> = ports.filter(serves).collect();
        let turn = self.turn % behind.len().max(1);
        self.turn += 1;
        let outcome = match behind.get(turn).copied().filter(|_| reachable) {
            None => (RequestOutcome::Refused("no backend".to_owned()), None),
            Some((number, port)) => {
                let incarnation = match port {
                    Port::SelfHosted => Incarnation::SelfHosted,
                    Port::Bootstrap if state.nodes[usize::from(number)].runs_copy(APISERVER) => {
                        Incarnation::Checkpoint
                    }
                    Port::Bootstrap => Incarnation::Bootstrap,
                };
                self.acknowledged(number, incarnation)
            }
        };
        self.request(Source::LoadBalancer, kind, outcome);
    }

    fn apiservers(&mut self, state: &State) {
        for number in 0..self.world.control_planes() {
            let node = &state.nodes[usize::from(number)];
            for kind in [RequestKind::Ready, RequestKind::Read] {
                let outcome = if !node.is_on() {
                    (RequestOutcome::TimedOut, None)
                } else if !node.pods[APISERVER].is_running() {
                    (
                        RequestOutcome::Refused("connection refused".to_owned()),
                        None,
                    )
                } else if node.has_apiserver() && self.quorum() {
                    self.acknowledged(number, Incarnation::SelfHosted)
                } else {
                    (RequestOutcome::Status(503), None)
                };
                self.request(Source::Apiserver(name(number)), kind, outcome);
            }
        }
        let outcome = if !state.nodes[0].is_on() {
            (RequestOutcome::TimedOut, None)
        } else if self.quorum() && state.bootstrap[APISERVER].works() {
            self.acknowledged(0, Incarnation::Bootstrap)
        } else {
            (
                RequestOutcome::Refused("connection refused".to_owned()),
                None,
            )
        };
        self.request(
            Source::BootstrapApiserver(name(0)),
            RequestKind::Read,
            outcome,
        );
    }

    fn acknowledged(
        &self,
        number: u8,
        incarnation: Incarnation,
    ) -> (RequestOutcome, Option<Served>) {
        let outcome = RequestOutcome::Acknowledged {
            revision: Some(self.revision),
        };
        (
            outcome,
            Some(Served {
                node: name(number),
                incarnation,
            }),
        )
    }

    fn request(
        &mut self,
        source: Source,
        kind: RequestKind,
        (outcome, served_by): (RequestOutcome, Option<Served>),
    ) {
        let connection = Connection::New;
        let request = Request {
            kind,
            connection,
            outcome,
            served_by,
        };
        self.answer(source, Sighting::Request(request));
    }

    fn cluster(&mut self, state: &State) {
        for lock in [Component::KubeControllerManager, Component::KubeScheduler] {
            let renewed_ms = self.now_ms;
            let seen = &mut self.leases[index(lock) - 1];
            let Some((holder, node)) = seen.holder.clone() else {
                continue;
            };
            if state.acts(lock, true) {
                seen.renewed_ms = renewed_ms;
            }
            let saw = Lease {
                lock,
                holder: Some(holder),
                holder_node: Some(name(node)),
                transitions: seen.transitions,
                renewed: seen.renewed_ms.to_string(),
            };
            self.answer(Source::Cluster, Sighting::Lease(saw));
        }
        let numbered = || (0..self.world.control_planes()).zip(&state.nodes);
        let nodes = numbered()
            .filter(|(_, node)| node.joined != Joined::No)
            .map(|(number, node)| NodeStatus {
                node: name(number),
                ready: node.is_fresh(),
            })
            .collect();
        let pods = numbered()
            .flat_map(|(number, node)| {
                let pods = Component::SELF_HOSTED.into_iter().zip(node.pods);
                pods.map(move |(component, pod)| (number, component, pod))
            })
            .filter(|(.., pod)| *pod != Pod::None)
            .map(|(number, component, pod)| PodStatus {
                component,
                incarnation: Incarnation::SelfHosted,
                node: pod.is_bound().then(|| name(number)),
                uid: format!("uid-{component}-{number}"),
                ready: pod.is_ready(),
                ready_since_us: None,
                terminating: false,
            })
            .collect();
        self.answer(Source::Cluster, Sighting::Nodes(nodes));
        self.answer(Source::Cluster, Sighting::Pods(pods));
    }

    fn inventory(&self, state: &State, number: u8) -> NodeInventory {
        let processes = self.pids.iter().filter(|((node, ..), _)| *node == number);
        let processes = processes.map(|((_, component, incarnation), pid)| {
            let broken = *incarnation == Incarnation::Bootstrap && !state.disk.secrets;
            Process {
                component: *component,
                incarnation: Some(*incarnation),
                id: ProcessId {
                    pid: *pid,
                    start_ticks: u64::from(*pid),
                },
                missing_files: if broken {
                    SECRETS.map(str::to_owned).into()
                } else {
                    BTreeSet::new()
                },
            }
        });
        let mut manifests = BTreeSet::from(["etcd.yaml".to_owned()]);
        for component in Component::SELF_HOSTED {
            if number == 0 && state.disk.manifests >> index(component) & 1 == 1 {
                manifests.insert(format!("bootstrap-{component}.yaml"));
            }
            if state.nodes[usize::from(number)].runs_copy(index(component)) {
                manifests.insert(format!("checkpoint-{component}.yaml"));
            }
        }
        NodeInventory {
            processes: processes.collect(),
            manifests,
            bootstrap_files: if number == 0 {
                bootstrap_files(state)
            } else {
                BTreeSet::new()
            },
            ports: BTreeMap::new(),
            checkpoints: Vec::new(),
            blind_to_checkpoints: false,
            agents: Vec::new(),
            workload: None,
            kubelet: Some(ProcessId {
                pid: 200,
                start_ticks: self.kubelets[usize::from(number)],
            }),
        }
    }

    fn quorum(&self) -> bool {
        self.state.has_quorum(self.world.control_planes())
    }
}

/// Files that only a bootstrap needs, as the observer names them.
fn bootstrap_files(state: &State) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    if state.disk.secrets {
        files.extend(SECRETS.map(str::to_owned));
    }
    if state.disk.stashed_secrets {
        files.insert("/var/lib/selfhost/stash/bootstrap-secrets/apiserver.key".to_owned());
    }
    for component in Component::SELF_HOSTED {
        if state.disk.stashed >> index(component) & 1 == 1 {
            files.insert(format!(
                "/var/lib/selfhost/stash/bootstrap-{component}.yaml"
            ));
        }
    }
    if state.disk.assets {
        files.insert("/var/lib/selfhost/assets/auth/admin.kubeconfig".to_owned());
    }
    files
}

/// The name of a control-plane node.
pub(crate) fn name(number: u8) -> NodeId {
    NodeId::control_plane(usize::from(number) + 1)
}
