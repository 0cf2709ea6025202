//! A counterexample of the coarse world, made useful: timed, played, told and kept.
//!
//! *Counterexample*: a world's bounds, the invariant that is violated, and what happens. *Timing*:
//! whether the order of what happens is possible with the durations of [`crate::timers`]. *Scenario*:
//! the same as a file of the scenario language, with faults held at steps. *Rehearsal*: that file
//! played in the timed world, before anybody replays it on real nodes. *Table*: the same for a person,
//! one line an event.

mod difference;
mod order;
mod timing;
mod window;

mod address;
mod rehearsal;
mod scenario;

mod guard;
mod table;

mod stored;

pub mod page;
pub mod suite;

pub use rehearsal::Rehearsal;
pub use stored::{LoadError, Place};
pub use timing::Timing;

use crate::coarse::{Action, Config, State, World};
use crate::explore::{Explored, Model, NoSymmetry};

/// A way through a coarse world to a state that violates an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The world's bounds.
    pub config: Config,
    /// Slug of the invariant that the last state violates.
    pub invariant: String,
    /// What happens, in order, from the world's beginning. Every action can happen where it stands.
    pub path: Vec<Action>,
}

impl Counterexample {
    /// What a search found: for each violated invariant a shortest way there.
    ///
    /// # Errors
    /// If the world calls states mirrored that do not behave alike.
    pub fn all(world: &World, explored: &Explored<World>) -> Result<Vec<Self>, NoSymmetry> {
        let found = explored.counterexamples()?.into_iter();
        Ok(found
            .map(|found| Self {
                config: world.config().clone(),
                invariant: world.invariants()[found.invariant].to_owned(),
                path: found.path.actions,
            })
            .collect())
    }

    /// Every state on the way, from the first to the last.
    pub(crate) fn states(&self, world: &World) -> Vec<State> {
        let mut states = world.initial();
        states.truncate(1);
        for action in &self.path {
            let last = states[states.len() - 1];
            states.push(world.apply(&last, *action));
        }
        states
    }
}
