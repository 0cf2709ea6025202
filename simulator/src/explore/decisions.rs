//! Which outcomes of the procedure's decisions were met, and which kinds of action happened meanwhile.
//!
//! A search that never saw a gate fail says nothing about what follows if it does. The states are gone
//! through once more after the search, so that a search that does not ask pays nothing.

use std::fmt;

use super::bounds::{Ask, Continue, Progress};
use super::explored::Explored;
use super::model::Model;
use super::path::enabled;
use super::table::grouped;

/// How often states are told of.
const ASK_EVERY: u64 = 1 << 14;

/// How often each kind of action happened under each outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decisions {
    /// Names of the kinds of action.
    pub kinds: &'static [&'static str],
    /// Names of the outcomes.
    pub outcomes: &'static [&'static str],
    /// By outcome and kind: how often.
    pub times: Vec<Vec<u64>>,
    /// States gone through; all that were expanded, unless the caller stopped.
    pub states: u64,
}

/// Goes through all states that a search expanded. `ask` hears of them.
pub fn decisions<M: Model>(explored: &Explored<M>, ask: Ask) -> Decisions {
    let model = explored.model;
    let mut found = Decisions::none(model.kinds(), model.outcomes());
    let expanded = explored
        .nearest_first()
        .filter(|id| explored.is_expanded(*id));
    for id in expanded {
        if found.states.is_multiple_of(ASK_EVERY) && ask(&found.progress(explored)) == Continue::No
        {
            break;
        }
        found.states += 1;
        let state = model.unpack(explored.visited.key(id));
        let judging = model.judging(&state);
        for action in enabled(model, &state) {
            let led_to = model.led_to(&state, &model.apply(&state, action));
            found.count(model.kind(action), judging | led_to);
        }
    }
    found
}

impl Decisions {
    fn none(kinds: &'static [&'static str], outcomes: &'static [&'static str]) -> Self {
        Self {
            kinds,
            outcomes,
            times: vec![vec![0; kinds.len()]; outcomes.len()],
            states: 0,
        }
    }

    fn count(&mut self, kind: usize, mut outcomes: u64) {
        while outcomes != 0 {
            self.times[outcomes.trailing_zeros() as usize][kind] += 1;
            outcomes &= outcomes - 1;
        }
    }

    fn progress<M: Model>(&self, explored: &Explored<M>) -> Progress {
        let states = explored.visited.len();
        Progress {
            states,
            transitions: self.times.iter().flatten().sum(),
            depth: 0,
            frontier: states - self.states,
            bytes: 0,
        }
    }

    /// Outcomes that were never met: whatever follows from them was not tried.
    #[must_use]
    pub fn never_met(&self) -> Vec<&'static str> {
        let met = self.outcomes.iter().zip(&self.times);
        met.filter(|(_, times)| times.iter().all(|times| *times == 0))
            .map(|(outcome, _)| *outcome)
            .collect()
    }

    /// How many pairs of an outcome and a kind of action were met.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.times
            .iter()
            .flatten()
            .filter(|times| **times > 0)
            .count()
    }
}

/// One line an outcome, with the kinds of action that happened under it.
impl fmt::Display for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.kinds.len() * self.outcomes.len();
        writeln!(
            f,
            "decisions: {} of {all} pairs of outcome and kind of action",
            self.pairs()
        )?;
        let never = self.never_met();
        if !never.is_empty() {
            writeln!(f, "never met: {}", never.join(", "))?;
        }
        for (outcome, times) in self.outcomes.iter().zip(&self.times) {
            let met = self
                .kinds
                .iter()
                .zip(times)
                .filter(|(_, times)| **times > 0);
            let met: Vec<_> = met
                .map(|(kind, times)| format!("{kind} {}", grouped(*times)))
                .collect();
            if !met.is_empty() {
                writeln!(f, "  {outcome}: {}", met.join(", "))?;
            }
        }
        Ok(())
    }
}
