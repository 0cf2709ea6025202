//! The machine: a plan, a component, a state and an input give the next state and what must be done.

use terms::{Component, Moment};

use super::effect::{Effect, Effects, Input, Outcome, Step, Task, Timer};
use super::facts::Facts;
use super::judge;
use super::plan::AgentPlan;
use super::state::{Flag, Phase, State};

/// What may have to be done, the most pressing first.
const WATCHED: [(Step, Timer); 4] = [
    (Step::Activated, Timer::Absent),
    (Step::Retired, Timer::Handover),
    (Step::Written, Timer::Ready),
    (Step::Removed, Timer::Grace),
];

/// What follows from an input. Total and pure: every input is legal in every state, and what does
/// not concern the state changes nothing.
pub fn step(
    plan: &AgentPlan,
    component: Component,
    state: State,
    input: Input,
) -> (State, Effects) {
    let mut machine = Machine {
        plan,
        component,
        state,
        effects: Effects::none(),
    };
    match input {
        Input::Facts(facts) => machine.facts(&facts),
        Input::Finished(task, attempt, outcome) => {
            // A task that was given up, or an attempt before this one, may still answer.
            if machine.state.running() == Some((task, attempt)) {
                machine.finished(task, outcome);
            }
        }
        Input::Elapsed(timer) => {
            // A timer that is not armed was disarmed while it ran out.
            if machine.state.is_armed(timer) {
                machine.elapsed(timer);
            }
        }
        Input::Released(step, moment) => {
            if machine.state.announced() == Some((step, moment)) {
                machine.released(step, moment);
            }
        }
    }
    (machine.state, machine.effects)
}

/// A step under way: what is known, and what has been decided so far.
struct Machine<'a> {
    plan: &'a AgentPlan,
    component: Component,
    state: State,
    effects: Effects,
}

// === Inputs ===

impl Machine<'_> {
    fn facts(&mut self, facts: &Facts) {
        let is_same_parent = facts.parent == self.state.parent;
        self.state.parent = facts.parent;
        match self.state.phase() {
            Phase::Watching => {
                if !is_same_parent {
                    // What another parent has proven says nothing of this one.
                    self.disarm(Timer::Ready);
                    self.disarm(Timer::Handover);
                }
                self.watch(facts);
            }
            Phase::Entering(step) => {
                if !self.still_asks_for(step, facts, is_same_parent) {
                    self.state.set(Flag::Spoiled);
                }
            }
            Phase::Guarding(step) => {
                let asks = self.still_asks_for(step, facts, is_same_parent);
                if asks && !self.state.has(Flag::Spoiled) {
                    self.start(step, facts);
                } else {
                    self.turn_back(facts);
                }
            }
            Phase::Working(step) => {
                if self.still_asks_for(step, facts, is_same_parent) {
                    return;
                }
                // What was begun on the disk is ended. Only writing takes long, for it asks the API;
                // and what waits to be tried again need not be.
                if step == Step::Written || !self.state.has(Flag::Running) {
                    self.turn_back(facts);
                } else {
                    self.state.set(Flag::Spoiled);
                }
            }
            Phase::Leaving(_) => {}
        }
    }

    fn finished(&mut self, task: Task, outcome: Outcome) {
        let Phase::Working(step) = self.state.phase() else {
            return;
        };
        self.state.clear(Flag::Running);
        match outcome {
            Outcome::Done if (step, task) == (Step::Removed, Task::Retire) => {
                self.state.set_phase(Phase::Guarding(step));
            }
            Outcome::Done => {
                self.state.set_phase(Phase::Leaving(step));
                self.announce(step, Moment::Completed);
            }
            Outcome::Failed | Outcome::Unknown => self.arm(Timer::Retry),
        }
    }

    fn elapsed(&mut self, timer: Timer) {
        self.state.clear(Flag::of(timer));
        match (timer, self.state.phase()) {
            // What could not be committed is written anew, if it is still wanted.
            (Timer::Retry, Phase::Working(Step::Saved)) => self.state.set_phase(Phase::Watching),
            (Timer::Retry, Phase::Working(step)) => self.state.set_phase(Phase::Guarding(step)),
            (_, Phase::Watching) => {
                for (step, _) in WATCHED.iter().filter(|(_, its)| *its == timer) {
                    self.enter(*step);
                }
            }
            _ => {}
        }
    }

    fn released(&mut self, step: Step, moment: Moment) {
        match (moment, step) {
            (Moment::Entered, _) => self.state.set_phase(Phase::Guarding(step)),
            (Moment::Completed, Step::Written) => self.enter(Step::Saved),
            (Moment::Completed, _) => self.state.set_phase(Phase::Watching),
        }
    }
}

// === What follows ===

impl Machine<'_> {
    /// Arms the timers of what the facts ask for, and begins what needs none.
    fn watch(&mut self, facts: &Facts) {
        for (step, timer) in WATCHED {
            let armed = self.state.is_armed(timer);
            let asks = judge::asks_for(self.plan, self.component, step, facts, armed);
            match judge::delay(self.plan, step) {
                None if asks => return self.enter(step),
                Some(timer) if asks && !armed => self.arm(timer),
                Some(timer) if !asks => self.disarm(timer),
                _ => {}
            }
        }
    }

    fn still_asks_for(&self, step: Step, facts: &Facts, is_same_parent: bool) -> bool {
        let about_parent = matches!(step, Step::Written | Step::Retired);
        (is_same_parent || !about_parent)
            && judge::asks_for(self.plan, self.component, step, facts, true)
    }

    fn enter(&mut self, step: Step) {
        for timer in Timer::ALL {
            self.disarm(timer);
        }
        self.state.clear(Flag::Spoiled);
        self.state.clear(Flag::Clearing);
        self.state.set_phase(Phase::Entering(step));
        self.announce(step, Moment::Entered);
    }

    fn start(&mut self, step: Step, facts: &Facts) {
        self.state.set_phase(Phase::Working(step));
        self.state.attempt = self.state.attempt.wrapping_add(1);
        self.state.set(Flag::Running);
        self.state.clear(Flag::Clearing);
        if step == Step::Removed && facts.active {
            self.state.set(Flag::Clearing);
        }
        if let Some((task, attempt)) = self.state.running() {
            self.effects.push(Effect::Start(task, attempt));
        }
    }

    /// The step is no longer asked for: something else may be.
    fn turn_back(&mut self, facts: &Facts) {
        if let Some((task, _)) = self.state.running() {
            self.effects.push(Effect::Cancel(task));
            self.state.clear(Flag::Running);
        }
        self.disarm(Timer::Retry);
        self.state.clear(Flag::Spoiled);
        self.state.clear(Flag::Clearing);
        self.state.set_phase(Phase::Watching);
        self.watch(facts);
    }

    fn announce(&mut self, step: Step, moment: Moment) {
        self.effects.push(Effect::Announce(step, moment));
    }

    fn arm(&mut self, timer: Timer) {
        self.state.set(Flag::of(timer));
        self.effects.push(Effect::Arm(timer));
    }

    fn disarm(&mut self, timer: Timer) {
        if self.state.is_armed(timer) {
            self.state.clear(Flag::of(timer));
            self.effects.push(Effect::Disarm(timer));
        }
    }
}
