//! Sees the world from outside and writes what a real run's probes would have written.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::{
    CaseClosed, CaseOpened, Credential, FaultRecord, HealRecord, Operation, OperationEnd,
    OperationEnded, ReadBack, Settled, Step,
};
use oracle::{Observation, Sighting, Source};
use terms::{Actor, Capability, Component, Fault, Moment, NodeId, StepName};

use super::scene::Scene;
use super::world::World;

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
    pub(crate) next_key: u64,
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

    pub(crate) fn put(&mut self, source: Source, start_us: u64, end_us: u64, saw: Sighting) {
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

    pub(crate) fn answer(&mut self, world: &World, source: Source, saw: Sighting) {
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
