//! A run: the scene is played in the world, and watched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use oracle::observation::{CaseClosed, CaseOpened, CheckpointTimes, OperationEnd, Settled};
use oracle::{Observation, Sighting};
use pivot::{LogEntry, Plan};
use terms::{
    Capability, Component, Fault, Kill, Moment, NodeFault, NodeId, Nothing, Selector, Selectors,
    Signal, StepName,
};

use super::driver::{Said, WorldDriver};
use super::scene::{Happening, Incident, Scene, When};
use super::watcher::{Done, Watcher};
use super::world::World;

/// A foreign installer that is not refused is ended after this time, in milliseconds.
const FOREIGN_MS: u64 = 30_000;
/// More effects and inputs than this at one instant are a machine that runs in circles.
const MOST_AT_ONCE: usize = 10_000;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was seen.
    pub observations: Vec<Observation>,
    /// What the installer's processes logged, one after another.
    pub log: Vec<LogEntry>,
    /// How many effects were performed.
    pub effects: u64,
    /// How the procedure stood in the end.
    pub end: String,
    /// Incidents that never came to pass.
    pub missed: Vec<Incident>,
}

/// Plays a scene under a plan and gives what was seen.
pub fn run(plan: &Plan, scene: &Scene) -> Vec<Observation> {
    run_to_end(plan, scene).observations
}

/// Plays a scene under a plan.
pub fn run_to_end(plan: &Plan, scene: &Scene) -> Run {
    let mut stage = Stage {
        plan,
        scene,
        world: World::new(scene),
        watcher: Watcher::new(opened(scene)),
        installer: None,
        foreign: None,
        boots: false,
        incidents: scene.incidents.iter().cloned().collect(),
        last_incident_ms: 0,
        entry: 0,
        ended: None,
        effects: 0,
        log: Vec::new(),
    };
    stage.start("bootstrap");
    while stage.world.now_ms < scene.longest_ms && !stage.is_over() {
        stage.incidents_of_time();
        stage.world.tick();
        stage.watcher.agent_steps(&mut stage.world);
        stage.boot();
        stage.drive();
        if stage.world.now_ms.is_multiple_of(scene.watch_every_ms) {
            stage.watcher.look(&mut stage.world);
        }
    }
    stage.close()
}

struct Stage<'a> {
    plan: &'a Plan,
    scene: &'a Scene,
    world: World,
    watcher: Watcher,
    installer: Option<WorldDriver>,
    /// Another cluster's installer, and since when it runs.
    foreign: Option<(WorldDriver, u64)>,
    /// The bootstrap node boots, and will start the installer's unit.
    boots: bool,
    incidents: VecDeque<Incident>,
    last_incident_ms: u64,
    entry: u32,
    /// How the last operation of the own installer ended, and when.
    ended: Option<(OperationEnd, u64)>,
    effects: u64,
    log: Vec<LogEntry>,
}

