//! What is asked of the cluster from outside, in one look.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::{
    AgentSeen, CheckpointSeen, Connection, EtcdStatus, HostSample, Lease, NodeInventory,
    NodeStatus, PodStatus, Process, ProcessId, Request, RequestKind, RequestOutcome, Served,
};
use oracle::{Sighting, Source};
use pivot::NodeSet;
use terms::{Component, Incarnation};

use super::kept::{self, Kept, Version};
use super::node::{self, SECRETS};
use super::scene::Quirk;
use super::watcher::{Looked, Subject, Watcher};
use super::world::{Instance, Pod, World};

impl Watcher {
    /// A write and a read through the load balancer, and no more.
    pub(crate) fn glance(&mut self, world: &mut World) {
        let key = self.next_key;
        self.next_key += 1;
        self.through_load_balancer(world, RequestKind::Write(key));
        self.through_load_balancer(world, RequestKind::Read);
    }

    /// One look at everything.
    pub(crate) fn look(&mut self, world: &mut World) {
        self.glance(world);
        self.apiservers(world);
        self.cluster(world);
        self.etcd(world);
        let up = |index: &u8| world.node(*index).is_up(world.now_ms);
        for index in world.indices().filter(up) {
            self.tell_node(world, index, || {
                Sighting::NodeInventory(inventory(world, index))
            });
        }
        if world.now_ms.is_multiple_of(1_000) {
            let sample = HostSample {
                timer_late_us: 200,
                fsync_us: 900,
                crowd: None,
            };
            self.answer(world, Source::Host, Sighting::HostSample(sample));
        }
    }

    fn through_load_balancer(&mut self, world: &mut World, kind: RequestKind) {
        let listed: Vec<Instance> = world
            .load_balancer
            .iter()
            .filter(|(_, backend)| backend.listed)
            .map(|(instance, _)| *instance)
            .collect();
        world.turn += 1;
        let outcome = match listed.get(world.turn % listed.len().max(1)) {
            None => (RequestOutcome::Refused("no backend".to_owned()), None),
            Some(instance) => request(world, *instance, &kind),
        };
        self.request(world, Source::LoadBalancer, kind, outcome);
    }

    fn apiservers(&mut self, world: &mut World) {
        for index in 0..world.control_planes {
            let name = world.name(index);
            for kind in [RequestKind::Ready, RequestKind::Read] {
                let outcome = request(world, (index, Incarnation::SelfHosted), &kind);
                self.request(world, Source::Apiserver(name.clone()), kind, outcome);
            }
            if index == 0 {
                let outcome = request(world, (index, Incarnation::Bootstrap), &RequestKind::Ready);
                self.request(
                    world,
                    Source::BootstrapApiserver(name),
                    RequestKind::Ready,
                    outcome,
                );
            }
        }
    }

    fn request(
        &mut self,
        world: &World,
        source: Source,
        kind: RequestKind,
        (outcome, served_by): (RequestOutcome, Option<Served>),
    ) {
        let request = Request {
            kind,
            connection: Connection::New,
            outcome,
            served_by,
        };
        self.answer(world, source, Sighting::Request(request));
    }

    fn cluster(&mut self, world: &World) {
        if !world.reachable() {
            return;
        }
        for (lock, lease) in &world.leases {
            let Some(holder) = lease.holder else {
                continue;
            };
            let looked = Looked::Lease(holder, lease.transitions, lease.renewed_ms);
            self.tell(world, Subject::Lease(*lock), looked, |saw| {
                let (node, incarnation, pid) = holder;
                *saw = Sighting::Lease(Lease {
                    lock: *lock,
                    holder: Some(format!("{}_{incarnation}-{pid}", world.name(node))),
                    holder_node: Some(world.name(node)),
                    transitions: lease.transitions,
                    renewed: lease.renewed_ms.to_string(),
                });
            });
        }
        let registered = world.registered;
        let ready = world.indices().filter(|index| world.is_node_ready(*index));
        let ready = ready.fold(NodeSet::default(), NodeSet::with);
        let looked = Looked::Nodes(registered, ready);
        self.tell(world, Subject::Nodes, looked, |saw| {
            let registered = world.indices().filter(|index| registered.contains(*index));
            let nodes = registered.map(|index| NodeStatus {
                node: world.name(index),
                ready: ready.contains(index),
            });
            *saw = Sighting::Nodes(nodes.collect());
        });
        let ready_ms = |pod: &Pod| {
            let ready = world.process_of(pod);
            let ready = ready.filter(|process| process.is_ready(world.now_ms));
            ready.map(|process| process.ready_ms)
        };
        let pods = world.pods.iter().map(|pod| (*pod, ready_ms(pod)));
        let looked = Looked::Pods(pods.clone().collect());
        self.tell(world, Subject::Pods, looked, |saw| {
            let pods = pods.map(|(pod, ready_ms)| PodStatus {
                component: pod.component,
                incarnation: Incarnation::SelfHosted,
                node: pod.bound.then(|| world.name(pod.node)),
                uid: format!("uid-{}", pod.uid),
                ready: ready_ms.is_some(),
                ready_since_us: ready_ms.map(|ready_ms| ready_ms * 1_000),
                terminating: pod.terminating,
            });
            *saw = Sighting::Pods(pods.collect());
        });
    }

