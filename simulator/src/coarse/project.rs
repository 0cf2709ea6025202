//! A path of the coarse world as the observations that a real run would have given, so that the very
//! same oracle judges it.
//!
//! Time is made up: probes look five times a second, an action happens every 300 ms, and one that
//! follows the start of the apiserver's removal after 20 ms, for a task takes less time than two looks;
//! a teardown after a failure waits for nothing, and is over before the two seconds for which the oracle
//! counts an apiserver that served: where no step is announced it cannot know when the failure was.
//! The end is watched for 15 s, longer than any dip that is forgiven.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::{
    CaseClosed, CaseOpened, FaultRecord, HealRecord, Operation, OperationEnd, OperationEnded, Step,
};
use oracle::{Observation, Sighting, Source};
use terms::{
    Actor, Capability, Component, Fault, Incarnation, Kill, Moment, NodeFault, Nothing, Selector,
    Selectors, Signal, StepName,
};

use super::action::{Action, Holder};
use super::look::name;
use super::state::{Pod, Process, State, Status, Teardown, index};
use super::world::World;
use crate::explore::Model;

const LOOK_EVERY_MS: u64 = 200;
const ACTION_EVERY_MS: u64 = 300;
const LANDING_MS: u64 = 20;
const TEARDOWN_MS: u64 = 100;
const AFTERWARDS_MS: u64 = 15_000;
/// How long an answer takes, in microseconds.
const ANSWER_US: u64 = 3_000;

/// The observations of a path from the beginning. Actions that cannot happen where they stand are left out.
pub fn project(world: &World, path: &[Action]) -> Vec<Observation> {
    let mut projection = Projection::new(world);
    projection.open();
    projection.pass(2 * LOOK_EVERY_MS);
    for action in path {
        let mut listed = Vec::new();
        world.actions(&projection.state, &mut listed);
        if listed.contains(action) {
            projection.follow(*action);
        }
    }
    projection.pass(AFTERWARDS_MS);
    projection.close()
}

/// A lease with what the coarse state has no room for.
#[derive(Clone, Debug, Default)]
pub(crate) struct LeaseSeen {
    pub(crate) holder: Option<(String, u8)>,
    pub(crate) transitions: u64,
    pub(crate) renewed_ms: u64,
}

/// A projection under way.
pub(crate) struct Projection<'a> {
    pub(crate) world: &'a World,
    pub(crate) state: State,
    pub(crate) now_ms: u64,
    pub(crate) revision: u64,
    /// How many requests the load balancer got.
    pub(crate) turn: usize,
    pub(crate) leases: [LeaseSeen; 2],
    /// What runs, by node, component and who started it.
    pub(crate) pids: BTreeMap<(u8, Component, Incarnation), u32>,
    /// Start times of the kubelets.
    pub(crate) kubelets: [u64; 3],
    next_pid: u32,
    next_look_ms: u64,
    entry: u32,
    seen: Vec<Observation>,
    seqs: BTreeMap<Source, u64>,
}

impl<'a> Projection<'a> {
    fn new(world: &'a World) -> Self {
        Self {
            world,
            state: world.initial()[0],
            now_ms: 1_000,
            revision: 100,
            turn: 0,
            leases: Default::default(),
            pids: BTreeMap::new(),
            kubelets: [1; 3],
            next_pid: 1_000,
            next_look_ms: 1_000 + LOOK_EVERY_MS,
            entry: 0,
            seen: Vec::new(),
            seqs: BTreeMap::new(),
        }
    }

    fn pass(&mut self, for_ms: u64) {
        let until_ms = self.now_ms + for_ms;
        while self.next_look_ms <= until_ms {
            self.now_ms = self.next_look_ms;
            self.next_look_ms += LOOK_EVERY_MS;
            self.look();
        }
        self.now_ms = until_ms;
    }

    fn follow(&mut self, action: Action) {
        let pace_ms = if self.state.teardown == Teardown::Guarded {
            LANDING_MS
        } else if self.state.machine.tears_down() {
            TEARDOWN_MS
        } else {
            ACTION_EVERY_MS
        };
        self.pass(pace_ms);
        let before = self.state;
        self.state = self.world.apply(&before, action);
        self.outside(action);
        self.processes(action);
        if let Action::TakeLease(lock, holder) = action {
            self.take_lease(lock, holder);
        }
        self.procedure(&before, action);
    }

