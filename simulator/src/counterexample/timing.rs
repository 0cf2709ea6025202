//! Whether what happens is possible in this order with the durations of the timer table.
//!
//! Each thing that can happen has a clock from the moment on at which it can. What happens comes
//! within its window after that, and nothing that can happen is put off beyond its window: these are
//! difference constraints on the instants of the path, and either they can be met or they contradict
//! one another (facts: simulation.md §2.5; timed Petri nets call this strong semantics). What no row of the table
//! bounds may take any time; so may what begins anew after an earlier fault, for the coarse world does
//! not count back-offs. A path that is called impossible is impossible; one that is called possible may
//! still need luck.

use super::Counterexample;
use super::difference::{Bound, Constraint, earliest};
use super::window::{Begun, Clock, Window, running};
use crate::coarse::{Action, World};
use crate::timers::Timers;

/// Whether what happens is possible within the timer table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timing {
    /// It is.
    Feasible,
    /// It needs timing outside defaults, as far as was tried: no bug. With the reason.
    NeedsUnusualTiming(String),
}

/// A clock that runs.
struct Waiting {
    clock: Clock,
    since: usize,
    window: Window,
}

impl Counterexample {
    /// Whether what happens is possible within this table: in this order, or in one that
    /// [`Counterexample::timely`] finds.
    pub fn timing(&self, timers: &Timers) -> Timing {
        match self.timely(timers) {
            Ok(_) => Timing::Feasible,
            Err(reason) => Timing::NeedsUnusualTiming(reason),
        }
    }

    /// The earliest times at which it can all happen, in milliseconds since the beginning; the first
    /// is that of the beginning itself.
    ///
    /// # Errors
    /// Why there are none.
    pub fn schedule(&self, timers: &Timers) -> Result<Vec<u64>, String> {
        let constraints = self.constraints(timers);
        earliest(self.path.len() + 1, &constraints).map_err(|circle| {
            let mut reasons: Vec<&str> = circle.iter().map(|found| &*found.because).collect();
            reasons.sort_unstable();
            reasons.dedup();
            reasons.join("; but ")
        })
    }

    fn constraints(&self, timers: &Timers) -> Vec<Constraint> {
        let world = World::new(self.config.clone());
        let states = self.states(&world);
        let mut constraints = Vec::new();
        let mut waiting: Vec<Waiting> = Vec::new();
        for at in 0..states.len() {
            let action = at.checked_sub(1).map(|before| self.path[before]);
            let clock = action.and_then(|action| Clock::of(action, &states[at - 1]));
            let now = running(&world, &states[at]);
            waiting.retain(|other| {
                let fired = clock == Some(other.clock);
                let goes_on = !fired && now.contains(&other.clock);
                if !goes_on {
                    constraints.extend(other.least(at).filter(|_| fired));
                    constraints.extend(other.most(at, action));
                }
                goes_on
            });
            for clock in now {
                if waiting.iter().any(|other| other.clock == clock) {
                    continue;
                }
                let begun = Begun {
                    world: &world,
                    timers: *timers,
                    before: &self.path[..at],
                    states: &states[..=at],
                };
                let window = begun.window(clock);
                waiting.push(Waiting {
                    clock,
                    since: at,
                    window,
                });
            }
        }
        let end = states.len() - 1;
        constraints.extend(waiting.iter().filter_map(|other| other.most(end, None)));
        constraints
    }
}

impl Waiting {
    fn least(&self, at: usize) -> Option<Constraint> {
        let least_ms = self.window.least_ms;
        (least_ms > 0).then(|| Constraint {
            from: self.since,
            to: at,
            bound: Bound::AtLeast(least_ms),
            because: format!(
                "{} ({at}) takes {least_ms} ms at least after {}",
                self.clock,
                self.begin()
            ),
        })
    }

    fn most(&self, at: usize, ended_by: Option<Action>) -> Option<Constraint> {
        let most_ms = self.window.most_ms?;
        let until = ended_by.map_or_else(String::new, |action| format!(" (until {at}: {action})"));
        Some(Constraint {
            from: self.since,
            to: at,
            bound: Bound::AtMost(most_ms),
            because: format!(
                "{} takes {most_ms} ms at most after {}{until}",
                self.clock,
                self.begin()
            ),
        })
    }

    fn begin(&self) -> String {
        match self.since {
            0 => "the beginning".to_owned(),
            since => format!("action {since}"),
        }
    }
}
