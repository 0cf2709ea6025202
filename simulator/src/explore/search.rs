//! Breadth first, layer by layer: every state once, each by a shortest path.

use std::num::NonZero;

use super::bounds::{Ask, Continue, End, Progress, Search, Until};
use super::expand::{Expansion, Tally};
use super::explored::Explored;
use super::model::Model;
use super::visited::{Batch, SHARDS, Shard, StateId, Visited};

/// States expanded between two questions to the caller; shared out when threads are many.
const CHUNK: usize = 1 << 14;
/// States that one thread expands before it enters what it found: what they lead to fits into the
/// second-level cache.
const GULP: usize = 64;

/// Explores a world from its initial states.
///
/// The result depends on model, bounds, symmetry and `until` alone, never on threads; what `ask`
/// stops depends on when it says so.
///
/// # Panics
/// If a model has more than 64 invariants, or its `kind` is not below the number of its kinds.
pub fn explore<'m, M: Model>(model: &'m M, search: &Search, ask: Ask) -> Explored<'m, M> {
    assert!(
        model.invariants().len() <= 64,
        "an invariant is one of 64 bits"
    );
    let mut run = Run::new(model, search);
    let end = run.finish(ask);
    let Run {
        visited,
        layers,
        expanded,
        tally,
        ..
    } = run;
    let mut explored = Explored {
        model,
        search: *search,
        end,
        visited,
        layers,
        expanded,
        tally,
    };
    explored.judge_the_rest();
    explored
}

struct Run<'m, M: Model> {
    model: &'m M,
    search: Search,
    visited: Visited,
    /// By depth: the first place of the layer in each shard.
    layers: Vec<[usize; SHARDS]>,
    /// By shard: how many states are expanded.
    expanded: [usize; SHARDS],
    tally: Tally,
    hands: Vec<Expansion>,
}

impl<'m, M: Model> Run<'m, M> {
    fn new(model: &'m M, search: &Search) -> Self {
        let mut initial = Batch::default();
        for state in model.initial() {
            initial.push(model.pack(&state, search.symmetry.is_on()), StateId::NONE);
        }
        let mut visited = Visited::new();
        visited.insert(&initial);
        let threads = search.threads.clamp(1, SHARDS);
        Self {
            model,
            search: *search,
            visited,
            layers: vec![[0; SHARDS]],
            expanded: [0; SHARDS],
            tally: Tally::new(model.kinds().len()),
            hands: (0..threads)
                .map(|_| Expansion::new(model.kinds().len()))
                .collect(),
        }
    }

    fn finish(&mut self, ask: Ask) -> End {
        loop {
            let layer_end = self.visited.lens();
            if self.expanded == layer_end {
                return End::Exhausted;
            }
            if self.depth() >= self.search.bounds.depth {
                return End::Depth;
            }
            let end = self.layer(layer_end, ask);
            if self.visited.lens() != layer_end {
                self.layers.push(layer_end);
            }
            if let Some(end) = end {
                return end;
            }
        }
    }

    fn depth(&self) -> u32 {
        self.layers.len() as u32 - 1
    }

    /// Expands the states up to this end. `Some` if the search ends before.
    fn layer(&mut self, layer_end: [usize; SHARDS], ask: Ask) -> Option<End> {
        for (shard, shard_end) in layer_end.into_iter().enumerate() {
            while self.expanded[shard] < shard_end {
                if let Some(end) = self.must_end(ask) {
                    return Some(end);
                }
                let from = self.expanded[shard];
                let to = shard_end.min(from + self.chunk().get());
                self.expand(shard, from, to);
                self.expanded[shard] = to;
                if self.search.until == Until::Violation && self.tally.violations != [0; 64] {
                    return Some(End::Violation);
                }
            }
        }
        None
    }

    /// Shrinks towards the limit of states, so that it is overrun by little.
    fn chunk(&self) -> NonZero<usize> {
        let left = self.search.bounds.states.saturating_sub(self.visited.len()) / 16;
        NonZero::new((left as usize).min(CHUNK)).unwrap_or(NonZero::<usize>::MIN)
    }

    fn must_end(&self, ask: Ask) -> Option<End> {
        let states = self.visited.len();
        let bytes = self.visited.bytes();
        let to_grow: u64 = self.visited.0.iter().map(Shard::bytes_to_grow).sum();
        if states >= self.search.bounds.states {
            return Some(End::States);
        }
        if (bytes + to_grow) >> 20 >= self.search.bounds.memory_mib {
            return Some(End::Memory);
        }
        let progress = Progress {
            states,
            transitions: self.tally.transitions(),
            depth: self.depth(),
            frontier: states - self.expanded.iter().sum::<usize>() as u64,
            bytes,
        };
        (ask(&progress) == Continue::No).then_some(End::Stopped)
    }

    /// Expands some states of a shard and enters what they lead to.
    fn expand(&mut self, shard: usize, from: usize, to: usize) {
        let states = &self.visited.0[shard];
        let sources: Vec<(StateId, u128)> = (from..to)
            .map(|place| (StateId::new(shard, place), states.key(place)))
            .collect();
        if let [hand] = self.hands.as_mut_slice() {
            for gulp in sources.chunks(GULP) {
                hand.expand(self.model, self.search.symmetry.is_on(), gulp);
                self.visited.insert(&hand.batch);
            }
        } else {
            self.expand_together(&sources);
        }
        for hand in &mut self.hands {
            let tally = std::mem::replace(&mut hand.tally, Tally::new(self.model.kinds().len()));
            self.tally.add(&tally);
        }
    }

    /// All threads expand, each a run of the states; then all threads enter, each its own shards,
    /// going through the batches in the order of the states. So each shard sees its candidates in the
    /// same order as if one thread had done it all.
    fn expand_together(&mut self, sources: &[(StateId, u128)]) {
        let (model, symmetric) = (self.model, self.search.symmetry.is_on());
        let threads = self.hands.len();
        let share = sources.len().div_ceil(threads).max(1);
        let mut shares = sources.chunks(share);
        std::thread::scope(|scope| {
            for hand in &mut self.hands {
                let sources = shares.next().unwrap_or_default();
                scope.spawn(move || hand.expand(model, symmetric, sources));
            }
        });
        let hands = &self.hands;
        std::thread::scope(|scope| {
            for shards in self.visited.0.chunks_mut(SHARDS.div_ceil(threads)) {
                scope.spawn(move || {
                    for shard in shards {
                        hands.iter().for_each(|hand| shard.insert(&hand.batch));
                    }
                });
            }
        });
    }
}
