//! The agent's driver: one machine for each component, inputs in, effects out, performed in order.

use std::collections::VecDeque;
use std::time::Duration;

use pivot::Attempt;
use pivot::checkpoint::{
    AgentPlan, Effect, Facts, Input, LogEntry, Outcome, State, Step, Task, Timer, begin, step,
};
use terms::{Component, Moment};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::holds::Holds;
use super::places::Places;
use super::protection::Protection;
use super::sources::{Seen, Sight, Sources};
use super::tasks;
use crate::control::ControlFifo;
use crate::durable_file::FileError;
use crate::events::Events;
use crate::log::LogFile;
use crate::timers::Timers;

/// A task that has not ended by then may have happened or not. They only write some small files.
const TASK_DEADLINE: Duration = Duration::from_secs(30);

/// What a driver is made of.
pub(super) struct Parts {
    pub(super) plan: AgentPlan,
    pub(super) places: Places,
    pub(super) sources: Sources,
    pub(super) protection: Protection,
    pub(super) events: Events,
    pub(super) log: LogFile,
    pub(super) holds: Holds,
    pub(super) control: ControlFifo,
    /// Tells what is armed.
    pub(super) armed: watch::Sender<String>,
    pub(super) stop: CancellationToken,
}

/// Drives the machines of one node.
pub(super) struct Driver {
    parts: Parts,
    machines: [Machine; 3],
    timers: Timers<(usize, Timer)>,
    running: JoinSet<Ended>,
    inputs: VecDeque<(usize, Input)>,
}

/// How a task of a component ended.
type Ended = (usize, Task, Attempt, Outcome);

/// One component's machine.
struct Machine {
    component: Component,
    state: State,
    seen: Seen,
    /// The last facts that were logged.
    logged: Option<Facts>,
    /// When it last had something done, or ended: facts must be newer.
    moved: Instant,
}

impl Driver {
    /// A driver that has not begun.
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            parts,
            machines: Component::SELF_HOSTED.map(|component| Machine {
                component,
                state: begin(),
                seen: Seen::default(),
                logged: None,
                moved: Instant::now(),
            }),
            timers: Timers::default(),
            running: JoinSet::new(),
            inputs: VecDeque::new(),
        }
    }

    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// When steps or log cannot be written, or the agent cannot protect itself.
    pub(super) async fn run(mut self) -> Result<(), FileError> {
        self.parts.log.append(LogEntry::Began.to_line())?;
        while let Some((place, input)) = self.next().await? {
            self.take(place, input).await?;
        }
        Ok(())
    }

    async fn take(&mut self, place: usize, input: Input) -> Result<(), FileError> {
        let machine = &mut self.machines[place];
        let (state, effects) = step(&self.parts.plan, machine.component, machine.state, input);
        let is_idle = effects.is_empty() && state == machine.state;
        machine.state = state;
        let is_news = match input {
            Input::Facts(facts) => machine.logged.replace(facts) != Some(facts),
            _ => true,
        };
        if is_news || !is_idle {
            let component = machine.component;
            let entry = LogEntry::Stepped {
                component,
                input,
                effects,
            };
            self.parts.log.append(entry.to_line())?;
        }
        for effect in effects.iter() {
            self.perform(place, effect).await?;
        }
        let machine = &mut self.machines[place];
        if !is_idle {
            machine.moved = Instant::now();
        }
        if !is_idle && machine.state.awaits_facts() {
            self.parts.sources.hurry();
        }
        Ok(())
    }

    async fn perform(&mut self, place: usize, effect: Effect) -> Result<(), FileError> {
        match effect {
            Effect::Start(task, attempt) => self.start(place, task, attempt),
            Effect::Cancel(task) => self.cancel(place, task).await,
            Effect::Arm(timer) => {
                let duration = self.parts.plan.duration_ms(timer);
                let duration = Duration::from_millis(duration.into());
                self.timers.arm((place, timer), duration);
            }
            Effect::Disarm(timer) => self.timers.disarm((place, timer)),
            Effect::Announce(step, moment) => self.announce(place, step, moment)?,
        }
        Ok(())
    }

    fn start(&mut self, place: usize, task: Task, attempt: Attempt) {
        let machine = &self.machines[place];
        let (component, wanted) = (machine.component, machine.seen.wanted.clone());
        let unfit = machine.seen.unfit.clone();
        let (places, order) = (self.parts.places.clone(), self.parts.plan.rules.order);
        self.running.spawn(async move {
            let work = move || tasks::perform(&places, component, task, order, wanted.as_ref());
            let ended = timeout(TASK_DEADLINE, tokio::task::spawn_blocking(work)).await;
            let outcome = match ended {
                Ok(Ok(Ok(()))) => Outcome::Done,
                Ok(Ok(Err(error))) => {
                    eprintln!("{component}: {task:?}: {}", crate::tasks::chain(&error));
                    if let Some(unfit) = unfit {
                        eprintln!("{component}: {unfit}");
                    }
                    Outcome::Failed
                }
                Ok(Err(error)) => {
                    eprintln!("{component}: {task:?} ended in a bug: {error}");
                    Outcome::Unknown
                }
                Err(_) => Outcome::Unknown,
            };
            (place, task, attempt, outcome)
        });
    }

    /// Gives a task up and waits until it certainly does nothing more: what follows may undo it. What
    /// others ended with meanwhile is kept.
    async fn cancel(&mut self, place: usize, task: Task) {
        while let Some(ended) = self.running.join_next().await {
            let Ok(ended) = ended else { continue };
            if (ended.0, ended.1) == (place, task) {
                return;
            }
            self.ended(ended);
        }
    }

    fn ended(&mut self, (place, task, attempt, outcome): Ended) {
        self.inputs
            .push_back((place, Input::Finished(task, attempt, outcome)));
    }

    fn announce(&mut self, place: usize, step: Step, moment: Moment) -> Result<(), FileError> {
        let component = self.machines[place].component;
        let name = step.of(component);
        let occurrence = self.parts.events.occurrence(&name, moment);
        let held = self
            .parts
            .holds
            .hold(component, (step, moment), occurrence)?;
        if !held {
            self.inputs
                .push_back((place, Input::Released(step, moment)));
        }
        eprintln!("{name} {moment}{}", if held { ", held" } else { "" });
        self.parts.events.announce(&name, moment, held, None)
    }
}

