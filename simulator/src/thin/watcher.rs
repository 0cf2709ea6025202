//! Sees the world from outside and writes what a real run's probes would have written.

use std::collections::BTreeMap;

use oracle::observation::{
    CaseClosed, CaseOpened, Credential, FaultRecord, HealRecord, Operation, OperationEnd,
    OperationEnded, ReadBack, Step,
};
use oracle::{Observation, Sighting, Source};
use pivot::NodeSet;
use terms::{Actor, Component, Fault, Incarnation, Moment, NodeId, StepName};

use super::agent::Announced;
use super::node::Node;
use super::world::{Pod, World};

/// How long an answer takes, in microseconds.
const ANSWER_US: u64 = 3_000;

/// Most cases have fewer observations, when they are looked at sparingly.
const USUAL_OBSERVATIONS: usize = 4_096;

/// What is unchanged is told again after this time, as a sign of life.
const REPEAT_MS: u64 = 1_000;

/// A fault that was done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Done {
    /// Index of the timeline's entry.
    pub(crate) entry: u32,
    pub(crate) fault: Fault,
    pub(crate) targets: Vec<NodeId>,
    pub(crate) objects: Vec<String>,
    pub(crate) effect: Result<String, String>,
    pub(crate) fidelity: &'static str,
    /// When it was begun.
    pub(crate) since_ms: u64,
}

/// A node at a look.
struct NodeSeen {
    node: Node,
    /// The count of the node's changes then.
    changes: u64,
    has_kubelet: bool,
    /// The agent's process that held the lock.
    acting: Option<u32>,
    /// What was last told of it, and when.
    saw: Sighting,
    told_ms: u64,
}

/// What is looked at often and changes seldom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Lease(Component),
    Nodes,
    Pods,
    Etcd(u8),
}

/// What a subject was found to be. Comparing it costs less than telling it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    Lease((u8, Incarnation, u32), u64, u64),
    /// Nodes that are registered, and those that are ready.
    Nodes(NodeSet, NodeSet),
    /// Each pod, and since when it has been ready, in milliseconds.
    Pods(Vec<(Pod, Option<u64>)>),
    /// Whether each member is a cluster of its own; leader, term and revision, if this one answers.
    Etcd(bool, Option<(Option<u8>, u64, u64)>),
}

/// What was last told of a subject.
struct Told {
    looked: Looked,
    saw: Sighting,
    told_ms: u64,
}

/// The watcher.
pub(crate) struct Watcher {
    seen: Vec<Observation>,
    /// The next place within each source; there are few.
    seqs: Vec<(Source, u64)>,
    occurrences: BTreeMap<(StepName, Moment), u32>,
    told: BTreeMap<Subject, Told>,
    /// Nodes as they were when they were last looked at, by index.
    nodes: BTreeMap<u8, NodeSeen>,
    operation: String,
    pub(crate) next_key: u64,
}