impl Stage<'_> {
    fn is_over(&self) -> bool {
        let Some((_, ended_ms)) = self.ended else {
            return false;
        };
        let quiet_ms = ended_ms.max(self.last_incident_ms) + self.scene.afterwards_ms;
        let busy = self.installer.is_some() || self.foreign.is_some() || self.boots;
        !busy && self.incidents.is_empty() && self.world.now_ms >= quiet_ms
    }

    fn close(mut self) -> Run {
        if self.installer.is_some() {
            self.end(OperationEnd::Overdue, None);
        }
        let end = match self.ended {
            Some((OperationEnd::Done, _)) => "done",
            Some((OperationEnd::Holding, _)) => "holding",
            _ => "failed",
        };
        if end == "done" {
            let settled = Settled {
                entry: u32::MAX,
                missing: self.world.missing(false, &[]),
                failed_claims: BTreeMap::new(),
                took_ms: 0,
            };
            self.watcher
                .runner(self.world.now_ms, Sighting::Settled(settled));
        }
        let closed = CaseClosed {
            end: end.to_owned(),
            trouble: None,
        };
        let observations = self.watcher.close(&mut self.world, closed);
        let missed = self.incidents.into();
        Run {
            observations,
            log: self.log,
            effects: self.effects,
            end: end.to_owned(),
            missed,
        }
    }

    fn start(&mut self, operation: &'static str) {
        self.watcher
            .operation_started(self.world.now_ms, operation, false);
        self.world.node_mut(0).unit = true;
        self.ended = None;
        self.installer = Some(WorldDriver::start(self.plan, &self.world, false));
    }

    /// The own installer's operation is over; its log is kept.
    fn end(&mut self, end: OperationEnd, detail: Option<String>) {
        if let Some(installer) = self.installer.take() {
            self.log.extend_from_slice(installer.log());
        }
        if end != OperationEnd::Killed {
            self.world.node_mut(0).unit = false;
        }
        self.ended = Some((end, self.world.now_ms));
        self.watcher.operation_ended(self.world.now_ms, end, detail);
    }

    fn boot(&mut self) {
        if self.boots && self.world.node(0).is_up(self.world.now_ms) {
            self.boots = false;
            self.start("resume");
        }
    }

    fn drive(&mut self) {
        for _ in 0..MOST_AT_ONCE {
            let Some(installer) = &mut self.installer else {
                break;
            };
            if !installer.has_effects() {
                if installer.deliver(&mut self.world) {
                    continue;
                }
                break;
            }
            if matches!(self.incidents.front(), Some(Incident { when: When::BeforeEffect(number), .. }) if *number == self.effects + 1)
            {
                self.happen();
                continue;
            }
            self.effects += 1;
            let said = installer.perform_next(&mut self.world);
            self.hear(said);
        }
        self.drive_foreign();
    }

    fn hear(&mut self, said: Said) {
        let now_ms = self.world.now_ms;
        match said {
            Said::Nothing => {}
            Said::Step(step, moment) => {
                let held = self.is_next(&step, moment);
                self.watcher.step(now_ms, &step, moment, held, None);
                while self.is_next(&step, moment) {
                    self.happen();
                }
            }
            Said::Aside(step, moment, reason) => {
                self.watcher
                    .step(now_ms, &StepName::new(step), moment, false, reason);
            }
            Said::Ended(end, step, moment, reason) => {
                self.watcher
                    .step(now_ms, &StepName::new(step), moment, false, reason.clone());
                self.end(end, reason);
            }
        }
    }

    fn is_next(&self, step: &StepName, moment: Moment) -> bool {
        matches!(self.incidents.front(), Some(Incident { when: When::At(at, side), .. }) if at == step && *side == moment)
    }

    fn drive_foreign(&mut self) {
        let Some((mut foreign, since_ms)) = self.foreign.take() else {
            return;
        };
        for _ in 0..MOST_AT_ONCE {
            if foreign.has_effects() {
                // Its steps are announced elsewhere; only its end is seen.
                if let Said::Ended(end, _, _, reason) = foreign.perform_next(&mut self.world) {
                    return self.watcher.operation_ended(self.world.now_ms, end, reason);
                }
            } else if !foreign.deliver(&mut self.world) {
                break;
            }
        }
        if self.world.now_ms >= since_ms + FOREIGN_MS {
            self.watcher
                .operation_ended(self.world.now_ms, OperationEnd::Overdue, None);
        } else {
            self.foreign = Some((foreign, since_ms));
        }
    }
}

// === Incidents ===

