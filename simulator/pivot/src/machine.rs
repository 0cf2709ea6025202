//! The machine: a plan, a state and an input give the next state and what must be done.

use std::borrow::Borrow;

use terms::Moment;

use crate::effect::{Attempt, Durable, Effect, Effects, Input, Outcome, StageIndex, Task, Timer};
use crate::facts::Facts;
use crate::judge;
use crate::plan::{GateRule, OnTimeout, Plan, Stage, StageKind, TaskRule, Why};
use crate::state::{Flag, Phase, State};
use crate::work::{Watch, Work};

/// What follows from an input. Total and pure: every input is legal in every state, and what does
/// not concern the state changes nothing.
///
/// The input may be lent: facts are large.
#[inline]
pub fn step(plan: &Plan, state: State, input: impl Borrow<Input>) -> (State, Effects) {
    let mut after = (state, Effects::none());
    let mut machine = Machine::new(plan, &mut after);
    match input.borrow() {
        Input::Facts(facts) => machine.facts(facts),
        Input::Finished(task, attempt, outcome) => machine.finished(*task, *attempt, *outcome),
        Input::Elapsed(timer) => machine.elapsed(*timer),
        Input::Released(stage, moment) => machine.released(*stage, *moment),
    }
    after
}

/// Where the machine stands after a start: at the beginning, or where the last process was killed.
///
/// A procedure that held tries again: from the gate that asks whether self-hosted instances serve,
/// if it had come further than that, for what was true then proves nothing now.
pub fn resume(plan: &Plan, durable: Option<Durable>) -> (State, Effects) {
    let mut after = (State::FIRST, Effects::none());
    let mut machine = Machine::new(plan, &mut after);
    match durable.filter(|_| plan.rules.marker) {
        None => machine.enter(0),
        Some(durable) => machine.take_up(durable),
    }
    after
}

/// Tasks that were started and have neither ended nor been given up, in the order of their start.
pub fn running_tasks(plan: &Plan, state: State) -> impl Iterator<Item = Task> {
    let mut before = (state, Effects::none());
    let machine = Machine::new(plan, &mut before);
    machine.running()
}

/// The places of the bits that are set, from the lowest.
pub(crate) fn indices(mut bits: u16) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let lowest = (bits != 0).then(|| bits.trailing_zeros() as u8)?;
        bits &= bits - 1;
        Some(lowest)
    })
}

/// A step under way: what is known, and what has been decided so far.
pub(crate) struct Machine<'a> {
    pub(crate) plan: &'a Plan,
    /// Written, as the effects, where it is given to the caller: a value whose parts were only just
    /// written is slow to be read as a whole.
    pub(crate) state: &'a mut State,
    pub(crate) effects: &'a mut Effects,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(plan: &'a Plan, (state, effects): &'a mut (State, Effects)) -> Self {
        Self {
            plan,
            state,
            effects,
        }
    }
}

// === Inputs ===

