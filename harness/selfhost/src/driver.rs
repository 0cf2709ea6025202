//! The driver: inputs in, effects out, performed in order.

mod parts;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use pivot::{
    Attempt, Durable, Effect, Effects, Facts, Input, LogEntry, Outcome, Plan, StageIndex, State,
    Task, Timer, Why,
};
use terms::{Moment, StepName};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use parts::{DriverError, Ending, Holds, MarkerPlace, Parts};

use crate::control::ControlFifo;
use crate::durable_file::FileError;
use crate::events::Events;
use crate::facts::FactSource;
use crate::log::Log;
use crate::marker::{Marker, MarkerError};
use crate::reason;
use crate::tasks::{Answer, Tasks};
use crate::timers::Timers;

/// A task that has not ended by then may have happened or not. Canaries have their own, shorter one.
const TASK_DEADLINE: Duration = Duration::from_secs(60);

/// Drives the machine: tasks, facts, timers, hold points, marker, events and log.
pub(crate) struct Driver<T, F> {
    plan: Plan,
    state: State,
    tasks: Arc<T>,
    facts: F,
    marker: MarkerPlace,
    events: Events,
    log: Log,
    holds: Holds,
    stop: CancellationToken,
    timers: Timers<Timer>,
    running: JoinSet<(Task, Attempt, Answer)>,
    started: Vec<(Task, AbortHandle)>,
    released: VecDeque<Input>,
    held: Option<(StageIndex, Moment, Instant)>,
    detail: Option<String>,
    seen: Option<Facts>,
}

impl<T: Tasks, F: FactSource> Driver<T, F> {
    /// A driver that has not begun.
    pub(crate) fn new(parts: Parts<T, F>) -> Self {
        let Parts {
            plan,
            tasks,
            facts,
            marker,
            events,
            log,
            holds,
            stop,
        } = parts;
        // The machine says where it stands only by effects; a fresh start is where all begin.
        let (state, _) = pivot::resume(&plan, None);
        Self {
            plan,
            state,
            tasks: Arc::new(tasks),
            facts,
            marker,
            events,
            log,
            holds,
            stop,
            timers: Timers::default(),
            running: JoinSet::new(),
            started: Vec::new(),
            released: VecDeque::new(),
            held: None,
            detail: None,
            seen: None,
        }
    }

    /// Runs to an end, from the beginning or from what survived.
    ///
    /// # Errors
    /// When the marker, the events or the log cannot be written.
    pub(crate) async fn run(&mut self, durable: Option<Durable>) -> Result<Ending, DriverError> {
        let (state, effects) = pivot::resume(&self.plan, durable);
        self.state = state;
        self.log
            .append(&LogEntry::Resumed { durable, effects }, false)?;
        if let Some(ending) = self.perform_all(effects).await? {
            return Ok(ending);
        }
        loop {
            let Some(input) = self.next().await else {
                return Ok(Ending::Stopped);
            };
            let (state, effects) = pivot::step(&self.plan, self.state, input);
            let idle = effects.is_empty() && state == self.state;
            self.state = state;
            self.log
                .append(&LogEntry::Stepped { input, effects }, idle)?;
            if let Some(ending) = self.perform_all(effects).await? {
                return Ok(ending);
            }
        }
    }

    /// Performs effects in order; told to stop, it stops between two of them.
    async fn perform_all(&mut self, effects: Effects) -> Result<Option<Ending>, DriverError> {
        for effect in effects.iter() {
            if self.stop.is_cancelled() {
                return Ok(Some(Ending::Stopped));
            }
            if let Some(ending) = self.perform(effect).await? {
                return Ok(Some(ending));
            }
        }
        Ok(None)
    }

    async fn perform(&mut self, effect: Effect) -> Result<Option<Ending>, DriverError> {
        match effect {
            Effect::Persist(durable) => self.persist(durable)?,
            Effect::Start(task, attempt) => self.start(task, attempt),
            Effect::Cancel(task) => self.cancel(task).await,
            Effect::Arm(timer) => self.timers.arm(timer, self.duration(timer)),
            Effect::Disarm(timer) => self.timers.disarm(timer),
            Effect::Announce(stage, moment) => self.announce(stage, moment)?,
            Effect::Hold(stage, why) => return self.hold(stage, why).map(Some),
            Effect::Reinstate(stage, why) => {
                let reason = self.reason(stage, why);
                self.say(Plan::REINSTATING_STEP, Moment::Entered, Some(reason))?;
            }
            Effect::Finish => {
                let stage = self.state.stage();
                // A policy without a marker remembers nothing on its way, but what is done is done.
                self.persist(Durable {
                    stage,
                    completed: true,
                    holding: None,
                    reinstating: false,
                    done: true,
                })?;
                self.say(Plan::DONE_STEP, Moment::Completed, None)?;
                return Ok(Some(Ending::Done));
            }
        }
        Ok(None)
    }

    /// The next input; `None` when told to stop.
    ///
    /// Facts come last: they are always at hand, and would keep everything else waiting.
    async fn next(&mut self) -> Option<Input> {
        loop {
            if let Some(input) = self.released.pop_front() {
                return Some(input);
            }
            let until = self.held.map(|(_, _, until)| until);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                Some(ended) = self.running.join_next() => {
                    if let Some(input) = self.ended(ended) {
                        return Some(input);
                    }
                }
                timer = self.timers.elapsed() => return Some(Input::Elapsed(timer)),
                (step, moment) = next_release(&mut self.holds.control) => self.release(&step, moment),
                () = at(until) => self.release_overdue(),
                facts = self.facts.next() => {
                    self.seen = Some(facts);
                    return Some(Input::Facts(facts));
                }
            }
        }
    }
}

