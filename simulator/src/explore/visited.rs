//! The states found so far: exact, without duplicates, in the order in which they were found.
//!
//! A state costs 20 bytes (its key, and where it was found from) plus its share of an index of 8-byte
//! places, of which at most three quarters are taken: 31 to 42 bytes in all. The index finds a key's
//! number, and 32 bits of the key's spread weed out nearly all others before keys are compared.

use std::hint::black_box;

use super::key::{digest_part, spread};

/// Parts of the set, by two bits of a key's spread. Fixed, so that the order of states does not
/// depend on how many threads fill them; each thread owns whole parts.
pub(crate) const SHARDS: usize = 4;

/// A state's number: its place within its shard, times [`SHARDS`], plus the shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StateId(u32);

impl StateId {
    /// Stands for the parent of an initial state.
    pub(crate) const NONE: Self = Self(u32::MAX);
    /// More states than this have no number.
    pub(crate) const MOST: u64 = u32::MAX as u64 - SHARDS as u64;

    pub(crate) fn new(shard: usize, place: usize) -> Self {
        debug_assert!((place * SHARDS + shard) as u64 <= Self::MOST);
        Self((place * SHARDS + shard) as u32)
    }

    pub(crate) fn shard(self) -> usize {
        self.0 as usize % SHARDS
    }

    pub(crate) fn place(self) -> usize {
        self.0 as usize / SHARDS
    }
}

/// Keys that may be new, each with the state that it was reached from, sorted by shard.
#[derive(Default)]
pub(crate) struct Batch {
    keys: [Vec<u128>; SHARDS],
    parents: [Vec<StateId>; SHARDS],
}

impl Batch {
    #[inline]
    pub(crate) fn push(&mut self, key: u128, parent: StateId) {
        let shard = shard_of(spread(key));
        self.keys[shard].push(key);
        self.parents[shard].push(parent);
    }

    pub(crate) fn clear(&mut self) {
        self.keys.iter_mut().for_each(Vec::clear);
        self.parents.iter_mut().for_each(Vec::clear);
    }
}

/// One part of the set.
pub(crate) struct Shard {
    number: usize,
    /// Upper half: the upper half of the spread. Lower half: a place in `keys`, plus one; zero is free.
    index: Vec<u64>,
    keys: Vec<u128>,
    parents: Vec<StateId>,
    digest: u64,
}

const INDEX_AT_FIRST: usize = 1 << 8;
/// Candidates whose places are read ahead together: enough to keep memory busy, few enough for the
/// first-level cache.
const READ_AHEAD: usize = 128;

impl Shard {
    pub(crate) fn new(number: usize) -> Self {
        Self { number, index: vec![0; INDEX_AT_FIRST], keys: Vec::new(), parents: Vec::new(), digest: 0 }
    }

    pub(crate) fn keys(&self) -> &[u128] {
        &self.keys
    }

    pub(crate) fn parent(&self, place: usize) -> StateId {
        self.parents[place]
    }

    /// Sum over the keys, see [`digest_part`].
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    /// Bytes in use: the index in full; of keys and parents what is filled.
    pub(crate) fn bytes(&self) -> u64 {
        (self.index.len() * size_of::<u64>()) as u64
            + (self.keys.len() * (size_of::<u128>() + size_of::<StateId>())) as u64
    }

    /// Bytes that are needed on top when the index soon has to double.
    pub(crate) fn bytes_to_grow(&self) -> u64 {
        if self.keys.len() * 8 > self.index.len() * 5 { self.index.len() as u64 * 16 } else { 0 }
    }

    /// Adds this shard's part of a batch, in the batch's order.
    pub(crate) fn insert(&mut self, batch: &Batch) {
        let keys = batch.keys[self.number].chunks(READ_AHEAD);
        let parents = batch.parents[self.number].chunks(READ_AHEAD);
        for (keys, parents) in keys.zip(parents) {
            self.read_ahead(keys);
            for (key, parent) in keys.iter().zip(parents) {
                self.insert_one(*key, *parent);
            }
        }
    }

    /// Reads what the inserts are about to read. These loads do not depend on each other, so the
    /// processor waits for many of them at once; the inserts alone would wait for one at a time.
    fn read_ahead(&self, keys: &[u128]) {
        let mask = self.index.len() - 1;
        let mut seen = 0;
        for key in keys {
            seen ^= self.index[home(spread(*key)) & mask];
        }
        black_box(seen);
        let mut seen = 0;
        for key in keys {
            let spread = spread(*key);
            let entry = self.index[home(spread) & mask];
            if entry != 0 && entry >> 32 == spread >> 32 {
                seen ^= self.keys[entry as u32 as usize - 1];
            }
        }
        black_box(seen);
    }

