//! A driver of the machine in the thin world.

use std::collections::{BTreeMap, VecDeque};

use oracle::observation::OperationEnd;
use pivot::{
    Attempt, Durable, Effect, Effects, Input, LogEntry, Plan, StageIndex, State, Task, Timer, Why,
    resume, step,
};
use terms::{Moment, StepName};

use super::world::World;
use crate::timers;

/// Follows a plan in the thin world. Dropping it between two effects is a kill.
#[derive(Clone, Debug)]
pub struct WorldDriver {
    plan: Plan,
    state: State,
    foreign: bool,
    queue: VecDeque<Effect>,
    timers: BTreeMap<Timer, u64>,
    tasks: Vec<(u64, Task, Attempt)>,
    announced: Option<(StageIndex, Moment)>,
    next_look_ms: u64,
    ended: bool,
    log: Vec<LogEntry>,
    /// A foreign installer's marker, which lies elsewhere than the cluster's own.
    own_marker: Option<Durable>,
}

/// What an effect lets others see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing.
    Nothing,
    /// A step was announced, and its release is waited for.
    Step(StepName, Moment),
    /// A step off the path.
    Aside(&'static str, Moment, Option<String>),
    /// The operation ended, after this step.
    Ended(OperationEnd, &'static str, Moment, Option<String>),
}

impl WorldDriver {
    /// A new process of the installer.
    pub fn start(plan: &Plan, world: &World, foreign: bool) -> Self {
        let durable = if foreign { None } else { world.node(0).marker };
        let (state, effects) = resume(plan, durable);
        let mut driver = Self {
            plan: plan.clone(),
            state,
            foreign,
            queue: VecDeque::new(),
            timers: BTreeMap::new(),
            tasks: Vec::new(),
            announced: None,
            next_look_ms: 0,
            ended: false,
            log: vec![LogEntry::Resumed { durable, effects }],
            own_marker: None,
        };
        driver.take(&effects);
        driver
    }

    /// What it logged.
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    /// Whether an effect waits to be performed.
    pub(crate) fn has_effects(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Performs the next effect.
    pub(crate) fn perform_next(&mut self, world: &mut World) -> Said {
        let Some(effect) = self.queue.pop_front() else {
            return Said::Nothing;
        };
        self.perform(effect, world)
    }

    /// It was held for so long, its own timers paused.
    pub(crate) fn was_held(&mut self, held_ms: u64) {
        for due_ms in self.timers.values_mut() {
            *due_ms += held_ms;
        }
    }

    /// Performs an effect.
    pub(crate) fn perform(&mut self, effect: Effect, world: &mut World) -> Said {
        match effect {
            Effect::Persist(durable) if self.foreign => self.own_marker = Some(durable),
            Effect::Persist(durable) => world.node_mut(0).marker = Some(durable),
            Effect::Start(task, attempt) => {
                let timer = if task == Task::Canary {
                    timers::Timer::InstallerCanary
                } else {
                    timers::Timer::InstallerTask
                };
                let takes_ms = world.durations.next_ms(timer, u64::from(self.foreign));
                self.tasks.push((world.now_ms + takes_ms, task, attempt));
            }
            Effect::Cancel(task) => self.tasks.retain(|(_, running, _)| *running != task),
            Effect::Arm(timer) => {
                self.timers
                    .insert(timer, world.now_ms + self.duration_ms(timer));
            }
            Effect::Disarm(timer) => {
                self.timers.remove(&timer);
            }
            Effect::Announce(stage, moment) => {
                self.announced = Some((stage, moment));
                return Said::Step(self.step_name(stage), moment);
            }
            Effect::Reinstate(stage, why) => {
                return Said::Aside(
                    Plan::REINSTATING_STEP,
                    Moment::Entered,
                    Some(self.reason(stage, why)),
                );
            }
            Effect::Hold(stage, why) => {
                self.ended = true;
                let end = if why.is_foreign() {
                    OperationEnd::Refused
                } else {
                    OperationEnd::Holding
                };
                let step = if why.is_foreign() {
                    "refused"
                } else {
                    Plan::HOLDING_STEP
                };
                return Said::Ended(end, step, Moment::Entered, Some(self.reason(stage, why)));
            }
            Effect::Finish => return self.finish(world),
        }
        Said::Nothing
    }

    /// A policy without a marker remembers nothing on its way, but what is done is done.
    fn finish(&mut self, world: &mut World) -> Said {
        self.ended = true;
        if !self.foreign {
            let stage = self.state.stage();
            let done = Durable {
                stage,
                completed: true,
                holding: None,
                reinstating: false,
                done: true,
            };
            world.node_mut(0).marker = Some(done);
        }
        Said::Ended(OperationEnd::Done, Plan::DONE_STEP, Moment::Completed, None)
    }

    /// Gives the machine the next input of this instant, if there is one.
    pub(crate) fn deliver(&mut self, world: &mut World) -> bool {
        let Some(input) = self.next_input(world) else {
            return false;
        };
        let (state, effects) = step(&self.plan, self.state, &input);
        self.state = state;
        self.log.push(LogEntry::Stepped { input, effects });
        self.take(&effects);
        true
    }

    /// The next input of this instant. Facts come last: they are always at hand.
    pub(crate) fn next_input(&mut self, world: &mut World) -> Option<Input> {
        if self.ended {
            return None;
        }
        if let Some((stage, moment)) = self.announced.take() {
            return Some(Input::Released(stage, moment));
        }
        if let Some(index) = self
            .tasks
            .iter()
            .position(|(due_ms, ..)| *due_ms <= world.now_ms)
        {
            let (_, task, attempt) = self.tasks.remove(index);
            return Some(Input::Finished(
                task,
                attempt,
                world.perform(task, self.foreign),
            ));
        }
        let due = self
            .timers
            .iter()
            .find(|(_, due_ms)| **due_ms <= world.now_ms)
            .map(|(timer, _)| *timer);
        if let Some(timer) = due {
            self.timers.remove(&timer);
            return Some(Input::Elapsed(timer));
        }
        if world.now_ms < self.next_look_ms {
            return None;
        }
        let look_ms = timers::Timer::InstallerLook;
        self.next_look_ms =
            world.now_ms + world.durations.next_ms(look_ms, u64::from(self.foreign));
        Some(Input::Facts(world.facts()))
    }

    /// Forgets what the machine asked for.
    pub(crate) fn put_machine_aside(&mut self) {
        self.queue.clear();
    }

    fn take(&mut self, effects: &Effects) {
        self.queue.extend(effects.iter());
    }

    fn duration_ms(&self, timer: Timer) -> u64 {
        let stage = self.plan.stages.get(usize::from(self.state.stage()));
        let milliseconds = match timer {
            Timer::Stage => stage.map_or(0, |stage| stage.deadline_ms),
            Timer::Stable => stage.map_or(0, |stage| stage.stable_ms),
            Timer::Retry => self.plan.retry_ms,
        };
        u64::from(milliseconds)
    }

    fn step_name(&self, stage: StageIndex) -> StepName {
        let stage = self.plan.stages.get(usize::from(stage));
        stage.map_or_else(|| StepName::new("unknown"), |stage| stage.step.clone())
    }

    fn reason(&self, stage: StageIndex, why: Why) -> String {
        format!("at step {}: {why:?}", self.step_name(stage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thin::Scene;

    #[test]
    fn timers_stand_still_while_the_installer_is_held() {
        let plan = pivot::modern();
        let mut world = World::new(&Scene::calm("held", 1, 0));
        let mut driver = WorldDriver::start(&plan, &world, false);
        driver.put_machine_aside();
        driver.perform(Effect::Arm(Timer::Retry), &mut world);
        world.now_ms += 5_000;
        driver.was_held(5_000);
        let input = driver.next_input(&mut world);
        assert!(matches!(input, Some(Input::Facts(_))), "{input:?}");
        world.now_ms += u64::from(plan.retry_ms);
        let input = driver.next_input(&mut world);
        assert_eq!(input, Some(Input::Elapsed(Timer::Retry)));
    }
}
