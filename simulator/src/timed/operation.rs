//! The installer's operations: started, held at steps, killed, gone with their node, ended.

use oracle::observation::OperationEnd;
use scenarios::{At, Entry};
use terms::{Actor, Moment, StepName};

use super::play::Play;
use crate::conform::Strike;
use crate::thin::{Said, WorldDriver};
use crate::timers::Timer;

/// The bootstrap node, on which the installer runs.
pub(super) const BOOTSTRAP: u8 = 0;
/// An installer that is held goes on by itself after this time, as the real one does.
const LONGEST_HOLD_MS: u64 = 300_000;
/// An operation that has not ended after this time is overdue, as on real clusters.
const OVERDUE_MS: u64 = 900_000;
/// More effects and inputs than this at one instant are a machine that runs in circles.
const MOST_AT_ONCE: usize = 10_000;

/// An operation that was started and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    since_ms: u64,
    /// How it ended, and when the runner, which asks for the unit now and then, sees that.
    ended: Option<(u64, OperationEnd, Option<String>)>,
}

/// Where the installer is held, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) step: StepName,
    pub(super) moment: Moment,
    pub(super) occurrence: u32,
    pub(super) since_ms: u64,
}

impl Held {
    pub(super) fn is_at(&self, at: &At) -> bool {
        at.actor == Actor::default()
            && self.step == at.step
            && self.moment == at.moment
            && self.occurrence == at.occurrence
    }
}

impl Play<'_> {
    /// Starts an operation.
    pub(super) fn start(&mut self, operation: &'static str) {
        let now_ms = self.world.now_ms();
        self.watcher.operation_started(now_ms, operation, false);
        if self.last_end == Some(OperationEnd::Holding)
            && let Some(inward) = &mut self.inward
        {
            inward.strike(Strike::StartAgain);
        }
        self.open = Some(Open {
            since_ms: now_ms,
            ended: None,
        });
        self.start_process();
    }

    fn start_process(&mut self) {
        self.world.enable_unit(BOOTSTRAP);
        self.installer = Some(WorldDriver::start(self.plan, &self.world, false));
    }

    /// The installer's unit starts with its node until its procedure is done, whatever became of it before.
    pub(super) fn boot(&mut self) {
        if self.boots && self.world.is_up(BOOTSTRAP) {
            self.boots = false;
            if self.installer.is_none() && self.world.has_unit(BOOTSTRAP) {
                self.start_process();
            }
        }
    }

    /// The runner looks whether the open operation has ended.
    pub(super) fn watch_operation(&mut self) {
        let now_ms = self.world.now_ms();
        let Some(open) = &self.open else { return };
        let (end, detail) = match &open.ended {
            Some((seen_ms, end, detail)) if *seen_ms <= now_ms => (*end, detail.clone()),
            None if now_ms >= open.since_ms + OVERDUE_MS => (OperationEnd::Overdue, None),
            _ => return,
        };
        self.open = None;
        self.watcher.operation_ended(now_ms, end, detail);
        self.last_end = Some(end);
    }

    /// Lets the installer do everything that it can do at this instant.
    pub(super) fn drive(&mut self) {
        let now_ms = self.world.now_ms();
        let overdue = |held: &Held| now_ms >= held.since_ms + LONGEST_HOLD_MS;
        if self.held.as_ref().is_some_and(overdue) {
            self.release();
        }
        for _ in 0..MOST_AT_ONCE {
            self.instant();
            if self.held.is_some() {
                return;
            }
            let Some(installer) = &mut self.installer else {
                return;
            };
            if installer.has_effects() {
                let said = installer.perform_next(&mut self.world);
                self.hear(said);
                continue;
            }
            if !installer.deliver(&mut self.world) {
                return;
            }
            if let Some(inward) = &mut self.inward {
                inward.input(installer.log().last());
            }
        }
    }

    fn hear(&mut self, said: Said) {
        let now_ms = self.world.now_ms();
        if let Some(inward) = &mut self.inward {
            let step = match &said {
                Said::Nothing => None,
                Said::Step(step, moment) => Some((step.clone(), *moment)),
                Said::Aside(step, moment, _) | Said::Ended(_, step, moment, _) => {
                    Some((StepName::new(*step), *moment))
                }
            };
            if let Some((step, moment)) = step {
                inward.step(step, moment);
            }
        }
        match said {
            Said::Nothing => {}
            Said::Step(step, moment) => {
                let here = Held {
                    occurrence: self.watcher.next_occurrence(&step, moment),
                    step,
                    moment,
                    since_ms: now_ms,
                };
                let is_here = |entry: &Entry| matches!(entry, Entry::At(at) if here.is_at(at));
                let held = self.case.timeline.iter().any(is_here);
                self.watcher.step(now_ms, &here.step, moment, held, None);
                self.held = held.then_some(here);
            }
            Said::Aside(step, moment, reason) => {
                let step = StepName::new(step);
                self.watcher.step(now_ms, &step, moment, false, reason);
            }
            Said::Ended(end, step, moment, reason) => {
                let step = StepName::new(step);
                self.watcher
                    .step(now_ms, &step, moment, false, reason.clone());
                self.lose_process();
                if end == OperationEnd::Done {
                    self.world.disable_unit(BOOTSTRAP);
                }
                self.end(end, reason);
            }
        }
    }

    /// A held installer goes on; its own timers stood still meanwhile.
    pub(super) fn release(&mut self) {
        let Some(held) = self.held.take() else {
            return;
        };
        if let Some(installer) = &mut self.installer {
            installer.was_held(self.world.now_ms() - held.since_ms);
        }
    }

    /// The installer's process is gone; says whether there was one.
    pub(super) fn lose_process(&mut self) -> bool {
        self.held = None;
        let Some(installer) = self.installer.take() else {
            return false;
        };
        self.log.extend_from_slice(installer.log());
        true
    }

    /// The open operation, if there is one, is over; the runner sees it a little later.
    pub(super) fn end(&mut self, end: OperationEnd, detail: Option<String>) {
        let seen_ms = self.world.now_ms() + self.world.lasts_ms(Timer::OperationSeen, 0);
        if let Some(open) = &mut self.open {
            open.ended = Some((seen_ms, end, detail));
        }
    }
}
