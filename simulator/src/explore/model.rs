//! What an explorer needs to know of a world: its states, what can happen in each, and what is wrong.

use std::fmt::{Debug, Display};

/// A world whose every interleaving can be tried.
///
/// Total and pure: the same state gives the same actions in the same order, and every action that is
/// listed can be applied.
pub trait Model: Sync {
    /// A state, in full.
    type State: Copy + Eq + Debug;
    /// Something that can happen.
    type Action: Copy + Eq + Debug + Display;

    /// Where it begins.
    fn initial(&self) -> Vec<Self::State>;

    /// Appends what can happen now, in a fixed order. `into` is reused and arrives empty.
    fn actions(&self, state: &Self::State, into: &mut Vec<Self::Action>);

    /// What follows from an action that was listed for this state.
    fn apply(&self, state: &Self::State, action: Self::Action) -> Self::State;

    /// The state's exact key: equal keys are equal states. With `symmetric`, interchangeable nodes
    /// are brought into one order first, so that mirrored states share a key. Never `u128::MAX`.
    fn pack(&self, state: &Self::State, symmetric: bool) -> u128;

    /// The state of a key; `pack` of it is the key again.
    fn unpack(&self, key: u128) -> Self::State;

    /// Slugs of the state invariants that this model can judge, at most 64, in the order of the bits
    /// that [`Model::violated`] sets.
    fn invariants(&self) -> &'static [&'static str];

    /// Which of them this state violates.
    fn violated(&self, state: &Self::State) -> u64;

    /// Which of them this state decides at all; the others are unknown in it.
    fn decided(&self, state: &Self::State) -> u64;

    /// Whether the world is as it should be: where it must always be able to return to.
    fn healthy(&self, state: &Self::State) -> bool;

    /// The state for a person, in whole lines: what a walk shows, and takes the difference of.
    fn shown(&self, state: &Self::State) -> String {
        format!("{state:#?}\n")
    }

    /// Whether somebody from outside does this (a fault, a person). Everything else the world does by itself.
    fn is_outside(&self, action: Self::Action) -> bool;

    /// Whether a person does this to help: what a world may return with that does not return by itself.
    fn is_help(&self, _action: Self::Action) -> bool {
        false
    }

    /// Index of the action's kind, below `kinds().len()`: what coverage counts.
    fn kind(&self, action: Self::Action) -> usize;

    /// Names of the kinds of action.
    fn kinds(&self) -> &'static [&'static str];

    /// Names of outcomes of decisions that the world's procedure takes, at most 64, in the order of the bits
    /// of [`Model::judging`] and [`Model::led_to`]: what coverage of decisions counts.
    fn outcomes(&self) -> &'static [&'static str] {
        &[]
    }

    /// What the procedure's judgements come to in this state.
    fn judging(&self, _state: &Self::State) -> u64 {
        0
    }

    /// What an action made the procedure decide.
    fn led_to(&self, _before: &Self::State, _after: &Self::State) -> u64 {
        0
    }
}