impl Stage<'_> {
    fn incidents_of_time(&mut self) {
        loop {
            let due = match self.incidents.front().map(|incident| &incident.when) {
                Some(When::After(after_ms)) => {
                    self.world.now_ms >= self.last_incident_ms + after_ms
                }
                Some(When::AfterEnd(after_ms)) => self
                    .ended
                    .is_some_and(|(_, ended_ms)| self.world.now_ms >= ended_ms + after_ms),
                _ => false,
            };
            if !due {
                return;
            }
            self.happen();
        }
    }

    fn happen(&mut self) {
        let Some(Incident { what, .. }) = self.incidents.pop_front() else {
            return;
        };
        self.last_incident_ms = self.world.now_ms;
        match what {
            Happening::PowerOff(node) => self.power_off(node),
            Happening::PowerOffEtcdLeader => self.power_off(self.world.store.leader.unwrap_or(0)),
            Happening::PowerOn(node) => self.power_on(&[node]),
            Happening::PowerOnAll => {
                let all: Vec<_> = self
                    .world
                    .indices()
                    .filter(|node| !self.world.node(*node).on)
                    .collect();
                self.power_on(&all);
            }
            Happening::KillInstaller => {
                let effect = if self.installer.is_some() {
                    Ok("the process is gone")
                } else {
                    Err("it did not run")
                };
                self.fault(Fault::KillInstaller(Nothing {}), &[], effect);
                self.end(OperationEnd::Killed, None);
            }
            Happening::Resume => self.start("resume"),
            Happening::Kill(component, node) => self.kill(component, node),
            Happening::KillHolder(component) => {
                if let Some((node, ..)) = self.world.leases[&component].holder {
                    self.kill(component, node);
                }
            }
            Happening::Turn(quirk) => {
                self.world.turn_peculiar(quirk);
            }
            Happening::StartForeign => {
                self.watcher
                    .operation_started(self.world.now_ms, "bootstrap", true);
                self.foreign = Some((
                    WorldDriver::start(self.plan, &self.world, true),
                    self.world.now_ms,
                ));
            }
        }
    }

    fn power_off(&mut self, node: u8) {
        self.world.power_off(node);
        let fault = Fault::PowerOff(NodeFault {
            node: self.selectors(node),
            bind: None,
        });
        self.fault(fault, &[node], Ok("its processes are gone"));
        if node == 0 && self.installer.is_some() {
            self.end(
                OperationEnd::Killed,
                Some("its node lost its power".to_owned()),
            );
        }
    }

    fn power_on(&mut self, nodes: &[u8]) {
        for node in nodes {
            self.world.power_on(*node);
        }
        let names = nodes.iter().map(|node| self.world.name(*node)).collect();
        let now_ms = self.world.now_ms;
        self.watcher.heal((now_ms, now_ms), self.entry, Ok(names));
        self.entry += 1;
        self.boots = nodes.contains(&0) && self.world.node(0).unit && self.installer.is_none();
    }

    fn kill(&mut self, component: Component, node: u8) {
        let effect = if self.world.kill(component, node, Signal::Kill).is_empty() {
            Err("no such process")
        } else {
            Ok("the process is gone")
        };
        let kill = Kill {
            component,
            node: self.selectors(node),
            signal: Signal::Kill,
            bind: None,
        };
        self.fault(Fault::Kill(kill), &[node], effect);
    }

    fn selectors(&self, node: u8) -> Selectors {
        Selectors(vec![Selector(self.world.name(node).to_string())])
    }

    fn fault(&mut self, fault: Fault, targets: &[u8], effect: Result<&str, &str>) {
        let targets: Vec<NodeId> = targets.iter().map(|node| self.world.name(*node)).collect();
        let done = Done {
            entry: self.entry,
            fault,
            objects: targets.iter().map(ToString::to_string).collect(),
            targets,
            effect: effect.map(str::to_owned).map_err(str::to_owned),
            fidelity: "in memory: whole processes and nodes",
            since_ms: self.world.now_ms,
        };
        self.watcher.fault(self.world.now_ms, done);
        self.entry += 1;
    }
}

/// What a scene's case is, as far as the judge may know.
fn opened(scene: &Scene) -> CaseOpened {
    let control_planes = usize::from(scene.control_planes);
    let nodes = (1..=control_planes).map(NodeId::control_plane);
    let workers = (1..=usize::from(scene.workers)).map(NodeId::worker);
    let mut capabilities = BTreeSet::from([Capability::SelfHosted]);
    if scene.agent.is_some() {
        capabilities.insert(Capability::Checkpoints);
    }
    if scene.control_planes > 1 {
        capabilities.insert(Capability::Ha);
    }
    CaseOpened {
        case: scene.name.clone(),
        nodes: nodes.chain(workers).collect(),
        bootstrap_node: NodeId::control_plane(1),
        capabilities,
        wanted_instances: u32::from(scene.control_planes),
        guard_instances: u32::from(scene.control_planes.min(2)),
        budgets: scene.budgets.clone(),
        done_step: StepName::new("done"),
        expected_end: scene.ends.clone(),
        checkpoint_times: scene.agent.as_ref().map(|agent| CheckpointTimes {
            grace_ms: agent.grace_ms.into(),
        }),
    }
}
