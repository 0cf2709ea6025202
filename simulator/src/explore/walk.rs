//! Random walks through worlds that are too large to be explored.
//!
//! Uniform choice finds little (measured: a bug that every walk could meet, 0 of a million): therefore
//! each walk draws its own weight for each kind of action, so that walks differ in character. After
//! each walk comes a healed phase, in which nothing more happens from outside and health must return.

use super::bounds::{Ask, Bounds, Continue, Progress, Until};
use super::model::Model;
use super::nearest::{Nearest, nearest};
use super::path::{Path, enabled};
use super::returns::Stuck;
use super::stream::Stream;

/// How walks are done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Walks {
    /// Names all chance: the same seed gives the same walks.
    pub seed: u64,
    /// How many.
    pub walks: u64,
    /// Most actions of each.
    pub steps: u32,
    /// How actions are weighted.
    pub weights: Weights,
    /// Most actions of each healed phase.
    pub healed_steps: u32,
    /// Limits of the search that decides whether a world that did not return still can.
    pub healed_bounds: Bounds,
    /// What ends the walks early.
    pub until: Until,
    /// Threads. They change the speed and nothing else.
    pub threads: u64,
}

/// How actions are weighted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weights {
    /// All alike.
    Uniform,
    /// By kind, drawn for each walk from 1, 8, 64 and 512.
    Swarm,
}

/// What a healed phase came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Healed {
    /// Health returned.
    Returned,
    /// It did not within its steps, but could have.
    Slow,
    /// It did not, and cannot any more.
    Stuck(Stuck),
    /// It did not, and the search that should have said whether it can met its limits.
    Undecided,
}

/// One walk in full.
pub struct Walk<M: Model> {
    /// What happened, healed phase included.
    pub path: Path<M>,
    /// How many of its actions were before the healed phase.
    pub healed_from: usize,
    /// By invariant: after how many actions it was first violated.
    pub violated: Vec<Option<usize>>,
    /// What the healed phase came to.
    pub healed: Healed,
}

/// The walk of this number. It depends on model, seed, steps and weights alone.
pub fn walk<M: Model>(model: &M, walks: &Walks, number: u64) -> Walk<M> {
    let mut steps = Stream::named(walks.seed, "steps", number);
    let initial = model.initial();
    let start = initial[steps.below(initial.len() as u64) as usize];
    let mut going = Going {
        model,
        path: Path::empty(start),
        state: start,
        seen: Vec::new(),
    };
    going.look();
    let weights = weights(model, walks, number);
    for _ in 0..walks.steps {
        if !going.step(&mut steps, &weights, &|_| true) {
            break;
        }
    }
    let healed_from = going.path.actions.len();
    let healed = going.heal(walks, number);
    let violated = (0..model.invariants().len())
        .map(|invariant| {
            going
                .seen
                .iter()
                .position(|seen| seen >> invariant & 1 == 1)
        })
        .collect();
    Walk {
        path: going.path,
        healed_from,
        violated,
        healed,
    }
}

fn weights<M: Model>(model: &M, walks: &Walks, number: u64) -> Vec<u64> {
    let mut stream = Stream::named(walks.seed, "weights", number);
    let draw = |_| match walks.weights {
        Weights::Uniform => 1,
        Weights::Swarm => 8u64.pow(stream.below(4) as u32),
    };
    model.kinds().iter().map(draw).collect()
}

/// A walk under way.
struct Going<'m, M: Model> {
    model: &'m M,
    path: Path<M>,
    state: M::State,
    /// What each state so far violates.
    seen: Vec<u64>,
}

impl<M: Model> Going<'_, M> {
    fn look(&mut self) {
        self.seen.push(self.model.violated(&self.state));
    }

    /// Does one of the actions that are allowed. False if there is none.
    fn step(
        &mut self,
        stream: &mut Stream,
        weights: &[u64],
        allowed: &dyn Fn(M::Action) -> bool,
    ) -> bool {
        let mut actions = enabled(self.model, &self.state);
        actions.retain(|action| allowed(*action));
        let weight = |action: &M::Action| weights[self.model.kind(*action)];
        let total: u64 = actions.iter().map(weight).sum();
        if total == 0 {
            return false;
        }
        let mut left = stream.below(total);
        let chosen = actions.iter().find(|action| {
            let weight = weight(action);
            let here = left < weight;
            left = left.saturating_sub(weight);
            here
        });
        let chosen = *chosen.expect("what is drawn is below the sum of weights");
        self.state = self.model.apply(&self.state, chosen);
        self.path.actions.push(chosen);
        self.look();
        true
    }

    fn heal(&mut self, walks: &Walks, number: u64) -> Healed {
        let mut stream = Stream::named(walks.seed, "healed", number);
        let model = self.model;
        let by_itself = |action| !model.is_outside(action);
        let even = vec![1; model.kinds().len()];
        for _ in 0..=walks.healed_steps {
            if model.healthy(&self.state) {
                return Healed::Returned;
            }
            if !self.step(&mut stream, &even, &by_itself) {
                return Healed::Stuck(Stuck::DeadEnd);
            }
        }
        let goal = |state: &M::State| model.healthy(state);
        match nearest(model, &self.state, &by_itself, &goal, walks.healed_bounds) {
            Nearest::Found(_) => Healed::Slow,
            Nearest::Nowhere { .. } => Healed::Stuck(Stuck::Circles),
            Nearest::Undecided { .. } => Healed::Undecided,
        }
    }
}