    /// Faults and heals, as the runner records them.
    fn outside(&mut self, action: Action) {
        match action {
            Action::CutPower(node) => {
                let fault = NodeFault {
                    node: selectors(node),
                    bind: None,
                };
                self.fault(Fault::PowerOff(fault), &[node]);
            }
            Action::PowerOn(node) => {
                self.kubelets[usize::from(node)] = self.now_ms;
                let nodes = vec![name(node)];
                let effect = Ok("the node has power".to_owned());
                self.runner(Sighting::Heal(HealRecord {
                    entry: self.entry,
                    nodes,
                    effect,
                }));
                self.entry += 1;
            }
            Action::Kill(component, _, node) => {
                let signal = Signal::Kill;
                let kill = Kill {
                    component,
                    node: selectors(node),
                    signal,
                    bind: None,
                };
                self.fault(Fault::Kill(kill), &[node]);
            }
            Action::KillInstaller => self.fault(Fault::KillInstaller(Nothing {}), &[]),
            Action::StartForeign => {
                let operation = "bootstrap".to_owned();
                self.runner(Sighting::OperationStarted(Operation {
                    operation,
                    foreign: true,
                    from_snapshot: false,
                    rival: false,
                }));
                self.pass(ACTION_EVERY_MS);
                self.ended(OperationEnd::Overdue);
            }
            _ => {}
        }
    }

    fn fault(&mut self, fault: Fault, targets: &[u8]) {
        let record = FaultRecord {
            entry: self.entry,
            fault,
            targets: targets.iter().map(|node| name(*node)).collect(),
            objects: Vec::new(),
            effect: Ok("gone".to_owned()),
            fidelity: "coarse: whole processes and nodes".to_owned(),
        };
        self.entry += 1;
        let now_us = self.now_ms * 1_000;
        self.put(
            Source::Runner,
            now_us - ANSWER_US,
            now_us,
            Sighting::Fault(record),
        );
    }

    /// Processes that began, ended or were started anew.
    fn processes(&mut self, action: Action) {
        for component in Component::SELF_HOSTED {
            let process = self.state.bootstrap[index(component)];
            self.process(
                (0, component, Incarnation::Bootstrap),
                process != Process::Gone,
                action,
            );
            for node in 0..self.world.control_planes() {
                let seat = &self.state.nodes[usize::from(node)];
                let pod = seat.pods[index(component)];
                let (runs, copied) = (
                    seat.is_on() && pod.is_running(),
                    seat.is_on() && pod == Pod::Copy,
                );
                self.process((node, component, Incarnation::SelfHosted), runs, action);
                self.process((node, component, Incarnation::Checkpoint), copied, action);
            }
        }
    }

    fn process(&mut self, which: (u8, Component, Incarnation), runs: bool, action: Action) {
        let (node, component, incarnation) = which;
        if !runs || action == Action::Kill(component, incarnation, node) {
            self.pids.remove(&which);
        }
        if runs && !self.pids.contains_key(&which) {
            self.next_pid += 1;
            self.pids.insert(which, self.next_pid);
        }
    }

    fn take_lease(&mut self, lock: Component, holder: Holder) {
        let (node, incarnations) = match holder {
            Holder::Bootstrap => (0, [Incarnation::Bootstrap; 2]),
            Holder::Node(node) => (node, [Incarnation::SelfHosted, Incarnation::Checkpoint]),
        };
        let found = incarnations.into_iter().find_map(|incarnation| {
            let pid = self.pids.get(&(node, lock, incarnation))?;
            Some(format!("{}_{incarnation}-{pid}", name(node)))
        });
        let lease = &mut self.leases[index(lock) - 1];
        lease.holder = found.map(|holder| (holder, node));
        lease.transitions += 1;
        lease.renewed_ms = self.now_ms;
    }