// === Effects ===

impl<T: Tasks, F> Driver<T, F> {
    fn persist(&self, durable: Durable) -> Result<(), MarkerError> {
        let MarkerPlace {
            path,
            cluster,
            plan,
        } = self.marker.clone();
        Marker {
            v: 1,
            cluster,
            plan,
            durable,
        }
        .write(&path)
    }

    fn start(&mut self, task: Task, attempt: Attempt) {
        let tasks = Arc::clone(&self.tasks);
        let handle = self.running.spawn(async move {
            let performed = tokio::time::timeout(TASK_DEADLINE, tasks.perform(task)).await;
            let answer = performed.unwrap_or_else(|_| Answer {
                outcome: Outcome::Unknown,
                detail: Some(format!("{task:?} did not end within {TASK_DEADLINE:?}")),
            });
            (task, attempt, answer)
        });
        self.started.push((task, handle));
    }

    /// Gives a task up and waits until it certainly does nothing more: what follows may undo it.
    async fn cancel(&mut self, task: Task) {
        for (_, handle) in self.started.extract_if(.., |(started, _)| *started == task) {
            handle.abort();
            while !handle.is_finished() {
                tokio::task::yield_now().await;
            }
        }
    }

    fn announce(&mut self, stage: StageIndex, moment: Moment) -> Result<(), FileError> {
        let step = self.step(stage);
        if moment == Moment::Entered {
            // What failed in an earlier step explains nothing in this one.
            self.detail = None;
        }
        let occurrence = self.events.occurrence(&step, moment);
        let held = self.holds.points.iter().any(|point| {
            point.step == step && point.moment == moment && point.occurrence == occurrence
        });
        if held {
            self.held = Some((stage, moment, Instant::now() + self.holds.deadline));
        } else {
            self.released.push_back(Input::Released(stage, moment));
        }
        eprintln!("{step} {moment}{}", if held { ", held" } else { "" });
        self.events.announce(&step, moment, held, None)
    }

    fn hold(&mut self, stage: StageIndex, why: Why) -> Result<Ending, DriverError> {
        let reason = self.reason(stage, why);
        let (step, ending) = match why {
            why if why.is_foreign() => (Plan::REFUSED_STEP, Ending::Refused),
            _ => (Plan::HOLDING_STEP, Ending::Holding),
        };
        self.say(step, Moment::Entered, Some(reason))?;
        Ok(ending)
    }

    fn say(&mut self, step: &str, moment: Moment, reason: Option<String>) -> Result<(), FileError> {
        eprintln!(
            "{step}{}",
            reason
                .as_ref()
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default()
        );
        self.events
            .announce(&StepName::new(step), moment, false, reason)
    }

    fn reason(&self, stage: StageIndex, why: Why) -> String {
        let seen = || self.seen.as_ref().map(reason::facts_in_words);
        let detail = self.detail.clone().or_else(seen);
        format!(
            "at step {}: {}",
            self.step(stage),
            reason::with_detail(why, detail.as_deref())
        )
    }

    fn step(&self, stage: StageIndex) -> StepName {
        let stage = self.plan.stages.get(usize::from(stage));
        stage.map_or_else(|| StepName::new("unknown"), |stage| stage.step.clone())
    }

    fn duration(&self, timer: Timer) -> Duration {
        let stage = self.plan.stages.get(usize::from(self.state.stage()));
        let milliseconds = match timer {
            Timer::Stage => stage.map(|stage| stage.deadline_ms),
            Timer::Stable => stage.map(|stage| stage.stable_ms),
            Timer::Retry => Some(self.plan.retry_ms),
        };
        Duration::from_millis(milliseconds.unwrap_or_default().into())
    }
}

// === Inputs ===

impl<T, F> Driver<T, F> {
    fn ended(
        &mut self,
        ended: Result<(Task, Attempt, Answer), tokio::task::JoinError>,
    ) -> Option<Input> {
        self.started.retain(|(_, handle)| !handle.is_finished());
        // A task that was given up tells nothing; one that panicked is a bug whose stage runs out of time.
        let (task, attempt, Answer { outcome, detail }) = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_cancelled() => return None,
            Err(error) => {
                self.detail = Some(format!("a task ended in a bug: {error}"));
                return None;
            }
        };
        if let Some(detail) = detail {
            eprintln!("{task:?}: {detail}");
            self.detail = Some(detail);
        }
        Some(Input::Finished(task, attempt, outcome))
    }

    fn release(&mut self, step: &StepName, moment: Moment) {
        let held = self.held.filter(|(stage, held, _)| {
            let stage = self.plan.stages.get(usize::from(*stage));
            *held == moment && stage.is_some_and(|stage| stage.step == *step)
        });
        match held {
            Some((stage, moment, _)) => {
                self.held = None;
                self.released.push_back(Input::Released(stage, moment));
            }
            None => {
                eprintln!("control: nothing is held at {step}:{moment}; the release is passed over")
            }
        }
    }

    fn release_overdue(&mut self) {
        if let Some((stage, moment, _)) = self.held.take() {
            eprintln!("nobody released within {:?}; going on", self.holds.deadline);
            self.released.push_back(Input::Released(stage, moment));
        }
    }
}

async fn next_release(control: &mut Option<ControlFifo>) -> (StepName, Moment) {
    match control {
        Some(control) => control.released().await,
        None => std::future::pending().await,
    }
}

async fn at(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin;