/// What many walks found.
pub struct Walked<M: Model> {
    /// Walks done.
    pub walks: u64,
    /// Actions done, healed phases included.
    pub steps: u64,
    /// How often each kind of action fired.
    pub fired: Vec<(&'static str, u64)>,
    /// For each violated invariant, in the order of [`Model::invariants`]: the first walk that met it.
    pub violations: Vec<Met<M>>,
    /// Healed phases in which health returned.
    pub returned: u64,
    /// Healed phases that were slow.
    pub slow: u64,
    /// Healed phases of which nothing is known.
    pub undecided: u64,
    /// Walks after which the world cannot return, the first of them and why.
    pub stuck: Option<(Met<M>, Stuck)>,
}

/// The first walk that met something.
pub struct Met<M: Model> {
    /// Index of the invariant in [`Model::invariants`]; of no meaning for worlds that are stuck.
    pub invariant: usize,
    /// Walks that met it.
    pub walks: u64,
    /// The number of the first of them.
    pub first: u64,
    /// Its way there.
    pub path: Path<M>,
}

/// Walks between two questions to the caller.
const BLOCK: u64 = 1 << 9;

/// Does many walks. The result does not depend on threads; what `ask` stops depends on when it says so.
/// `ask` hears of walks as states.
pub fn walk_all<M: Model>(model: &M, walks: &Walks, ask: Ask) -> Walked<M> {
    let mut sum = Sum::new(model);
    let mut done = 0;
    while done < walks.walks {
        let block = done..walks.walks.min(done + BLOCK);
        done = block.end;
        let threads = walks.threads.max(1);
        std::thread::scope(|scope| {
            let hands: Vec<_> = (0..threads)
                .map(|hand| {
                    let numbers = (block.start + hand..block.end).step_by(threads as usize);
                    scope.spawn(move || Sum::of(model, walks, numbers))
                })
                .collect();
            hands
                .into_iter()
                .for_each(|hand| sum.add(&hand.join().expect("models do not panic")));
        });
        let progress = Progress {
            states: done,
            transitions: sum.steps,
            depth: walks.steps,
            frontier: walks.walks - done,
            bytes: 0,
        };
        let found = sum.violated.iter().any(Option::is_some);
        if (walks.until == Until::Violation && found) || ask(&progress) == Continue::No {
            break;
        }
    }
    sum.into_walked(model, walks, done)
}

/// Numbers of some walks; walks themselves are done again when they are wanted.
struct Sum {
    steps: u64,
    fired: Vec<u64>,
    /// By invariant: the first walk and after how many actions, and the number of walks.
    violated: Vec<Option<First>>,
    returned: u64,
    slow: u64,
    undecided: u64,
    stuck: Option<First>,
}

#[derive(Clone, Copy)]
struct First {
    walk: u64,
    walks: u64,
}

impl First {
    fn join(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(Self {
                walk: one.walk.min(other.walk),
                walks: one.walks + other.walks,
            }),
            (one, other) => one.or(other),
        }
    }
}

impl Sum {
    fn new<M: Model>(model: &M) -> Self {
        Self {
            steps: 0,
            fired: vec![0; model.kinds().len()],
            violated: vec![None; model.invariants().len()],
            returned: 0,
            slow: 0,
            undecided: 0,
            stuck: None,
        }
    }

    fn of<M: Model>(model: &M, walks: &Walks, numbers: impl Iterator<Item = u64>) -> Self {
        let mut sum = Self::new(model);
        for number in numbers {
            let walk = walk(model, walks, number);
            let this = Some(First {
                walk: number,
                walks: 1,
            });
            sum.steps += walk.path.actions.len() as u64;
            walk.path
                .actions
                .iter()
                .for_each(|action| sum.fired[model.kind(*action)] += 1);
            for (first, after) in sum.violated.iter_mut().zip(&walk.violated) {
                *first = First::join(*first, this.filter(|_| after.is_some()));
            }
            match walk.healed {
                Healed::Returned => sum.returned += 1,
                Healed::Slow => sum.slow += 1,
                Healed::Undecided => sum.undecided += 1,
                Healed::Stuck(_) => sum.stuck = First::join(sum.stuck, this),
            }
        }
        sum
    }

    fn add(&mut self, other: &Self) {
        let Self {
            steps,
            fired,
            violated,
            returned,
            slow,
            undecided,
            stuck,
        } = self;
        *steps += other.steps;
        fired
            .iter_mut()
            .zip(&other.fired)
            .for_each(|(sum, more)| *sum += more);
        for (first, other) in violated.iter_mut().zip(&other.violated) {
            *first = First::join(*first, *other);
        }
        *returned += other.returned;
        *slow += other.slow;
        *undecided += other.undecided;
        *stuck = First::join(*stuck, other.stuck);
    }

    fn into_walked<M: Model>(self, model: &M, walks: &Walks, done: u64) -> Walked<M> {
        let met = |invariant: usize,
                   First {
                       walk: first,
                       walks: times,
                   }: First| {
            let mut whole = walk(model, walks, first);
            let after = whole.violated.get(invariant).copied().flatten();
            whole.path.actions.truncate(after.unwrap_or(usize::MAX));
            (
                Met {
                    invariant,
                    walks: times,
                    first,
                    path: whole.path,
                },
                whole.healed,
            )
        };
        let violations = self.violated.iter().enumerate();
        Walked {
            walks: done,
            steps: self.steps,
            fired: model.kinds().iter().copied().zip(self.fired).collect(),
            violations: violations
                .filter_map(|(invariant, first)| first.map(|first| met(invariant, first).0))
                .collect(),
            returned: self.returned,
            slow: self.slow,
            undecided: self.undecided,
            stuck: self.stuck.map(|first| match met(usize::MAX, first) {
                (met, Healed::Stuck(why)) => (met, why),
                _ => unreachable!("the same walk comes to the same end"),
            }),
        }
    }
}