    fn insert_one(&mut self, key: u128, parent: StateId) {
        let spread = spread(key);
        let at = match self.find(key, spread) {
            Ok(_) => return,
            Err(at) => at,
        };
        self.keys.push(key);
        self.parents.push(parent);
        self.digest = self.digest.wrapping_add(digest_part(key));
        self.index[at] = entry(spread, self.keys.len());
        if self.keys.len() * 4 > self.index.len() * 3 {
            self.grow();
        }
    }

    /// The place of a key, or where in the index it would be entered.
    #[inline]
    fn find(&self, key: u128, spread: u64) -> Result<usize, usize> {
        let mask = self.index.len() - 1;
        let mut at = home(spread) & mask;
        loop {
            let entry = self.index[at];
            if entry == 0 {
                return Err(at);
            }
            if entry >> 32 == spread >> 32 {
                let place = entry as u32 as usize - 1;
                if self.keys[place] == key {
                    return Ok(place);
                }
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let mask = self.index.len() * 2 - 1;
        let mut index = vec![0; mask + 1];
        for (place, key) in self.keys.iter().enumerate() {
            let spread = spread(*key);
            let mut at = home(spread) & mask;
            while index[at] != 0 {
                at = (at + 1) & mask;
            }
            index[at] = entry(spread, place + 1);
        }
        self.index = index;
    }
}

/// All parts of the set.
pub(crate) struct Visited(pub(crate) Vec<Shard>);

impl Visited {
    pub(crate) fn new() -> Self {
        Self((0..SHARDS).map(Shard::new).collect())
    }

    pub(crate) fn insert(&mut self, batch: &Batch) {
        self.0.iter_mut().for_each(|shard| shard.insert(batch));
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.iter().map(|shard| shard.keys.len() as u64).sum()
    }

    /// Bytes in use, see [`Shard::bytes`].
    pub(crate) fn bytes(&self) -> u64 {
        self.0.iter().map(Shard::bytes).sum()
    }

    /// States of each shard.
    pub(crate) fn lens(&self) -> [usize; SHARDS] {
        std::array::from_fn(|shard| self.0[shard].keys.len())
    }

    pub(crate) fn key(&self, id: StateId) -> u128 {
        self.0[id.shard()].keys[id.place()]
    }

    pub(crate) fn parent(&self, id: StateId) -> Option<StateId> {
        let parent = self.0[id.shard()].parent(id.place());
        (parent != StateId::NONE).then_some(parent)
    }

    pub(crate) fn id(&self, key: u128) -> Option<StateId> {
        let spread = spread(key);
        let shard = shard_of(spread);
        self.0[shard].find(key, spread).ok().map(|place| StateId::new(shard, place))
    }
}

fn shard_of(spread: u64) -> usize {
    spread as usize % SHARDS
}

/// Where in the index a key's search begins, before it is cut to the index's size.
fn home(spread: u64) -> usize {
    spread as usize / SHARDS
}

fn entry(spread: u64, place_plus_one: usize) -> u64 {
    spread >> 32 << 32 | place_plus_one as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn keeps_each_key_once_in_order_through_growth() {
        let mut visited = Visited::new();
        let mut expected = BTreeSet::new();
        for round in 0..40u128 {
            let mut batch = Batch::default();
            for number in 0..1_000u128 {
                let key = (round * 500 + number) << 60 | number % 7;
                expected.insert(key);
                batch.push(key, StateId::NONE);
            }
            visited.insert(&batch);
        }
        let found: Vec<u128> = visited.0.iter().flat_map(|shard| shard.keys.clone()).collect();
        assert_eq!(found.len(), expected.len());
        assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), expected);
        for key in &expected {
            let id = visited.id(*key).expect("every key has a number");
            assert_eq!(visited.key(id), *key);
        }
        assert_eq!(visited.id(u128::MAX), None);
    }

    /// Two keys whose spread is the same in all 64 bits are two states still.
    #[test]
    fn equal_spread_is_not_equal_key() {
        // The upper half that makes the second factor zero: then the spread is zero for every lower half.
        let upper = 0xbb67_ae85_84ca_a73b_u128 << 64;
        assert_eq!(spread(upper | 1), spread(upper | 2));
        let mut batch = Batch::default();
        [1, 2, 1, 3].into_iter().for_each(|lower| batch.push(upper | lower, StateId::NONE));
        let mut visited = Visited::new();
        visited.insert(&batch);
        assert_eq!(visited.len(), 3);
    }
}
