//! A stage from its beginning to its end.

use terms::Moment;

use crate::effect::{Durable, Effect, Effects, StageIndex, Task, Timer};
use crate::facts::{Facts, NodeSet, StaleFact};
use crate::machine::{Machine, indices};
use crate::plan::StageKind;
use crate::state::{Flag, Phase, State};
use crate::work::Watch;

/// At most this many tasks run at once, so that giving up all of them and what follows fit into one step's effects.
const MOST_RUNNING: usize = 3;

impl Machine<'_> {
    pub(crate) fn enter(&mut self, stage: StageIndex) {
        let (attempt, torn_down, why) = (
            self.state.attempt,
            self.state.has(Flag::TornDown),
            self.state.why(),
        );
        *self.state = State::at(stage, Phase::Entering);
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

    pub(crate) fn begin(&mut self) {
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
    pub(crate) fn go_on(&mut self) {
        if !self.state.is_reinstating() {
            self.state.phase = Phase::Working;
        }
        let told = matches!(self.kind(), Some(StageKind::Label | StageKind::Purge));
        if told && !self.state.is_reinstating() {
            // What there is to do is told by the next facts.
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
            // Once the credentials are being destroyed nobody can verify again.
            if self.is_verify() && !self.state.is_reinstating() && self.state.done != 0 {
                self.persist(true, None, false);
            }
            self.start(open, work.one_by_one, |index| work.get(index));
        } else if self.state.is_reinstating() {
            self.state.phase = Phase::PutBack;
        } else if passed {
            self.complete();
        } else {
            self.state.phase = Phase::Watching;
        }
    }

    pub(crate) fn label(&mut self, facts: &Facts) {
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

    /// Deletes what is stale, as often as something is, until nothing is and every node is known to
    /// live. What is not known is not absent: an API that does not answer has purged nothing.
    pub(crate) fn purge(&mut self, facts: &Facts) {
        let Some(StaleFact {
            nodes,
            pods,
            undecided,
        }) = facts.stale
        else {
            return;
        };
        if self.state.running != 0 || self.state.has(Flag::RetryTimer) {
            return;
        }
        if nodes != 0 || pods != 0 {
            self.start(1, true, |_| Some(Task::PurgeStale));
        } else if undecided == 0 {
            self.complete();
        }
    }

    pub(crate) fn start(&mut self, open: u16, one_by_one: bool, task: impl Fn(u8) -> Option<Task>) {
        let free =
            (Effects::MOST - self.effects.len()).min(if one_by_one { 1 } else { MOST_RUNNING });
        self.state.attempt = self.state.attempt.wrapping_add(1);
        self.state.clear(Flag::BatchFailed);
        for index in indices(open).take(free) {
            if let Some(task) = task(index) {
                self.state.running |= 1 << index;
                self.effects.push(Effect::Start(task, self.state.attempt));
            }
        }
    }

    pub(crate) fn watch_stable(&mut self, holds: bool) {
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
    pub(crate) fn watch_hand_over(&mut self, absent: bool, leases_taken: bool) {
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

    pub(crate) fn pass(&mut self) {
        self.disarm(Timer::Stable);
        self.state.set(Flag::Passed);
        self.go_on();
    }

    pub(crate) fn complete(&mut self) {
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

    pub(crate) fn advance(&mut self) {
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
