//! The machine: a plan, a state and an input give the next state and what must be done.

use terms::Moment;

use crate::effect::{Attempt, Durable, Effect, Effects, Input, Outcome, StageIndex, Task, Timer};
use crate::facts::{Facts, NodeSet};
use crate::judge;
use crate::plan::{GateRule, OnTimeout, Plan, Stage, StageKind, TaskRule, Why};
use crate::state::{Flag, Phase, State};
use crate::work::{Watch, Work};

/// At most this many tasks run at once, so that giving up all of them and what follows fit into one step's effects.
const MOST_RUNNING: usize = 3;

/// What follows from an input. Total and pure: every input is legal in every state, and what does
/// not concern the state changes nothing.
pub fn step(plan: &Plan, state: State, input: Input) -> (State, Effects) {
    let mut machine = Machine {
        plan,
        state,
        effects: Effects::none(),
    };
    match input {
        Input::Facts(facts) => machine.facts(&facts),
        Input::Finished(task, attempt, outcome) => machine.finished(task, attempt, outcome),
        Input::Elapsed(timer) => machine.elapsed(timer),
        Input::Released(stage, moment) => machine.released(stage, moment),
    }
    (machine.state, machine.effects)
}

/// Where the machine stands after a start: at the beginning, or where the last process was killed.
///
/// A procedure that held tries again: from the gate that asks whether self-hosted instances serve,
/// if it had come further than that, for what was true then proves nothing now.
pub fn resume(plan: &Plan, durable: Option<Durable>) -> (State, Effects) {
    let start = State::at(0, Phase::Entering);
    let mut machine = Machine {
        plan,
        state: start,
        effects: Effects::none(),
    };
    match durable.filter(|_| plan.rules.marker) {
        None => machine.enter(0),
        Some(durable) => machine.take_up(durable),
    }
    (machine.state, machine.effects)
}

struct Machine<'a> {
    plan: &'a Plan,
    state: State,
    effects: Effects,
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
        self.state = State::at(stage, Phase::Entering);
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
            _ => self.work().index_of(task),
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
        if !self.state.has(flag(timer)) {
            return;
        }
        self.state.clear(flag(timer));
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
            Phase::Guarding if judge::self_hosted_serving(rules, facts) => self.go_on(),
            Phase::Working if self.kind() == Some(StageKind::Label) => self.label(facts),
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

// === A stage from its beginning to its end ===

