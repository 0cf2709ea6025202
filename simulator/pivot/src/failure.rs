//! What follows when a stage fails: hold, put back, or, as history did, tear down.

use crate::effect::{Effect, StageIndex, Timer};
use crate::machine::Machine;
use crate::plan::{OnTimeout, StageKind, Why};
use crate::state::{Flag, Phase};

impl Machine<'_> {
    pub(crate) fn overdue(&mut self) {
        let settled = self.state.has(Flag::Settled) && !self.state.has(Flag::Passed);
        let why = if settled {
            Why::LeasesNotTaken
        } else {
            self.state.why().unwrap_or(Why::StageOverdue)
        };
        self.fail(why);
    }

    pub(crate) fn fail(&mut self, why: Why) {
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
    pub(crate) fn has_taken_away(&self) -> bool {
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

    pub(crate) fn hold(&mut self, why: Why, reinstating: bool) {
        self.stop();
        self.state.phase = Phase::Held;
        self.state.set_why(Some(why));
        self.persist(false, Some(why), reinstating);
        self.effects.push(Effect::Hold(self.state.stage(), why));
    }

    pub(crate) fn reinstate(&mut self, why: Why) {
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
    pub(crate) fn tear_down_from(&mut self, stage: StageIndex) {
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
    pub(crate) fn stop(&mut self) {
        for task in self.running() {
            self.effects.push(Effect::Cancel(task));
        }
        self.state.running = 0;
        for timer in [Timer::Stage, Timer::Stable, Timer::Retry] {
            self.disarm(timer);
        }
    }
}