// === Inputs ===

impl Driver {
    /// The next input; `None` when told to stop. Facts come last: they are always at hand, and would
    /// keep everything else waiting.
    async fn next(&mut self) -> Result<Option<(usize, Input)>, FileError> {
        loop {
            if let Some(input) = self.inputs.pop_front() {
                return Ok(Some(input));
            }
            let until = self.parts.holds.deadline();
            tokio::select! {
                biased;
                () = self.parts.stop.cancelled() => return Ok(None),
                Some(ended) = self.running.join_next() => {
                    if let Ok(ended) = ended {
                        self.ended(ended);
                    }
                }
                (name, moment) = self.parts.control.released() => {
                    match self.parts.holds.release(&name, moment) {
                        Some((component, step)) => self.released(component, step, moment),
                        None => eprintln!("control: nothing is held at {name}:{moment}; the release is passed over"),
                    }
                }
                () = at(until) => {
                    for (component, step, moment) in self.parts.holds.release_overdue() {
                        eprintln!("nobody released {}:{moment} in time; going on", step.of(component));
                        self.released(component, step, moment);
                    }
                }
                (place, timer) = self.timers.elapsed() => {
                    return Ok(Some((place, Input::Elapsed(timer))));
                }
                sight = self.parts.sources.next() => self.see(sight)?,
            }
        }
    }

    fn released(&mut self, component: Component, step: Step, moment: Moment) {
        let place = self
            .machines
            .iter()
            .position(|machine| machine.component == component);
        let place = place.expect("only a machine of ours can be held");
        self.inputs
            .push_back((place, Input::Released(step, moment)));
    }

    /// Tells each machine what was seen after it last moved; one that decides by it, only what the API
    /// was asked since, too.
    fn see(&mut self, sight: Sight) -> Result<(), FileError> {
        let Parts {
            places,
            plan,
            protection,
            armed,
            ..
        } = &mut self.parts;
        protection.follow(places, plan, &sight)?;
        let Sight {
            asked,
            looked,
            components,
            ..
        } = sight;
        let mut names = Vec::new();
        for (place, (machine, seen)) in self.machines.iter_mut().zip(components).enumerate() {
            if plan.covers(machine.component) && seen.facts.is_armed() {
                names.push(machine.component.name());
            }
            let gathered = if machine.state.awaits_facts() {
                asked
            } else {
                looked
            };
            if gathered > machine.moved {
                self.inputs.push_back((place, Input::Facts(seen.facts)));
                machine.seen = seen;
            }
        }
        let names = names.join(",");
        armed.send_if_modified(|told| {
            let is_news = *told != names;
            *told = names;
            is_news
        });
        Ok(())
    }
}

async fn at(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
