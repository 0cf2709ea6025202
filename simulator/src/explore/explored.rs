//! What a search found: how much was covered, what was judged, and the shortest way to each violation.

use super::bounds::{End, Search};
use super::coverage::Coverage;
use super::expand::Tally;
use super::model::Model;
use super::path::{NoSymmetry, Path, along};
use super::visited::{SHARDS, StateId, Visited};

/// The states found by a search, and what was found in them.
pub struct Explored<'m, M: Model> {
    pub(crate) model: &'m M,
    pub(crate) search: Search,
    pub(crate) end: End,
    pub(crate) visited: Visited,
    /// By depth: the first place of the layer in each shard.
    pub(crate) layers: Vec<[usize; SHARDS]>,
    /// By shard: how many states are expanded.
    pub(crate) expanded: [usize; SHARDS],
    pub(crate) tally: Tally,
}

/// A shortest way to a state that violates an invariant.
pub struct Counterexample<M: Model> {
    /// Index of the invariant in [`Model::invariants`].
    pub invariant: usize,
    /// How many of the states found violate it.
    pub states: u64,
    /// The way there; no other is shorter.
    pub path: Path<M>,
}

impl<'m, M: Model> Explored<'m, M> {
    /// Numbers of the search.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let states = self.visited.len();
        let slugs = || self.model.invariants().iter().copied().enumerate();
        let violated = |invariant: usize| self.tally.violations[invariant] > 0;
        let decided = |invariant: usize| self.tally.decided >> invariant & 1 == 1;
        let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<&'static str> {
            slugs()
                .filter(|(invariant, _)| wanted(*invariant))
                .map(|(_, slug)| slug)
                .collect()
        };
        Coverage {
            end: self.end,
            states,
            frontier: states - self.expanded.iter().sum::<usize>() as u64,
            transitions: self.tally.transitions(),
            depth: self.layers.len() as u32 - 1,
            dead_ends: self.tally.dead_ends,
            bytes: self.visited.bytes(),
            digest: self
                .visited
                .0
                .iter()
                .fold(0, |sum, shard| sum.wrapping_add(shard.digest())),
            fired: self
                .model
                .kinds()
                .iter()
                .copied()
                .zip(self.tally.fired.iter().copied())
                .collect(),
            held: of(&|invariant| decided(invariant) && !violated(invariant)),
            violated: of(&violated),
            never_judged: of(&|invariant| !decided(invariant) && !violated(invariant)),
        }
    }

    /// For each violated invariant a shortest way there, in the order of [`Model::invariants`].
    ///
    /// # Errors
    /// If the model calls states mirrored that do not behave alike.
    pub fn counterexamples(&self) -> Result<Vec<Counterexample<M>>, NoSymmetry> {
        let violated = self.tally.violated.iter().enumerate();
        violated
            .filter_map(|(invariant, id)| id.map(|id| (invariant, id)))
            .map(|(invariant, id)| {
                let states = self.tally.violations[invariant];
                self.path_to(id).map(|path| Counterexample {
                    invariant,
                    states,
                    path,
                })
            })
            .collect()
    }

    /// A shortest way to a state, or to one that mirrors it.
    pub(crate) fn path_to(&self, id: StateId) -> Result<Path<M>, NoSymmetry> {
        let mut keys = vec![self.visited.key(id)];
        let mut at = id;
        while let Some(parent) = self.visited.parent(at) {
            keys.push(self.visited.key(parent));
            at = parent;
        }
        keys.reverse();
        along(self.model, self.search.symmetry.is_on(), &keys)
    }

    pub(crate) fn symmetric(&self) -> bool {
        self.search.symmetry.is_on()
    }

    pub(crate) fn is_expanded(&self, id: StateId) -> bool {
        id.place() < self.expanded[id.shard()]
    }

    /// All states, nearest first.
    pub(crate) fn nearest_first(&self) -> impl Iterator<Item = StateId> + '_ {
        let ends = self.layers[1..]
            .iter()
            .copied()
            .chain([self.visited.lens()]);
        self.layers
            .iter()
            .copied()
            .zip(ends)
            .flat_map(|(from, to)| {
                (0..SHARDS).flat_map(move |shard| {
                    (from[shard]..to[shard]).map(move |place| StateId::new(shard, place))
                })
            })
    }

    /// Judges the states that were found and not expanded: every state that was found is judged.
    pub(crate) fn judge_the_rest(&mut self) {
        let mut tally = Tally::new(self.model.kinds().len());
        for id in self.nearest_first().filter(|id| !self.is_expanded(*id)) {
            tally.judge(self.model, id, &self.model.unpack(self.visited.key(id)));
        }
        self.tally.add(&tally);
    }
}
