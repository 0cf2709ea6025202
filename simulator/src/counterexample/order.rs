//! Another order of the same events that is possible in time.
//!
//! A shortest way puts off whatever it does not need, and orders what is independent as it likes:
//! taken by the letter, hardly one is possible. So the same events are tried in other orders, with what
//! must happen in between, until the same invariant is violated: depth first, the given order
//! preferred. When so many tries find none, that is said; it is no proof that there is none.

use std::collections::BTreeSet;

use super::Counterexample;
use crate::coarse::{Action, State, World};
use crate::explore::Model;
use crate::timers::Timers;

/// More tries than this are not made.
const MOST_TRIES: usize = 4_000;
/// So many events may come in between, beyond as many again as there are.
const MOST_BETWEEN: usize = 20;

/// A search for an order.
struct Attempt<'a> {
    world: &'a World,
    timers: &'a Timers,
    /// The bit of the invariant that must be violated.
    bit: u64,
    most: usize,
    tries: usize,
    /// Where the search was already, by state and events that are left.
    seen: BTreeSet<(u128, usize)>,
    found: Counterexample,
}

impl Counterexample {
    /// The counterexample in an order that is possible within this table: its own if it is one.
    ///
    /// # Errors
    /// Why its own order is impossible, when no other was found.
    pub fn timely(&self, timers: &Timers) -> Result<Self, String> {
        let Err(reason) = self.schedule(timers) else {
            return Ok(self.clone());
        };
        let world = World::new(self.config.clone());
        let known = world.invariants().iter();
        let place = known.enumerate().find(|(_, slug)| **slug == self.invariant);
        let mut attempt = Attempt {
            world: &world,
            timers,
            bit: place.map_or(0, |(bit, _)| 1 << bit),
            most: 2 * self.path.len() + MOST_BETWEEN,
            tries: 0,
            seen: BTreeSet::new(),
            found: Self {
                path: Vec::new(),
                ..self.clone()
            },
        };
        let begin = world.initial()[0];
        if attempt.go_on(&begin, &self.path) {
            Ok(attempt.found)
        } else {
            Err(format!(
                "{reason} (and so in {} other beginnings of an order)",
                attempt.tries
            ))
        }
    }
}

impl Attempt<'_> {
    /// Whether the way found so far, which ends in `state`, leads to the violation; `left` are the events
    /// of the given order that have not happened.
    fn go_on(&mut self, state: &State, left: &[Action]) -> bool {
        if self.world.violated(state) & self.bit != 0 {
            return true;
        }
        let key = self.world.pack(state, false);
        if self.found.path.len() >= self.most || !self.seen.insert((key, left.len())) {
            return false;
        }
        for action in self.candidates(state, left) {
            if self.tries >= MOST_TRIES {
                return false;
            }
            self.tries += 1;
            self.found.path.push(action);
            if self.found.schedule(self.timers).is_ok() {
                let mut rest = left.to_vec();
                if let Some(at) = rest.iter().position(|other| *other == action) {
                    rest.remove(at);
                }
                let next = self.world.apply(state, action);
                if self.go_on(&next, &rest) {
                    return true;
                }
            }
            self.found.path.pop();
        }
        false
    }

    /// What can happen: first what is left of the given order, then what the world does by itself.
    fn candidates(&self, state: &State, left: &[Action]) -> Vec<Action> {
        let mut listed = Vec::new();
        self.world.actions(state, &mut listed);
        let place = |action: &Action| left.iter().position(|other| other == action);
        listed.retain(|action| {
            let own = !self.world.is_outside(*action) && !matches!(action, Action::PowerOn(_));
            own || place(action).is_some()
        });
        listed.sort_by_key(|action| place(action).unwrap_or(usize::MAX));
        listed
    }
}
