//! Can the world always return to health by itself? Backwards from the healthy states, over all that
//! was explored.

use super::backwards::{Backwards, Numbers, Refused};
use super::bounds::Ask;
use super::explored::Explored;
use super::model::Model;
use super::path::{NoSymmetry, Path, enabled};
use super::visited::StateId;

/// Which actions the world may use to return.
pub type Allowed<'a, A> = &'a (dyn Fn(A) -> bool + Sync);

/// Whether every state found can return to health.
pub enum Returns<M: Model> {
    /// Every reachable state can.
    Always,
    /// Some cannot: all that they can lead to was explored, and nothing there is healthy.
    NotFrom {
        /// How many.
        states: u64,
        /// A shortest way to one of them.
        path: Path<M>,
        /// What keeps it there.
        why: Stuck,
    },
    /// No such state was found, but the search was cut off and what lies beyond is unknown.
    Unknown {
        /// States that can return only beyond the border, if at all.
        states: u64,
    },
    /// It was not answered: it needs more memory than the search was allowed.
    TooLarge {
        /// How much in all, in MiB.
        mib: u64,
    },
    /// The caller stopped the question before it was answered.
    Stopped,
}

/// What keeps a world from returning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stuck {
    /// Nothing can happen by itself.
    DeadEnd,
    /// Things happen, but never lead to health.
    Circles,
}

const UNMARKED: u8 = 0;
const RETURNS: u8 = 1;
const REACHES_BORDER: u8 = 2;

/// Judges all states of a search. `allowed` says which actions count as the world's own: those that
/// are not from outside, or with them what an operator may do.
///
/// `ask` hears of states that are still to be gone through as the frontier.
///
/// # Errors
/// If the model calls states mirrored that do not behave alike.
pub fn returns<M: Model>(
    explored: &Explored<M>,
    allowed: Allowed<M::Action>,
    ask: Ask,
) -> Result<Returns<M>, NoSymmetry> {
    let backwards = match Backwards::new(explored, allowed, ask) {
        Ok(backwards) => backwards,
        Err(Refused::Stopped) => return Ok(Returns::Stopped),
        Err(Refused::Memory { mib }) => return Ok(Returns::TooLarge { mib }),
    };
    let mut marks = Marks::new(explored);
    marks.spread(RETURNS, &backwards, |id| {
        let state = explored.model.unpack(explored.visited.key(id));
        explored.model.healthy(&state)
    });
    marks.spread(REACHES_BORDER, &backwards, |id| !explored.is_expanded(id));
    let mut unmarked = explored
        .nearest_first()
        .filter(|id| marks.of(*id) == UNMARKED);
    let Some(nearest) = unmarked.next() else {
        let complete = explored.expanded == explored.visited.lens();
        let states = marks.count(REACHES_BORDER);
        return Ok(if complete {
            Returns::Always
        } else {
            Returns::Unknown { states }
        });
    };
    let states = 1 + unmarked.count() as u64;
    let state = explored.model.unpack(explored.visited.key(nearest));
    let moves = enabled(explored.model, &state).into_iter().any(allowed);
    let why = if moves {
        Stuck::Circles
    } else {
        Stuck::DeadEnd
    };
    let path = explored.path_to(nearest)?;
    Ok(Returns::NotFrom { states, path, why })
}

/// What is known of each state, by the number of its slot.
struct Marks<'e, 'm, M: Model> {
    explored: &'e Explored<'m, M>,
    numbers: Numbers,
    marks: Vec<u8>,
}

impl<'e, 'm, M: Model> Marks<'e, 'm, M> {
    fn new(explored: &'e Explored<'m, M>) -> Self {
        let numbers = Numbers::of(&explored.visited);
        Self {
            explored,
            numbers,
            marks: vec![UNMARKED; numbers.count()],
        }
    }

    fn of(&self, id: StateId) -> u8 {
        self.marks[self.number(id)]
    }

    fn number(&self, id: StateId) -> usize {
        self.numbers.number(self.explored.visited.slot(id))
    }

    fn count(&self, mark: u8) -> u64 {
        self.marks.iter().filter(|other| **other == mark).count() as u64
    }

    /// Marks the unmarked states with which it begins, and every unmarked state that leads to a marked one.
    fn spread(&mut self, mark: u8, backwards: &Backwards, begins: impl Fn(StateId) -> bool) {
        let mut waiting = Vec::new();
        for id in self.explored.nearest_first() {
            let number = self.number(id);
            if self.marks[number] == UNMARKED && begins(id) {
                self.marks[number] = mark;
                waiting.push(number as u32);
            }
        }
        while let Some(number) = waiting.pop() {
            for source in backwards.sources(number as usize) {
                let other = &mut self.marks[*source as usize];
                if *other == UNMARKED {
                    *other = mark;
                    waiting.push(*source);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pivot::modern;

    use super::*;
    use crate::coarse::{Budgets, Config, World};
    use crate::explore::{Bounds, Search, Symmetry, Until, explore, go_on};

    /// A question that does not fit is left open, and says how much it needs.
    #[test]
    fn what_does_not_fit_is_not_answered() {
        let config = Config::calm(modern(), 1).with(Budgets {
            power_cuts: 1,
            ..Budgets::default()
        });
        let world = World::new(config);
        let search = Search {
            bounds: Bounds::within_mib(256),
            symmetry: Symmetry::On,
            until: Until::Exhausted,
            threads: 1,
        };
        let mut explored = explore(&world, &search, &go_on);
        let answer = |explored: &Explored<World>| {
            let by_itself = |action| !world.is_outside(action);
            returns(explored, &by_itself, &go_on).expect("one node mirrors nobody")
        };
        assert!(matches!(answer(&explored), Returns::Always));
        explored.search.bounds.memory_mib = 1;
        let Returns::TooLarge { mib } = answer(&explored) else {
            panic!(
                "{} MiB hold the states alone",
                explored.visited.bytes() >> 20
            );
        };
        assert!((2..256).contains(&mib), "{mib} MiB");
    }
}