    /// What the installer says, and what the runner hears of its operation.
    fn procedure(&mut self, before: &State, action: Action) {
        if matches!(action, Action::Resume | Action::StartAgain) {
            let operation = "resume".to_owned();
            self.runner(Sighting::OperationStarted(Operation {
                operation,
                foreign: false,
                from_snapshot: false,
                rival: false,
            }));
        }
        let announced = |state: &State| {
            let runs = state.status == Status::Running;
            state.machine.announced().filter(|_| runs)
        };
        if announced(&self.state) != announced(before) || before.status != Status::Running {
            self.announcement();
        }
        let reinstates =
            |state: &State| state.status == Status::Running && state.machine.is_reinstating();
        if reinstates(&self.state) && !reinstates(before) {
            self.step("reinstating", Moment::Entered);
        }
        match (before.status, self.state.status) {
            (Status::Running, Status::Down) => self.ended(OperationEnd::Killed),
            (Status::Running | Status::Down, Status::Ended) if self.state.machine.is_done() => {
                self.step("done", Moment::Completed);
                self.ended(OperationEnd::Done);
            }
            (Status::Running | Status::Down, Status::Ended) => {
                self.step("holding", Moment::Entered);
                self.ended(OperationEnd::Holding);
            }
            _ => {}
        }
    }
}

impl Projection<'_> {
    /// What the installer announces, in worlds where announcements are looked at; elsewhere several are
    /// made at once, and nobody could tell them apart.
    fn announcement(&mut self) {
        let machine = self.state.machine;
        let runs = self.state.status == Status::Running && self.world.config().announces;
        let Some((stage, moment)) = machine.announced().filter(|_| runs) else {
            return;
        };
        if let Some(stage) = self.world.config().plan.stages.get(usize::from(stage)) {
            self.step(stage.step.as_str(), moment);
        }
    }
}

// === Lines of the record ===

impl Projection<'_> {
    fn open(&mut self) {
        let count = self.world.control_planes();
        let mut capabilities = BTreeSet::from([Capability::SelfHosted]);
        if count > 1 {
            capabilities.insert(Capability::Ha);
        }
        let opened = CaseOpened {
            case: "coarse".to_owned(),
            nodes: (0..count).map(name).collect(),
            bootstrap_node: name(0),
            capabilities,
            wanted_instances: u32::from(count),
            guard_instances: u32::from(count.min(2)),
            budgets: BTreeMap::new(),
            done_step: StepName::new("done"),
            expected_end: self.expected_end().to_owned(),
        };
        self.put(Source::Runner, 0, 0, Sighting::CaseOpened(opened));
        let operation = "bootstrap".to_owned();
        self.runner(Sighting::OperationStarted(Operation {
            operation,
            foreign: false,
            from_snapshot: false,
            rival: false,
        }));
        self.announcement();
    }

    fn expected_end(&self) -> &'static str {
        if self.world.config().unschedulable {
            "holding"
        } else {
            "done"
        }
    }

    fn close(mut self) -> Vec<Observation> {
        let end = match self.state.status {
            Status::Ended if self.state.machine.is_done() => "done",
            Status::Ended => "holding",
            _ => "failed",
        };
        let closed = CaseClosed {
            end: end.to_owned(),
            trouble: None,
        };
        self.now_ms += 1;
        self.runner(Sighting::CaseClosed(closed));
        self.seen
    }

    fn ended(&mut self, end: OperationEnd) {
        let operation = "bootstrap".to_owned();
        self.runner(Sighting::OperationEnded(OperationEnded {
            operation,
            end,
            detail: None,
        }));
    }

    fn step(&mut self, step: &str, moment: Moment) {
        let saw = Step {
            actor: Actor::default(),
            step: StepName::new(step),
            moment,
            occurrence: 1,
            held: false,
            reason: None,
        };
        let now_us = self.now_ms * 1_000;
        self.put(Source::Steps, now_us, now_us, Sighting::Step(saw));
    }

    fn runner(&mut self, saw: Sighting) {
        let now_us = self.now_ms * 1_000;
        self.put(Source::Runner, now_us, now_us, saw);
    }

    pub(crate) fn answer(&mut self, source: Source, saw: Sighting) {
        let now_us = self.now_ms * 1_000;
        self.put(source, now_us - ANSWER_US, now_us, saw);
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
}

fn selectors(node: u8) -> Selectors {
    Selectors(vec![Selector(name(node).to_string())])
}
