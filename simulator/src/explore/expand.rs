//! Expanding states: what can happen in each, and what is wrong in it.

use super::key::spread;
use super::keys::FREE;
use super::model::Model;
use super::visited::{Batch, StateId};

/// What one thread found while expanding, in the order of the states.
pub(crate) struct Expansion {
    pub(crate) batch: Batch,
    pub(crate) tally: Tally,
    recent: Recent,
}

/// Keys that were put into a batch lately: neighbours lead to the same states, and a key that is here
/// needs no look-up in the whole set. It keeps the latest key of each place, and forgets those before it.
struct Recent(Vec<u128>);

impl Recent {
    /// Two to this power are kept: they fit into the second-level cache.
    const BITS: u32 = 13;

    fn new() -> Self {
        Self(vec![FREE; 1 << Self::BITS])
    }

    /// Takes a key in, and says whether it was not here.
    #[inline]
    fn is_new(&mut self, key: u128, spread: u64) -> bool {
        // Not the bits that tell shards and buckets apart.
        let place = (spread >> (u64::BITS - Self::BITS)) as usize;
        std::mem::replace(&mut self.0[place], key) != key
    }
}

/// What is counted over states and actions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tally {
    /// Actions applied, by kind.
    pub(crate) fired: Vec<u64>,
    /// States in which nothing can happen.
    pub(crate) dead_ends: u64,
    /// States judged.
    pub(crate) judged: u64,
    /// Invariants that some state decides.
    pub(crate) decided: u64,
    /// By invariant: the first state that violates it.
    pub(crate) violated: [Option<StateId>; 64],
    /// By invariant: how many states violate it.
    pub(crate) violations: [u64; 64],
}

impl Tally {
    pub(crate) fn new(kinds: usize) -> Self {
        Self {
            fired: vec![0; kinds],
            dead_ends: 0,
            judged: 0,
            decided: 0,
            violated: [None; 64],
            violations: [0; 64],
        }
    }

    /// Adds what was found in states after those of `self`.
    pub(crate) fn add(&mut self, later: &Self) {
        let Self {
            fired,
            dead_ends,
            judged,
            decided,
            violated,
            violations,
        } = self;
        fired
            .iter_mut()
            .zip(&later.fired)
            .for_each(|(sum, more)| *sum += more);
        *dead_ends += later.dead_ends;
        *judged += later.judged;
        *decided |= later.decided;
        for (first, other) in violated.iter_mut().zip(later.violated) {
            *first = first.or(other);
        }
        violations
            .iter_mut()
            .zip(later.violations)
            .for_each(|(sum, more)| *sum += more);
    }

    pub(crate) fn transitions(&self) -> u64 {
        self.fired.iter().sum()
    }

    #[inline]
    pub(crate) fn judge<M: Model>(&mut self, model: &M, id: StateId, state: &M::State) {
        self.judged += 1;
        self.decided |= model.decided(state);
        let mut violated = model.violated(state);
        while violated != 0 {
            let invariant = violated.trailing_zeros() as usize;
            self.violated[invariant].get_or_insert(id);
            self.violations[invariant] += 1;
            violated &= violated - 1;
        }
    }
}

/// Room for the actions of most states; one allocation serves many states.
const ACTIONS: usize = 64;

impl Expansion {
    pub(crate) fn new(kinds: usize) -> Self {
        Self {
            batch: Batch::default(),
            tally: Tally::new(kinds),
            recent: Recent::new(),
        }
    }

    /// Judges these states and gathers what follows from each.
    pub(crate) fn expand<M: Model>(
        &mut self,
        model: &M,
        symmetric: bool,
        sources: &[(StateId, u128)],
    ) {
        self.batch.clear();
        let mut actions = Vec::with_capacity(ACTIONS);
        for (id, key) in sources {
            let state = model.unpack(*key);
            self.tally.judge(model, *id, &state);
            actions.clear();
            model.actions(&state, &mut actions);
            self.tally.dead_ends += u64::from(actions.is_empty());
            self.batch.make_room(actions.len());
            for action in &actions {
                self.tally.fired[model.kind(*action)] += 1;
                let next = model.pack(&model.apply(&state, *action), symmetric);
                let spread = spread(next);
                // What changes nothing needs no look-up.
                let wanted = self.recent.is_new(next, spread) & (next != *key);
                self.batch.push_if(wanted, next, spread, *id);
            }
        }
    }
}
