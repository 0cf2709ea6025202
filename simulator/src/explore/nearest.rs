//! The shortest way from one state to a goal, by some of the actions only.

use super::bounds::{Bounds, End, Search, Symmetry, Until, go_on};
use super::model::Model;
use super::path::Path;
use super::returns::Allowed;
use super::search::explore;

/// What a state must be to be looked for.
pub type Goal<'a, S> = &'a (dyn Fn(&S) -> bool + Sync);

/// Whether there is a way to a goal.
pub enum Nearest<M: Model> {
    /// A shortest way.
    Found(Path<M>),
    /// There is none: all that can be reached was looked at.
    Nowhere {
        /// States looked at.
        states: u64,
    },
    /// None was found before the search ended.
    Undecided {
        /// States looked at.
        states: u64,
        /// Why it ended.
        end: End,
    },
}

/// Looks for the shortest way from a state to a goal.
pub fn nearest<M: Model>(
    model: &M,
    start: &M::State,
    allowed: Allowed<M::Action>,
    goal: Goal<M::State>,
    bounds: Bounds,
) -> Nearest<M> {
    let part = Part {
        model,
        start: model.pack(start, false),
        allowed,
        goal,
    };
    let search = Search {
        bounds,
        symmetry: Symmetry::Off,
        until: Until::Violation,
        threads: 1,
    };
    let explored = explore(&part, &search, &go_on);
    let found = explored
        .counterexamples()
        .expect("without symmetry every path can be replayed");
    let coverage = explored.coverage();
    match (found.into_iter().next(), coverage.end) {
        (Some(found), _) => Nearest::Found(Path {
            start: found.path.start,
            actions: found.path.actions,
        }),
        (None, End::Exhausted) => Nearest::Nowhere {
            states: coverage.states,
        },
        (None, end) => Nearest::Undecided {
            states: coverage.states,
            end,
        },
    }
}

/// A part of a world: what can be reached from one state by some of the actions. The goal takes the
/// place of its invariants, so that a search for a violation finds the goal.
struct Part<'a, M: Model> {
    model: &'a M,
    start: u128,
    allowed: Allowed<'a, M::Action>,
    goal: Goal<'a, M::State>,
}

impl<M: Model> Model for Part<'_, M> {
    type State = M::State;
    type Action = M::Action;

    fn initial(&self) -> Vec<M::State> {
        vec![self.model.unpack(self.start)]
    }

    fn actions(&self, state: &M::State, into: &mut Vec<M::Action>) {
        self.model.actions(state, into);
        into.retain(|action| (self.allowed)(*action));
    }

    fn apply(&self, state: &M::State, action: M::Action) -> M::State {
        self.model.apply(state, action)
    }

    fn pack(&self, state: &M::State, symmetric: bool) -> u128 {
        self.model.pack(state, symmetric)
    }

    fn unpack(&self, key: u128) -> M::State {
        self.model.unpack(key)
    }

    fn invariants(&self) -> &'static [&'static str] {
        &["goal"]
    }

    fn violated(&self, state: &M::State) -> u64 {
        u64::from((self.goal)(state))
    }

    fn decided(&self, _: &M::State) -> u64 {
        1
    }

    fn healthy(&self, state: &M::State) -> bool {
        self.model.healthy(state)
    }

    fn is_outside(&self, action: M::Action) -> bool {
        self.model.is_outside(action)
    }

    fn kind(&self, action: M::Action) -> usize {
        self.model.kind(action)
    }

    fn kinds(&self) -> &'static [&'static str] {
        self.model.kinds()
    }
}