impl Machine<'_> {
    fn take_up(&mut self, durable: Durable) {
        let Durable {
            stage,
            completed,
            holding,
            reinstating,
            done,
        } = durable;
        if done {
            self.state.phase = Phase::Done;
            self.effects.push(Effect::Finish);
            return;
        }
        if usize::from(stage) >= self.plan.stages.len() {
            // The marker was written under another plan.
            self.state.phase = Phase::Held;
            self.effects.push(Effect::Hold(0, Why::ForeignFile));
            return;
        }
        *self.state = State::at(stage, Phase::Entering);
        match holding {
            Some(why) if reinstating => self.reinstate(why),
            Some(why)
                if self.plan.rules.on_timeout == OnTimeout::TearDown
                    && self.is_teardown(stage)
                    && !completed =>
            {
                self.state.set(Flag::TornDown);
                self.state.set_why(Some(why));
                self.enter(stage);
            }
            Some(_) => {
                let gate = StageKind::Gate(GateRule::SelfHostedServing);
                let last = self
                    .plan
                    .stages
                    .iter()
                    .take(usize::from(stage) + 1)
                    .rposition(|stage| stage.kind == gate);
                self.enter(
                    last.and_then(|last| u8::try_from(last).ok())
                        .unwrap_or(stage),
                );
            }
            // What remains of the verification needs no credentials, of which some may be gone.
            None if completed && self.is_verify() && self.plan.rules.destroy_stash => {
                self.state.done = 1;
                self.arm(Timer::Stage);
                self.go_on();
            }
            None if completed => {
                self.state.phase = Phase::Leaving;
                self.effects
                    .push(Effect::Announce(stage, Moment::Completed));
            }
            None => {
                self.enter(stage);
                self.state.set(Flag::Resumed);
            }
        }
    }

    fn released(&mut self, stage: StageIndex, moment: Moment) {
        if stage != self.state.stage() {
            return;
        }
        match (self.state.phase, moment) {
            (Phase::Entering, Moment::Entered) => self.begin(),
            (Phase::Leaving, Moment::Completed) => self.advance(),
            _ => {}
        }
    }

    fn finished(&mut self, task: Task, attempt: Attempt, outcome: Outcome) {
        let working = matches!(self.state.phase, Phase::Working | Phase::PuttingBack);
        if !working || attempt != self.state.attempt {
            return;
        }
        let index = match (self.kind(), task) {
            (Some(StageKind::Label), Task::LabelNode(node)) if node < 16 => Some(node),
            _ => self.work().index_of(task, self.state.running),
        };
        let Some(bit) = index
            .map(|index| 1_u16 << index)
            .filter(|bit| self.state.running & bit != 0)
        else {
            return;
        };
        self.state.running &= !bit;
        match outcome {
            Outcome::Done => self.state.done |= bit,
            // Putting back goes on whatever happens, and keeps the reason for which it began.
            Outcome::Refused(_) | Outcome::Failed(_) | Outcome::Unknown
                if self.state.is_reinstating() =>
            {
                self.state.set(Flag::BatchFailed);
            }
            Outcome::Refused(_) | Outcome::Failed(_) | Outcome::Unknown
                if self.state.has(Flag::TornDown) =>
            {
                self.state.done |= bit;
            }
            Outcome::Refused(why) if why.is_foreign() => return self.fail(why),
            Outcome::Refused(_) | Outcome::Failed(_) | Outcome::Unknown
                if self.passes_over(task) =>
            {
                self.state.done |= bit;
            }
            Outcome::Refused(why) => return self.fail(why),
            Outcome::Failed(why) if self.is_one_shot() => return self.fail(why),
            Outcome::Unknown if self.is_one_shot() => return self.fail(Why::StageOverdue),
            Outcome::Failed(why) => {
                self.state.set_why(Some(why));
                self.state.set(Flag::BatchFailed);
            }
            Outcome::Unknown => self.state.set(Flag::BatchFailed),
        }
        if self.state.running != 0 {
            return;
        }
        if self.state.has(Flag::BatchFailed) {
            self.arm(Timer::Retry);
        } else {
            self.go_on();
        }
    }

    fn elapsed(&mut self, timer: Timer) {
        // A timer that is not armed was disarmed while it ran out.
        if !self.state.has(Flag::of(timer)) {
            return;
        }
        self.state.clear(Flag::of(timer));
        match (timer, self.state.phase) {
            (Timer::Stage, Phase::PuttingBack | Phase::PutBack) => {
                let why = self.state.why().unwrap_or(Why::StageOverdue);
                self.hold(why, true);
            }
            (Timer::Stage, _) if self.state.has(Flag::TornDown) => self.complete(),
            (Timer::Stage, Phase::Guarding | Phase::Working | Phase::Watching) => self.overdue(),
            (Timer::Stable, Phase::Watching) => match self.work().watch {
                Watch::HandedOver(_) => self.state.set(Flag::Settled),
                _ => self.pass(),
            },
            (Timer::Retry, Phase::Working | Phase::PuttingBack) => self.go_on(),
            _ => {}
        }
    }

    fn facts(&mut self, facts: &Facts) {
        let rules = &self.plan.rules;
        match self.state.phase {
            Phase::Guarding if judge::guard(self.plan, facts) => self.go_on(),
            Phase::Working if self.kind() == Some(StageKind::Label) => self.label(facts),
            Phase::Working if self.kind() == Some(StageKind::Purge) => self.purge(facts),
            Phase::Watching => match self.work().watch {
                Watch::HandedOver(set) => self.watch_hand_over(
                    judge::watch(rules, Watch::HandedOver(set), facts),
                    judge::leases_taken(set, facts),
                ),
                watch => self.watch_stable(judge::watch(rules, watch, facts)),
            },
            Phase::PutBack if judge::watch(rules, self.work().watch, facts) => {
                let why = self.state.why().unwrap_or(Why::StageOverdue);
                self.hold(why, false);
            }
            _ => {}
        }
    }
}

// === Small parts ===

impl Machine<'_> {
    pub(crate) fn stage(&self) -> Option<&Stage> {
        self.plan.stages.get(usize::from(self.state.stage()))
    }

    pub(crate) fn kind(&self) -> Option<StageKind> {
        self.stage().map(|stage| stage.kind)
    }

    pub(crate) fn work(&self) -> Work {
        if self.state.is_reinstating() {
            return Work::of_reinstatement(self.plan, self.state.stage());
        }
        // A state beyond its plan, which no plan that was checked leads to, has nothing to do.
        let kind = self.kind().unwrap_or(StageKind::Label);
        Work::of(self.plan, kind, self.state.has(Flag::TornDown))
    }

    /// Tasks that were started and have neither ended nor been given up, in the order of their start.
    pub(crate) fn running(&self) -> impl Iterator<Item = Task> + use<> {
        let running = self.state.running;
        let labels = self.is_labelling();
        let work = (running != 0 && !labels).then(|| self.work());
        indices(running).filter_map(move |index| {
            if labels {
                Some(Task::LabelNode(index))
            } else {
                work.as_ref()?.get(index)
            }
        })
    }

    pub(crate) fn is_teardown(&self, stage: StageIndex) -> bool {
        self.plan
            .stages
            .get(usize::from(stage))
            .is_some_and(|stage| stage.kind.is_teardown())
    }

    /// Whether the tasks are nodes to label.
    pub(crate) fn is_labelling(&self) -> bool {
        self.kind() == Some(StageKind::Label) && !self.state.is_reinstating()
    }

    pub(crate) fn is_verify(&self) -> bool {
        self.kind() == Some(StageKind::Verify)
    }

    pub(crate) fn is_one_shot(&self) -> bool {
        self.plan.rules.tasks == TaskRule::OneShot
    }

    pub(crate) fn passes_over(&self, task: Task) -> bool {
        self.is_one_shot() && matches!(task, Task::Apply(_))
    }

    pub(crate) fn persist(&mut self, completed: bool, holding: Option<Why>, reinstating: bool) {
        if self.plan.rules.marker {
            let stage = self.state.stage();
            self.effects.push(Effect::Persist(Durable {
                stage,
                completed,
                holding,
                reinstating,
                done: false,
            }));
        }
    }

    pub(crate) fn arm(&mut self, timer: Timer) {
        self.state.set(Flag::of(timer));
        self.effects.push(Effect::Arm(timer));
    }

    pub(crate) fn disarm(&mut self, timer: Timer) {
        if self.state.has(Flag::of(timer)) {
            self.state.clear(Flag::of(timer));
            self.effects.push(Effect::Disarm(timer));
        }
    }
}
