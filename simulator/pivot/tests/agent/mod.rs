//! A driver for tests: it performs effects by writing them down.

#![allow(dead_code)]

use pivot::Attempt;
use pivot::checkpoint::{
    AgentPlan, Effect, Effects, Facts, Input, Known, LogEntry, Outcome, State, Step, Task, Timer,
    begin, modern_agent, step,
};
use terms::{Component, Moment};

/// A node whose parent is ready, and of which nothing is saved yet.
pub(crate) fn healthy() -> Facts {
    Facts {
        api: true,
        bound: Known::Yes,
        parent_ready: true,
        parent: 1,
        parent_runs: Known::Yes,
        copy_runs: Known::No,
        led: Known::Yes,
        ..Facts::default()
    }
}

/// A node that got its power back, with a complete version on its disk.
pub(crate) fn powerless() -> Facts {
    Facts {
        parent_runs: Known::No,
        copy_runs: Known::No,
        saved: pivot::checkpoint::Saved::Complete,
        ..Facts::default()
    }
}

/// One machine with all that it asked for.
pub(crate) struct Bench {
    pub(crate) plan: AgentPlan,
    pub(crate) component: Component,
    pub(crate) state: State,
    pub(crate) armed: Vec<Timer>,
    /// Every time that a timer was armed.
    pub(crate) arms: Vec<Timer>,
    pub(crate) running: Vec<(Task, Attempt)>,
    pub(crate) cancelled: Vec<Task>,
    pub(crate) announced: Vec<(Step, Moment)>,
    /// Where the driver does not release at once.
    pub(crate) hold: Option<(Step, Moment)>,
    pub(crate) log: Vec<LogEntry>,
}

impl Bench {
    pub(crate) fn of(plan: AgentPlan, component: Component) -> Self {
        Self {
            plan,
            component,
            state: begin(),
            armed: Vec::new(),
            arms: Vec::new(),
            running: Vec::new(),
            cancelled: Vec::new(),
            announced: Vec::new(),
            hold: None,
            log: vec![LogEntry::Began],
        }
    }

    pub(crate) fn modern() -> Self {
        Self::of(modern_agent(), Component::KubeApiserver)
    }

    pub(crate) fn input(&mut self, input: Input) -> Effects {
        let (state, effects) = step(&self.plan, self.component, self.state, input);
        self.log.push(LogEntry::Stepped {
            component: self.component,
            input,
            effects,
        });
        self.state = state;
        for effect in effects.iter() {
            self.perform(effect);
        }
        effects
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Start(task, attempt) => self.running.push((task, attempt)),
            Effect::Cancel(task) => {
                self.running.retain(|(running, _)| *running != task);
                self.cancelled.push(task);
            }
            Effect::Arm(timer) => {
                self.armed.retain(|armed| *armed != timer);
                self.armed.push(timer);
                self.arms.push(timer);
            }
            Effect::Disarm(timer) => self.armed.retain(|armed| *armed != timer),
            Effect::Announce(step, moment) => {
                self.announced.push((step, moment));
                if self.hold != Some((step, moment)) {
                    self.release();
                }
            }
        }
    }

    pub(crate) fn release(&mut self) {
        if let Some((step, moment)) = self.state.announced() {
            self.input(Input::Released(step, moment));
        }
    }

    pub(crate) fn tell(&mut self, facts: Facts) -> Effects {
        self.input(Input::Facts(facts))
    }

    pub(crate) fn run_out(&mut self, timer: Timer) {
        assert!(self.armed.contains(&timer), "{timer:?} is not armed");
        self.armed.retain(|armed| *armed != timer);
        self.input(Input::Elapsed(timer));
    }

    pub(crate) fn finish(&mut self, outcome: Outcome) {
        let (task, attempt) = self.running.remove(0);
        self.input(Input::Finished(task, attempt, outcome));
    }

    pub(crate) fn tasks(&self) -> Vec<Task> {
        self.running.iter().map(|(task, _)| *task).collect()
    }
}