impl Machine<'_> {
    fn enter(&mut self, stage: StageIndex) {
        let (attempt, torn_down, why) = (
            self.state.attempt,
            self.state.has(Flag::TornDown),
            self.state.why(),
        );
        self.state = State::at(stage, Phase::Entering);
        self.state.attempt = attempt;
        if torn_down {
            self.state.set(Flag::TornDown);
            self.state.set_why(why);
        }
        // A fresh start says the same as the first stage's marker, and nothing may be written
        // before it is certain that neither node nor etcd belongs to somebody else.
        if stage != 0 {
            self.persist(false, self.state.why(), false);
        }
        self.effects.push(Effect::Announce(stage, Moment::Entered));
    }

    fn begin(&mut self) {
        let Some(kind) = self.kind() else { return };
        if matches!(kind, StageKind::Arm(set) if set.0 == 0) {
            return self.complete();
        }
        self.arm(Timer::Stage);
        // A gate that passed long ago, before a hold point or a restart, proves nothing.
        let guarded = matches!(kind, StageKind::HandOver(_) | StageKind::Drain(_));
        if guarded && self.plan.rules.guard && !self.state.has(Flag::TornDown) {
            self.state.phase = Phase::Guarding;
        } else {
            self.go_on();
        }
    }

    /// Starts what can be started, or finds that the stage is over. Nothing runs when it is called.
    fn go_on(&mut self) {
        if !self.state.is_reinstating() {
            self.state.phase = Phase::Working;
        }
        if self.kind() == Some(StageKind::Label) && !self.state.is_reinstating() {
            // Which nodes there are is told by the next facts.
            return;
        }
        let work = self.work();
        // History waits for nothing while it tears down.
        if work.watch == Watch::Nothing || self.state.has(Flag::TornDown) {
            self.state.set(Flag::Passed);
        }
        let passed = self.state.has(Flag::Passed);
        let open = work.open(passed) & !self.state.done;
        if open != 0 {
            self.start(open, work.one_by_one, |index| work.get(index));
        } else if self.state.is_reinstating() {
            self.state.phase = Phase::PutBack;
        } else if passed {
            self.complete();
        } else {
            self.state.phase = Phase::Watching;
        }
    }

    fn label(&mut self, facts: &Facts) {
        let wanted = NodeSet::first(facts.control_planes);
        if self.state.running != 0 || self.state.has(Flag::RetryTimer) || wanted.count() == 0 {
            return;
        }
        let missing = wanted.0 & !facts.labelled.0 & !self.state.done;
        if missing == 0 {
            self.complete();
        } else {
            self.start(missing, false, |node| Some(Task::LabelNode(node)));
        }
    }

    fn start(&mut self, open: u16, one_by_one: bool, task: impl Fn(u8) -> Option<Task>) {
        let free =
            (Effects::MOST - self.effects.len()).min(if one_by_one { 1 } else { MOST_RUNNING });
        self.state.attempt = self.state.attempt.wrapping_add(1);
        self.state.clear(Flag::BatchFailed);
        for index in (0..16).filter(|index| open >> index & 1 == 1).take(free) {
            if let Some(task) = task(index) {
                self.state.running |= 1 << index;
                self.effects.push(Effect::Start(task, self.state.attempt));
            }
        }
    }

    fn watch_stable(&mut self, holds: bool) {
        let armed = self.state.has(Flag::StableTimer);
        if holds && self.stage().is_none_or(|stage| stage.stable_ms == 0) {
            self.pass();
        } else if holds && !armed {
            self.arm(Timer::Stable);
        } else if !holds {
            self.disarm(Timer::Stable);
        }
    }

    /// Who holds a lease is not asked, for identities are only names. It is proven by arithmetic:
    /// the bootstrap copies have been absent for the stable time (three seconds at least, which
    /// `Plan::check` sees to) and the lease is younger than that, so somebody else renewed it.
    fn watch_hand_over(&mut self, absent: bool, leases_taken: bool) {
        if !absent {
            self.state.clear(Flag::Settled);
            self.disarm(Timer::Stable);
        } else if self.state.has(Flag::Settled) {
            if leases_taken {
                self.pass();
            }
        } else if !self.state.has(Flag::StableTimer) {
            self.arm(Timer::Stable);
        }
    }

    fn pass(&mut self) {
        self.disarm(Timer::Stable);
        self.state.set(Flag::Passed);
        self.go_on();
    }

    fn complete(&mut self) {
        self.stop();
        let torn_down = self.state.has(Flag::TornDown);
        if !torn_down {
            self.state.set_why(None);
        }
        self.persist(!torn_down, self.state.why(), false);
        self.effects
            .push(Effect::Announce(self.state.stage(), Moment::Completed));
        self.state.phase = Phase::Leaving;
    }

    fn advance(&mut self) {
        let next = self.state.stage() + 1;
        if self.state.has(Flag::TornDown) {
            return self.tear_down_from(next);
        }
        if usize::from(next) < self.plan.stages.len() {
            return self.enter(next);
        }
        self.state.phase = Phase::Done;
        if self.plan.rules.marker {
            let stage = self.state.stage();
            let done = Durable {
                stage,
                completed: true,
                holding: None,
                reinstating: false,
                done: true,
            };
            self.effects.push(Effect::Persist(done));
        }
        self.effects.push(Effect::Finish);
    }
}

// === Failure ===