impl Watcher {
    pub(crate) fn new(opened: CaseOpened) -> Self {
        let mut watcher = Self {
            seen: Vec::with_capacity(USUAL_OBSERVATIONS),
            seqs: Vec::new(),
            occurrences: BTreeMap::new(),
            told: BTreeMap::new(),
            nodes: BTreeMap::new(),
            operation: String::new(),
            next_key: 1,
        };
        watcher.put(Source::Runner, 0, 0, Sighting::CaseOpened(opened));
        watcher
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> &[Observation] {
        &self.seen
    }

    /// Which occurrence of an address the next one is, from 1.
    pub(crate) fn next_occurrence(&self, step: &StepName, moment: Moment) -> u32 {
        let earlier = self.occurrences.get(&(step.clone(), moment)).copied();
        earlier.unwrap_or_default() + 1
    }

    pub(crate) fn put(&mut self, source: Source, start_us: u64, end_us: u64, saw: Sighting) {
        let known = self.seqs.iter_mut().find(|(known, _)| *known == source);
        let seq = match known {
            Some((_, next)) => {
                *next += 1;
                *next - 1
            }
            None => {
                self.seqs.push((source.clone(), 1));
                0
            }
        };
        self.seen.push(Observation {
            v: 1,
            source,
            seq,
            start_us,
            end_us,
            saw,
        });
    }

    pub(crate) fn answer(&mut self, world: &World, source: Source, saw: Sighting) {
        let end_us = world.now_ms * 1_000;
        self.put(source, end_us - ANSWER_US, end_us, saw);
    }

    /// Tells what is found on a node: when anything about it changed, or as a sign of life.
    pub(super) fn tell_node(
        &mut self,
        world: &World,
        index: u8,
        inventory: impl FnOnce() -> Sighting,
    ) {
        let now_ms = world.now_ms;
        let node = world.node(index);
        let has_kubelet = node.has_kubelet(now_ms);
        let acting = world.acting_agent(index);
        let source = || Source::Node(world.name(index));
        let Some(seen) = self.nodes.get_mut(&index) else {
            let saw = inventory();
            let seen = NodeSeen {
                node: node.clone(),
                changes: world.changes_of(index),
                has_kubelet,
                acting,
                saw: saw.clone(),
                told_ms: now_ms,
            };
            self.nodes.insert(index, seen);
            self.answer(world, source(), saw);
            return;
        };
        let is_due = now_ms >= seen.told_ms + REPEAT_MS;
        let is_unchanged = seen.changes == world.changes_of(index) || seen.node == *node;
        seen.changes = world.changes_of(index);
        let is_same = seen.has_kubelet == has_kubelet && is_unchanged;
        if is_same && !is_due {
            return;
        }
        if !is_same || seen.acting != acting {
            let saw = inventory();
            seen.node.clone_from(node);
            seen.has_kubelet = has_kubelet;
            seen.acting = acting;
            if seen.saw == saw && !is_due {
                return;
            }
            seen.saw = saw;
        }
        seen.told_ms = now_ms;
        let saw = seen.saw.clone();
        self.answer(world, source(), saw);
    }

    /// Tells what is looked at often and changes seldom: when it changed, or as a sign of life. What was last
    /// told of the subject becomes what is to be told now.
    pub(super) fn tell(
        &mut self,
        world: &World,
        subject: Subject,
        looked: Looked,
        sighting: impl FnOnce(&mut Sighting),
    ) {
        let now_ms = world.now_ms;
        let saw = match self.told.get_mut(&subject) {
            Some(told) => {
                let changed = told.looked != looked;
                if !changed && now_ms < told.told_ms + REPEAT_MS {
                    return;
                }
                if changed {
                    sighting(&mut told.saw);
                    told.looked = looked;
                }
                told.told_ms = now_ms;
                told.saw.clone()
            }
            None => {
                let mut saw = Sighting::Nodes(Vec::new());
                sighting(&mut saw);
                let told = Told {
                    looked,
                    saw: saw.clone(),
                    told_ms: now_ms,
                };
                self.told.insert(subject, told);
                saw
            }
        };
        let source = match subject {
            Subject::Etcd(index) => Source::EtcdMember(world.name(index)),
            Subject::Lease(_) | Subject::Nodes | Subject::Pods => Source::Cluster,
        };
        self.answer(world, source, saw);
    }

    pub(crate) fn runner(&mut self, now_ms: u64, saw: Sighting) {
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
            from_snapshot: false,
            rival: false,
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

    pub(crate) fn fault(&mut self, now_ms: u64, done: Done) {
        let Done {
            entry,
            fault,
            targets,
            objects,
            effect,
            fidelity,
            since_ms,
        } = done;
        let record = FaultRecord {
            entry,
            fault,
            targets,
            objects,
            effect,
            fidelity: fidelity.to_owned(),
        };
        // A fault is proven after it took effect: looking began before.
        let now_us = now_ms * 1_000;
        let start_us = (since_ms * 1_000).min(now_us.saturating_sub(ANSWER_US));
        self.put(Source::Runner, start_us, now_us, Sighting::Fault(record));
    }

    /// Power was given back to these nodes from the first time on, and their services run at the second.
    pub(crate) fn heal(
        &mut self,
        (since_ms, now_ms): (u64, u64),
        entry: u32,
        healed: Result<Vec<NodeId>, String>,
    ) {
        let (nodes, effect) = match healed {
            Ok(nodes) => (nodes, Ok("power is back and services run".to_owned())),
            Err(reason) => (Vec::new(), Err(reason)),
        };
        let record = HealRecord {
            entry,
            nodes,
            effect,
        };
        let (start_us, end_us) = (since_ms * 1_000, now_ms * 1_000);
        self.put(Source::Runner, start_us, end_us, Sighting::Heal(record));
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

    /// What the checkpoint agents announced since the last call.
    pub(crate) fn agent_steps(&mut self, world: &mut World) {
        for Announced { at, now_ms, held } in std::mem::take(&mut world.agents.said) {
            let saw = Step {
                actor: Actor(format!("checkpoint@{}", world.name(at.node))),
                step: at.step,
                moment: at.moment,
                occurrence: at.occurrence,
                held,
                reason: None,
            };
            let now_us = now_ms * 1_000;
            self.put(Source::Steps, now_us, now_us, Sighting::Step(saw));
        }
    }

    /// The last look: written keys are read back, an old credential is tried, and the record is closed.
    pub(crate) fn close(mut self, world: &mut World, closed: CaseClosed) -> Vec<Observation> {
        self.told.clear();
        self.nodes.clear();
        self.look(world);
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
        let credential = Credential {
            name: "client certificate from before the pivot".to_owned(),
            accepted: world.reachable().then_some(answer),
        };
        self.runner(world.now_ms, Sighting::Credential(credential));
        self.runner(world.now_ms + 1, Sighting::CaseClosed(closed));
        self.seen
    }
}
