//! Sees the world from outside and writes what a real run's probes would have written.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::{
    CaseClosed, CaseOpened, Connection, Credential, EtcdStatus, FaultRecord, HealRecord,
    HostSample, Lease, NodeInventory, NodeStatus, Operation, OperationEnd, OperationEnded,
    PodStatus, Process, ProcessId, ReadBack, Request, RequestKind, RequestOutcome, Served, Settled,
    Step,
};
use oracle::{Observation, Sighting, Source};
use terms::{Actor, Capability, Component, Fault, Incarnation, Moment, NodeId, StepName};

use super::node::{self, SECRETS};
use super::scene::{Quirk, Scene};
use super::world::{Instance, World, lasts};

/// How long an answer takes, in microseconds.
const ANSWER_US: u64 = 3_000;

/// A fault that was done.
pub(crate) struct Done {
    pub(crate) fault: Fault,
    pub(crate) targets: Vec<NodeId>,
    pub(crate) effect: Result<String, String>,
}

/// The watcher.
pub(crate) struct Watcher {
    seen: Vec<Observation>,
    seqs: BTreeMap<Source, u64>,
    occurrences: BTreeMap<(StepName, Moment), u32>,
    operation: String,
    next_key: u64,
}

impl Watcher {
    pub(crate) fn new(scene: &Scene) -> Self {
        let mut watcher = Self {
            seen: Vec::new(),
            seqs: BTreeMap::new(),
            occurrences: BTreeMap::new(),
            operation: String::new(),
            next_key: 1,
        };
        let nodes =
            (1..=scene.control_planes).map(|number| NodeId::control_plane(usize::from(number)));
        let workers = (1..=scene.workers).map(|number| NodeId::worker(usize::from(number)));
        let mut capabilities = BTreeSet::from([Capability::SelfHosted]);
        if scene.control_planes > 1 {
            capabilities.insert(Capability::Ha);
        }
        let opened = CaseOpened {
            case: scene.name.clone(),
            nodes: nodes.chain(workers).collect(),
            bootstrap_node: NodeId::control_plane(1),
            capabilities,
            wanted_instances: u32::from(scene.control_planes),
            guard_instances: u32::from(scene.control_planes.min(2)),
            budgets: scene.budgets.clone(),
            done_step: StepName::new("done"),
            expected_end: scene.ends.clone(),
        };
        watcher.put(Source::Runner, 0, 0, Sighting::CaseOpened(opened));
        watcher
    }

    fn put(&mut self, source: Source, start_us: u64, end_us: u64, saw: Sighting) {
        let seq = self.seqs.entry(source.clone()).or_default();
        self.seen.push(Observation {
            v: 1,
            source,
            seq: *seq,
            start_us,
            end_us,
            saw,
        });
        *seq += 1;
    }

    fn answer(&mut self, world: &World, source: Source, saw: Sighting) {
        let end_us = world.now_ms * 1_000;
        self.put(source, end_us - ANSWER_US, end_us, saw);
    }

    fn runner(&mut self, now_ms: u64, saw: Sighting) {
        self.put(Source::Runner, now_ms * 1_000, now_ms * 1_000, saw);
    }
}

// === What the runner and the installer say ===

impl Watcher {
    pub(crate) fn operation_started(&mut self, now_ms: u64, operation: &str, foreign: bool) {
        self.operation = operation.to_owned();
        let started = Operation {
            operation: operation.to_owned(),
            foreign,
        };
        self.runner(now_ms, Sighting::OperationStarted(started));
    }

    pub(crate) fn operation_ended(
        &mut self,
        now_ms: u64,
        end: OperationEnd,
        detail: Option<String>,
    ) {
        let ended = OperationEnded {
            operation: self.operation.clone(),
            end,
            detail,
        };
        self.runner(now_ms, Sighting::OperationEnded(ended));
    }

    pub(crate) fn fault(&mut self, now_ms: u64, entry: u32, done: Done) {
        let Done {
            fault,
            targets,
            effect,
        } = done;
        let fidelity = "in memory: whole processes and nodes".to_owned();
        let objects = targets.iter().map(ToString::to_string).collect();
        let record = FaultRecord {
            entry,
            fault,
            targets,
            objects,
            effect,
            fidelity,
        };
        // A fault is proven after it took effect: looking began before.
        let now_us = now_ms * 1_000;
        let start_us = now_us.saturating_sub(ANSWER_US);
        self.put(Source::Runner, start_us, now_us, Sighting::Fault(record));
    }

    pub(crate) fn heal(&mut self, now_ms: u64, entry: u32, nodes: Vec<NodeId>) {
        let record = HealRecord {
            entry,
            nodes,
            effect: Ok("the nodes have power".to_owned()),
        };
        self.runner(now_ms, Sighting::Heal(record));
    }

    pub(crate) fn step(
        &mut self,
        now_ms: u64,
        step: &StepName,
        moment: Moment,
        held: bool,
        reason: Option<String>,
    ) {
        let occurrence = self.occurrences.entry((step.clone(), moment)).or_default();
        *occurrence += 1;
        let occurrence = *occurrence;
        let saw = Step {
            actor: Actor::default(),
            step: step.clone(),
            moment,
            occurrence,
            held,
            reason,
        };
        self.put(
            Source::Steps,
            now_ms * 1_000,
            now_ms * 1_000,
            Sighting::Step(saw),
        );
    }