impl Machine<'_> {
    fn overdue(&mut self) {
        let settled = self.state.has(Flag::Settled) && !self.state.has(Flag::Passed);
        let why = if settled {
            Why::LeasesNotTaken
        } else {
            self.state.why().unwrap_or(Why::StageOverdue)
        };
        self.fail(why);
    }

    fn fail(&mut self, why: Why) {
        if why.is_foreign() {
            // Nothing is touched, not even the marker: it may be somebody else's.
            self.stop();
            self.state.phase = Phase::Held;
            self.effects.push(Effect::Hold(self.state.stage(), why));
        } else if self.plan.rules.on_timeout == OnTimeout::TearDown {
            self.stop();
            self.state.set(Flag::TornDown);
            self.state.set_why(Some(why));
            let stage = self.state.stage();
            self.tear_down_from(if self.is_teardown(stage) {
                stage + 1
            } else {
                stage
            });
        } else if self.has_taken_away() {
            self.reinstate(why);
        } else {
            self.hold(why, false);
        }
    }

    /// Whether something of the bootstrap control plane may be gone that is still needed.
    fn has_taken_away(&self) -> bool {
        let stage = self.state.stage();
        let verified = self.state.done & 1 != 0;
        let touched = self.state.phase != Phase::Guarding || self.state.has(Flag::Resumed);
        match self.kind() {
            Some(StageKind::Verify) => {
                !verified && (0..stage).any(|earlier| self.is_teardown(earlier))
            }
            _ if (0..stage).any(|earlier| self.is_teardown(earlier)) => true,
            _ => self.is_teardown(stage) && touched,
        }
    }

    fn hold(&mut self, why: Why, reinstating: bool) {
        self.stop();
        self.state.phase = Phase::Held;
        self.state.set_why(Some(why));
        self.persist(false, Some(why), reinstating);
        self.effects.push(Effect::Hold(self.state.stage(), why));
    }

    fn reinstate(&mut self, why: Why) {
        self.stop();
        self.state.phase = Phase::PuttingBack;
        self.state.set_why(Some(why));
        self.state.done = 0;
        self.state.clear(Flag::Passed);
        self.state.clear(Flag::Settled);
        self.persist(false, Some(why), true);
        self.effects
            .push(Effect::Reinstate(self.state.stage(), why));
        self.arm(Timer::Stage);
        self.go_on();
    }

    /// History's way: from the first stage on that takes something away, all of them, whatever comes.
    fn tear_down_from(&mut self, stage: StageIndex) {
        let count = u8::try_from(self.plan.stages.len()).unwrap_or(u8::MAX);
        if let Some(next) = (stage..count).find(|stage| self.is_teardown(*stage)) {
            return self.enter(next);
        }
        let why = self.state.why().unwrap_or(Why::StageOverdue);
        self.state.phase = Phase::Held;
        self.persist(true, Some(why), false);
        self.effects.push(Effect::Hold(self.state.stage(), why));
    }

    /// Gives up what runs: tasks and timers.
    fn stop(&mut self) {
        let running = self.state.running;
        let label = self.kind() == Some(StageKind::Label) && !self.state.is_reinstating();
        let work = self.work();
        for index in (0..16).filter(|index| running >> index & 1 == 1) {
            let task = if label {
                Some(Task::LabelNode(index))
            } else {
                work.get(index)
            };
            if let Some(task) = task {
                self.effects.push(Effect::Cancel(task));
            }
        }
        self.state.running = 0;
        for timer in [Timer::Stage, Timer::Stable, Timer::Retry] {
            self.disarm(timer);
        }
    }
}

// === Small parts ===

impl Machine<'_> {
    fn stage(&self) -> Option<&Stage> {
        self.plan.stages.get(usize::from(self.state.stage()))
    }

    fn kind(&self) -> Option<StageKind> {
        self.stage().map(|stage| stage.kind)
    }

    fn work(&self) -> Work {
        if self.state.is_reinstating() {
            return Work::of_reinstatement(self.plan, self.state.stage());
        }
        // A state beyond its plan, which no plan that was checked leads to, has nothing to do.
        let kind = self.kind().unwrap_or(StageKind::Label);
        Work::of(self.plan, kind, self.state.has(Flag::TornDown))
    }

    fn is_teardown(&self, stage: StageIndex) -> bool {
        self.plan
            .stages
            .get(usize::from(stage))
            .is_some_and(|stage| stage.kind.is_teardown())
    }

    fn is_one_shot(&self) -> bool {
        self.plan.rules.tasks == TaskRule::OneShot
    }

    fn passes_over(&self, task: Task) -> bool {
        self.is_one_shot() && matches!(task, Task::Apply(_))
    }

    fn persist(&mut self, completed: bool, holding: Option<Why>, reinstating: bool) {
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

    fn arm(&mut self, timer: Timer) {
        self.state.set(flag(timer));
        self.effects.push(Effect::Arm(timer));
    }

    fn disarm(&mut self, timer: Timer) {
        if self.state.has(flag(timer)) {
            self.state.clear(flag(timer));
            self.effects.push(Effect::Disarm(timer));
        }
    }
}

const fn flag(timer: Timer) -> Flag {
    match timer {
        Timer::Stage => Flag::StageTimer,
        Timer::Stable => Flag::StableTimer,
        Timer::Retry => Flag::RetryTimer,
    }
}
