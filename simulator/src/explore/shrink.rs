//! Making a way to a violation short, so that a person can read it.
//!
//! First delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
//! 2002), where an action that cannot happen is skipped. Then a breadth-first search for any shorter
//! way by the same kinds of action, which also finds what no deletion can.

use super::bounds::{Bounds, End};
use super::model::Model;
use super::nearest::{Goal, Nearest, nearest};
use super::path::{Path, enabled};

/// A way made short.
pub struct Shrunk<M: Model> {
    /// The short way.
    pub path: Path<M>,
    /// How often parts of the way were tried.
    pub replays: u64,
    /// How sure it is that there is no shorter one.
    pub polish: Polish,
}

/// How sure it is that there is no shorter way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Polish {
    /// By these kinds of action none is shorter.
    Shortest,
    /// The search for a shorter one met its limits; no action can be left out, though.
    Undecided,
}

/// Shortens a way that ends at a goal, for example where a given invariant is violated. What comes out
/// begins in the same state and ends at the same goal. `None` if this way never meets its goal.
pub fn shrink<M: Model>(
    model: &M,
    path: &Path<M>,
    goal: Goal<M::State>,
    bounds: Bounds,
) -> Option<Shrunk<M>> {
    let mut attempt = Attempt {
        model,
        start: path.start,
        goal,
        replays: 0,
    };
    let actions = attempt.replay(&path.actions)?;
    let actions = attempt.delete(actions);
    let replays = attempt.replays;
    let (actions, polish) = polish(model, path.start, actions, goal, bounds);
    Some(Shrunk {
        path: Path {
            start: path.start,
            actions,
        },
        replays,
        polish,
    })
}

struct Attempt<'a, M: Model> {
    model: &'a M,
    start: M::State,
    goal: Goal<'a, M::State>,
    replays: u64,
}

impl<M: Model> Attempt<'_, M> {
    /// Does those of the actions that can happen, until the goal is met. Returns what was done.
    fn replay(&mut self, actions: &[M::Action]) -> Option<Vec<M::Action>> {
        self.replays += 1;
        let mut state = self.start;
        let mut done = Vec::new();
        for action in actions {
            if (self.goal)(&state) {
                break;
            }
            if enabled(self.model, &state).contains(action) {
                state = self.model.apply(&state, *action);
                done.push(*action);
            }
        }
        (self.goal)(&state).then_some(done)
    }

    /// Deletes runs of actions, long ones first, until not even one action can be left out.
    fn delete(&mut self, mut actions: Vec<M::Action>) -> Vec<M::Action> {
        let mut run = actions.len().div_ceil(2);
        while run > 0 {
            let mut from = 0;
            let mut deleted = false;
            while from < actions.len() {
                let to = actions.len().min(from + run);
                let rest = [&actions[..from], &actions[to..]].concat();
                match self.replay(&rest) {
                    Some(done) => {
                        actions = done;
                        deleted = true;
                    }
                    None => from = to,
                }
            }
            // Deleting one may have made another superfluous.
            run = if deleted {
                run.min(actions.len().div_ceil(2))
            } else {
                run / 2
            };
        }
        actions
    }
}

fn polish<M: Model>(
    model: &M,
    start: M::State,
    actions: Vec<M::Action>,
    goal: Goal<M::State>,
    bounds: Bounds,
) -> (Vec<M::Action>, Polish) {
    let Some(shorter) = actions.len().checked_sub(1) else {
        return (actions, Polish::Shortest);
    };
    let kinds: Vec<usize> = actions.iter().map(|action| model.kind(*action)).collect();
    let allowed = |action| kinds.contains(&model.kind(action));
    let depth = bounds.depth.min(u32::try_from(shorter).unwrap_or(u32::MAX));
    match nearest(model, &start, &allowed, goal, bounds.depth(depth)) {
        Nearest::Found(path) => (path.actions, Polish::Shortest),
        Nearest::Nowhere { .. } => (actions, Polish::Shortest),
        Nearest::Undecided {
            end: End::Depth, ..
        } if depth as usize == shorter => (actions, Polish::Shortest),
        Nearest::Undecided { .. } => (actions, Polish::Undecided),
    }
}