    /// The last look: written keys are read back, an old credential is tried, and the record is closed.
    pub(crate) fn close(mut self, world: &mut World, end: &str) -> Vec<Observation> {
        self.look(world);
        if end == "done" {
            let missing = missing(world);
            let settled = Settled {
                entry: u32::MAX,
                missing,
                failed_claims: BTreeMap::new(),
                took_ms: 0,
            };
            self.runner(world.now_ms, Sighting::Settled(settled));
        }
        if world.reachable() {
            let keys = world.store.keys.keys().copied().collect();
            let read = ReadBack {
                keys,
                revision: world.store.revision,
            };
            self.answer(world, Source::LoadBalancer, Sighting::ReadBack(read));
        }
        let answer = match world.authority {
            1 => Ok(()),
            _ => Err("certificate signed by unknown authority".to_owned()),
        };
        let name = "administrator's client certificate from before the procedure".to_owned();
        let credential = Credential {
            name,
            accepted: world.reachable().then_some(answer),
        };
        self.answer(
            world,
            Source::LoadBalancer,
            Sighting::Credential(credential),
        );
        let closed = CaseClosed {
            end: end.to_owned(),
            trouble: None,
        };
        self.runner(world.now_ms + 1, Sighting::CaseClosed(closed));
        self.seen
    }
}

// === What is asked of the cluster ===

impl Watcher {
    /// One look at everything.
    pub(crate) fn look(&mut self, world: &mut World) {
        let key = self.next_key;
        self.next_key += 1;
        self.through_load_balancer(world, RequestKind::Write(key));
        self.through_load_balancer(world, RequestKind::Read);
        self.apiservers(world);
        self.cluster(world);
        self.etcd(world);
        for index in world.indices().filter(|index| world.node(*index).on) {
            let inventory = inventory(world, index);
            self.answer(
                world,
                Source::Node(world.name(index)),
                Sighting::NodeInventory(inventory),
            );
        }
        if world.now_ms.is_multiple_of(1_000) {
            let sample = HostSample {
                timer_late_us: 200,
                fsync_us: 900,
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
            let Some((node, incarnation, pid)) = lease.holder else {
                continue;
            };
            let saw = Lease {
                lock: *lock,
                holder: Some(format!("{}_{incarnation}-{pid}", world.name(node))),
                holder_node: Some(world.name(node)),
                transitions: lease.transitions,
                renewed: lease.renewed_ms.to_string(),
            };
            self.answer(world, Source::Cluster, Sighting::Lease(saw));
        }
        let registered = world
            .indices()
            .filter(|index| world.registered.contains(*index));
        let nodes = registered
            .map(|index| NodeStatus {
                node: world.name(index),
                ready: world.is_fresh(index, lasts::NODE_GRACE_MS),
            })
            .collect();
        self.answer(world, Source::Cluster, Sighting::Nodes(nodes));
        let pods = world.pods.iter().map(|pod| PodStatus {
            component: pod.component,
            incarnation: Incarnation::SelfHosted,
            node: pod.bound.then(|| world.name(pod.node)),
            uid: format!("uid-{}", pod.uid),
            ready: world
                .process_of(pod)
                .is_some_and(|process| process.is_ready(world.now_ms)),
            terminating: false,
        });
        self.answer(world, Source::Cluster, Sighting::Pods(pods.collect()));
    }

    fn etcd(&mut self, world: &World) {
        let healthy = world.etcd_healthy();
        let alone = world.has(Quirk::EtcdMembersStartAlone);
        for index in 0..world.control_planes {
            let status = healthy.contains(index).then(|| EtcdStatus {
                cluster: if alone {
                    format!("c{index}")
                } else {
                    "c0".to_owned()
                },
                member: format!("m{index}"),
                leader: world.store.leader.map(|leader| format!("m{leader}")),
                term: world.store.term,
                revision: world.store.revision,
            });
            self.answer(
                world,
                Source::EtcdMember(world.name(index)),
                Sighting::Etcd(status),
            );
        }
    }
}

/// What a cluster that settled would have and this one has not.
fn missing(world: &World) -> Vec<String> {
    let mut missing = Vec::new();
    for component in Component::SELF_HOSTED {
        let of_it = world.pods.iter().filter(|pod| pod.component == component);
        let processes = of_it.filter_map(|pod| world.process_of(pod));
        let ready = processes
            .filter(|process| process.is_ready(world.now_ms))
            .count();
        if ready < usize::from(world.control_planes) {
            missing.push(format!(
                "{ready} of {} {component} are ready",
                world.control_planes
            ));
        }
    }
    for index in world.indices().filter(|index| !world.is_fresh(*index, 0)) {
        missing.push(format!("{} is not Ready", world.name(index)));
    }
    if !world.reachable() {
        missing.push("no write through the load balancer".to_owned());
    }
    missing
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
        world.ready_apiservers()
    } else {
        world.serving()
    };
    if !serves.contains(&instance) {
        return (RequestOutcome::Status(503), served_by);
    }
    if let RequestKind::Write(key) = kind {
        world.store.revision += 1;
        world.store.keys.insert(*key, world.now_ms);
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

fn inventory(world: &World, index: u8) -> NodeInventory {
    let state = world.node(index);
    let processes = state.processes.iter().map(|process| {
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
    if index < world.control_planes {
        manifests.insert("etcd.yaml".to_owned());
    }
    NodeInventory {
        processes: processes.collect(),
        manifests,
        bootstrap_files: state.bootstrap_files(),
        ports: BTreeMap::new(),
        kubelet: Some(ProcessId {
            pid: 200,
            start_ticks: state.since_ms / 10,
        }),
    }
}
