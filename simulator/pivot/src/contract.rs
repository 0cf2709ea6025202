//! What every driver must keep to, so that the machine means the same on a real cluster and in a simulated one.
//!
//! 1. Effects are performed in order. `Persist` is on disk before the next effect begins.
//! 2. `Released` follows an announcement, once; without a hold point at once.
//! 3. `Arm` replaces a timer of that kind that still runs; a timer runs out once per `Arm`, and never after `Disarm`.
//! 4. A task ends at most once per `Start`; after `Cancel` its end may be told or not.
//! 5. Nothing of a former process is told to the next one.
//! 6. Facts are judged as of now: a lease's age is counted when the facts are delivered, not when the lease was read.
//!
//! [`check_log`] judges what a driver did, from its log. The functions that take a [`Driver`] try one out.

use std::collections::{BTreeMap, BTreeSet};

use terms::Moment;

use crate::effect::{Attempt, Durable, Effect, Effects, Input, StageIndex, Task, Timer};
use crate::plan::Plan;
use crate::replay::{LogEntry, Mismatch, replay};

/// A driver, as far as it can be tried out without a machine.
pub trait Driver {
    /// Performs one effect.
    fn perform(&mut self, effect: Effect);
    /// Lets time pass until the next input other than facts, or for at most `patience_ms`.
    fn next(&mut self, patience_ms: u64) -> Option<Input>;
    /// What a new process would find.
    fn durable(&self) -> Option<Durable>;
}

/// A promise that a driver broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The log does not follow from its plan.
    #[error("the log cannot be replayed")]
    Replay(#[from] Mismatch),
    /// A release without announcement.
    #[error(
        "entry {entry}: stage {stage} {moment} was released, but it had not been announced or had been released already"
    )]
    Release {
        /// The entry, from 1.
        entry: usize,
        /// The stage.
        stage: StageIndex,
        /// Which side of it.
        moment: Moment,
    },
    /// A timer ran out that did not run.
    #[error("entry {entry}: timer {timer:?} ran out, but it did not run")]
    Timer {
        /// The entry, from 1.
        entry: usize,
        /// The timer.
        timer: Timer,
    },
    /// A task ended that was not running.
    #[error(
        "entry {entry}: {task:?} ended in attempt {attempt}, which was never started or had ended already"
    )]
    Task {
        /// The entry, from 1.
        entry: usize,
        /// The task.
        task: Task,
        /// The attempt.
        attempt: Attempt,
    },
    /// A driver that was tried out did something else.
    #[error("{promise}: expected {expected}, got {got}")]
    Promise {
        /// What was promised.
        promise: &'static str,
        /// What should have come.
        expected: String,
        /// What came.
        got: String,
    },
}

/// Judges a driver by its log.
///
/// # Errors
/// The first promise that it broke.
pub fn check_log(plan: &Plan, log: &[LogEntry]) -> Result<(), Broken> {
    replay(plan, log)?;
    let mut open = Open::default();
    for (index, entry) in log.iter().enumerate() {
        match entry {
            LogEntry::Resumed { effects, .. } => {
                open = Open::default();
                open.add(effects);
            }
            LogEntry::Stepped { input, effects } => {
                open.take(index + 1, *input)?;
                open.add(effects);
            }
        }
    }
    Ok(())
}

/// What a process may be told of.
#[derive(Default)]
struct Open {
    announced: Option<(StageIndex, Moment)>,
    timers: BTreeSet<Timer>,
    started: BTreeMap<Task, BTreeSet<Attempt>>,
}

impl Open {
    fn add(&mut self, effects: &Effects) {
        for effect in effects.iter() {
            match effect {
                Effect::Announce(stage, moment) => self.announced = Some((stage, moment)),
                Effect::Arm(timer) => {
                    self.timers.insert(timer);
                }
                Effect::Disarm(timer) => {
                    self.timers.remove(&timer);
                }
                Effect::Start(task, attempt) => {
                    self.started.entry(task).or_default().insert(attempt);
                }
                Effect::Persist(_)
                | Effect::Cancel(_)
                | Effect::Hold(..)
                | Effect::Reinstate(..)
                | Effect::Finish => {}
            }
        }
    }

    fn take(&mut self, entry: usize, input: Input) -> Result<(), Broken> {
        match input {
            Input::Facts(_) => Ok(()),
            Input::Released(stage, moment) => {
                let expected = self.announced.take() == Some((stage, moment));
                if expected {
                    Ok(())
                } else {
                    Err(Broken::Release {
                        entry,
                        stage,
                        moment,
                    })
                }
            }
            Input::Elapsed(timer) => {
                if self.timers.remove(&timer) {
                    Ok(())
                } else {
                    Err(Broken::Timer { entry, timer })
                }
            }
            Input::Finished(task, attempt, _) => {
                let running = self
                    .started
                    .get_mut(&task)
                    .is_some_and(|attempts| attempts.remove(&attempt));
                if running {
                    Ok(())
                } else {
                    Err(Broken::Task {
                        entry,
                        task,
                        attempt,
                    })
                }
            }
        }
    }
}

/// Announcements are followed by their releases, in order.
///
/// # Errors
/// When something else follows.
pub fn releases_follow_announcements(driver: &mut dyn Driver) -> Result<(), Broken> {
    for moment in [Moment::Entered, Moment::Completed] {
        driver.perform(Effect::Announce(0, moment));
        expect(
            driver,
            "an announcement is followed by its release",
            Some(Input::Released(0, moment)),
        )?;
    }
    Ok(())
}

/// A timer that is armed anew runs out once.
///
/// # Errors
/// When it does not run out, or twice.
pub fn rearmed_timers_replace(driver: &mut dyn Driver) -> Result<(), Broken> {
    driver.perform(Effect::Arm(Timer::Retry));
    driver.perform(Effect::Arm(Timer::Retry));
    expect(
        driver,
        "an armed timer runs out",
        Some(Input::Elapsed(Timer::Retry)),
    )?;
    expect(driver, "a timer that was armed twice runs out once", None)
}

/// A timer that was disarmed stays silent.
///
/// # Errors
/// When it runs out.
pub fn disarmed_timers_are_silent(driver: &mut dyn Driver) -> Result<(), Broken> {
    driver.perform(Effect::Arm(Timer::Retry));
    driver.perform(Effect::Disarm(Timer::Retry));
    expect(driver, "a timer that was disarmed stays silent", None)
}

/// What was persisted is there before the next effect, and is what a new process finds.
///
/// # Errors
/// When something else is found.
pub fn persisted_is_found_again(driver: &mut dyn Driver) -> Result<(), Broken> {
    for stage in [1, 2] {
        let durable = Durable {
            stage,
            completed: stage == 2,
            holding: None,
            reinstating: false,
            done: false,
        };
        driver.perform(Effect::Persist(durable));
        if driver.durable() != Some(durable) {
            return Err(Broken::Promise {
                promise: "what was persisted is found again",
                expected: format!("{durable:?}"),
                got: format!("{:?}", driver.durable()),
            });
        }
    }
    Ok(())
}

/// Long enough for every timer of a plan that is made for trying out: its retry time at most 100 ms.
const PATIENCE_MS: u64 = 1_000;

fn expect(
    driver: &mut dyn Driver,
    promise: &'static str,
    expected: Option<Input>,
) -> Result<(), Broken> {
    let got = driver.next(PATIENCE_MS);
    if got == expected {
        return Ok(());
    }
    Err(Broken::Promise {
        promise,
        expected: format!("{expected:?}"),
        got: format!("{got:?}"),
    })
}