    fn etcd(&mut self, world: &World) {
        let healthy = world.etcd_healthy();
        let alone = world.has(Quirk::EtcdMembersStartAlone);
        let store = &world.store;
        for index in 0..world.control_planes {
            let answers = healthy.contains(index);
            let looked = answers.then_some((store.leader, store.term, store.revision));
            let looked = Looked::Etcd(alone, looked);
            self.tell(world, Subject::Etcd(index), looked, |saw| {
                // Nearly always it is only the revision that changed: a term has one leader at most.
                if let (Sighting::Etcd(Some(status)), true) = (&mut *saw, answers && !alone)
                    && status.term == store.term
                    && status.leader.is_some() == store.leader.is_some()
                {
                    status.revision = store.revision;
                    return;
                }
                let status = answers.then(|| EtcdStatus {
                    cluster: numbered('c', if alone { index } else { 0 }),
                    member: numbered('m', index),
                    leader: store.leader.map(|leader| numbered('m', leader)),
                    term: store.term,
                    revision: store.revision,
                });
                *saw = Sighting::Etcd(status);
            });
        }
    }
}

/// A letter and a number, as members of etcd are called here at every look.
fn numbered(letter: char, number: u8) -> String {
    match char::from_digit(u32::from(number), 10) {
        Some(digit) => String::from_iter([letter, digit]),
        None => format!("{letter}{number}"),
    }
}

/// A request to one apiserver.
fn request(
    world: &mut World,
    instance: Instance,
    kind: &RequestKind,
) -> (RequestOutcome, Option<Served>) {
    let (node, incarnation) = instance;
    if !world.node(node).on {
        return (RequestOutcome::TimedOut, None);
    }
    let runs = world
        .node(node)
        .process(Component::KubeApiserver, Some(incarnation))
        .is_some();
    if !runs {
        return (
            RequestOutcome::Refused("connection refused".to_owned()),
            None,
        );
    }
    let served_by = Some(Served {
        node: world.name(node),
        incarnation,
    });
    let serves = if *kind == RequestKind::Ready {
        world.says_ready(instance)
    } else {
        world.serves(instance)
    };
    if !serves {
        return (RequestOutcome::Status(503), served_by);
    }
    if let RequestKind::Write(key) = kind {
        world.store.revision += 1;
        world.store.keys.insert(*key, world.now_ms);
        world.store.last_write_ms = Some(world.now_ms);
    }
    let stale = world.has(Quirk::StaleReads)
        && incarnation == Incarnation::SelfHosted
        && node + 1 == world.control_planes;
    let revision = world.store.revision
        - if stale && *kind == RequestKind::Read {
            50
        } else {
            0
        };
    let revision = (*kind != RequestKind::Ready).then_some(revision);
    (RequestOutcome::Acknowledged { revision }, served_by)
}

fn checkpoints(kept: &Kept) -> Vec<CheckpointSeen> {
    let versions = |(component, versions): (&Component, &Vec<Version>)| {
        let component = *component;
        let seen = versions.iter().map(move |version| CheckpointSeen {
            component,
            generation: format!("t{}", version.template),
            complete: version.is_complete(),
            prepared: version.prepared,
            mixed: false,
            references: BTreeSet::new(),
        });
        seen.collect::<Vec<_>>()
    };
    kept.versions.iter().flat_map(versions).collect()
}

fn agents(world: &World, index: u8) -> Vec<AgentSeen> {
    let acting = world.acting_agent(index);
    let processes = world.node(index).processes.iter();
    let agents = processes.filter(|process| process.component == Component::CheckpointAgent);
    let seen = agents.map(|process| AgentSeen {
        id: ProcessId {
            pid: process.pid,
            start_ticks: process.started_ms / 10,
        },
        incarnation: process.incarnation,
        acting: acting == Some(process.pid),
    });
    seen.collect()
}

fn inventory(world: &World, index: u8) -> NodeInventory {
    let state = world.node(index);
    let is_agent =
        |process: &&super::node::Process| process.component == Component::CheckpointAgent;
    let processes = state
        .processes
        .iter()
        .filter(|process| !is_agent(process))
        .map(|process| {
            let broken = process.incarnation == Some(Incarnation::Bootstrap) && !state.secrets;
            Process {
                component: process.component,
                incarnation: process.incarnation,
                id: ProcessId {
                    pid: process.pid,
                    start_ticks: process.started_ms / 10,
                },
                missing_files: if broken {
                    SECRETS.map(str::to_owned).into()
                } else {
                    BTreeSet::new()
                },
            }
        });
    let mut manifests: BTreeSet<String> = state
        .manifests
        .iter()
        .map(|component| node::manifest(*component))
        .collect();
    manifests.extend(
        state
            .kept
            .active
            .iter()
            .map(|component| kept::manifest(*component)),
    );
    if state.kept.protects {
        manifests.insert(kept::AGENT_MANIFEST.to_owned());
    }
    if index < world.control_planes {
        manifests.insert("etcd.yaml".to_owned());
    }
    NodeInventory {
        processes: processes.collect(),
        manifests,
        bootstrap_files: state.bootstrap_files(),
        ports: BTreeMap::new(),
        checkpoints: checkpoints(&state.kept),
        blind_to_checkpoints: false,
        agents: agents(world, index),
        workload: None,
        kubelet: state.has_kubelet(world.now_ms).then_some(ProcessId {
            pid: state.kubelet.pid,
            start_ticks: state.kubelet.started_ms / 10,
        }),
    }
}
