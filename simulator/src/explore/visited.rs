//! The states found so far: exact, without duplicates, in the order in which they were found.
//!
//! A state costs 8 bytes (where its key is, and where it was found from) plus its share of the set of
//! keys: 29 to 51 bytes in all.

use std::hint::black_box;

use super::key::{digest_part, spread};
use super::keys::{FREE, Keys, Slot};

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

    #[inline]
    pub(crate) fn new(shard: usize, place: usize) -> Self {
        debug_assert!((place * SHARDS + shard) as u64 <= Self::MOST);
        Self((place * SHARDS + shard) as u32)
    }

    #[inline]
    pub(crate) fn shard(self) -> usize {
        self.0 as usize % SHARDS
    }

    #[inline]
    pub(crate) fn place(self) -> usize {
        self.0 as usize / SHARDS
    }
}

/// Keys that may be new, each with the state that it was reached from, sorted by shard.
///
/// Each shard's lists are filled up to its length; behind it is room.
#[derive(Default)]
pub(crate) struct Batch {
    lens: [usize; SHARDS],
    keys: [Vec<u128>; SHARDS],
    parents: [Vec<StateId>; SHARDS],
}

impl Batch {
    /// Adds a key.
    pub(crate) fn push(&mut self, key: u128, parent: StateId) {
        self.make_room(1);
        self.push_if(true, key, spread(key), parent);
    }

    /// Makes room for so many keys, whichever shards they belong to.
    #[inline]
    pub(crate) fn make_room(&mut self, count: usize) {
        for (shard, len) in self.lens.into_iter().enumerate() {
            if self.keys[shard].len() < len + count {
                let room = (len + count).next_power_of_two().max(TOGETHER);
                self.keys[shard].resize(room, FREE);
                self.parents[shard].resize(room, StateId::NONE);
            }
        }
    }

    /// Adds a key if it is wanted, for which there is room. Without branches, for whether one is wanted
    /// cannot be predicted.
    #[inline]
    pub(crate) fn push_if(&mut self, wanted: bool, key: u128, spread: u64, parent: StateId) {
        assert_ne!(key, FREE, "a model packs no state into the greatest number");
        let shard = shard_of(spread);
        let place = self.lens[shard];
        self.keys[shard][place] = key;
        self.parents[shard][place] = parent;
        self.lens[shard] += usize::from(wanted);
    }

    pub(crate) fn clear(&mut self) {
        self.lens = [0; SHARDS];
    }
}

/// One part of the set.
pub(crate) struct Shard {
    number: usize,
    keys: Keys,
    /// By place: where its key is.
    slots: Vec<Slot>,
    /// By place: which state it was found from.
    parents: Vec<StateId>,
    digest: u64,
}

/// Candidates that are looked up together: enough to keep memory busy, few enough for the first-level
/// cache.
pub(crate) const TOGETHER: usize = 128;

impl Shard {
    pub(crate) fn new(number: usize) -> Self {
        Self {
            number,
            keys: Keys::new(),
            slots: Vec::new(),
            parents: Vec::new(),
            digest: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The key of the state at this place.
    #[inline]
    pub(crate) fn key(&self, place: usize) -> u128 {
        self.keys.at(self.slots[place])
    }

    /// Sum over the keys, see [`digest_part`].
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    /// Bytes in use: the slots in full; of the rest what is filled.
    pub(crate) fn bytes(&self) -> u64 {
        self.keys.bytes() + (self.len() * (size_of::<Slot>() + size_of::<StateId>())) as u64
    }

    /// Bytes that are needed on top when the set soon has to double.
    pub(crate) fn bytes_to_grow(&self) -> u64 {
        if self.len() * 8 > self.keys.slots() * 5 {
            self.keys.bytes() * 2
        } else {
            0
        }
    }

    /// Adds this shard's part of a batch, in the batch's order.
    pub(crate) fn insert(&mut self, batch: &Batch) {
        let len = batch.lens[self.number];
        let keys = batch.keys[self.number][..len].chunks(TOGETHER);
        let parents = batch.parents[self.number][..len].chunks(TOGETHER);
        for (keys, parents) in keys.zip(parents) {
            let (strangers, count) = self.strangers(keys);
            for place in &strangers[..count] {
                self.insert_one(keys[usize::from(*place)], parents[usize::from(*place)]);
            }
        }
    }

    /// Places of those keys, of [`TOGETHER`] at most, that are not in the bucket of their spread: new
    /// ones, and a few that overflowed. They are picked without branches, for which they are cannot be
    /// predicted, and where each is looked for next is loaded, as in [`touch`].
    fn strangers(&self, keys: &[u128]) -> ([u8; TOGETHER], usize) {
        touch(&self.keys, keys);
        let (mut strangers, mut count) = ([0; TOGETHER], 0);
        for (place, key) in (0..).zip(keys) {
            strangers[count] = place;
            count += usize::from(!self.keys.is_home(*key, spread(*key)));
        }
        let next = |place: &u8| self.keys.touch_next(spread(keys[usize::from(*place)]));
        black_box(
            strangers[..count]
                .iter()
                .map(next)
                .fold(0, |seen, key| seen ^ key),
        );
        (strangers, count)
    }

    fn insert_one(&mut self, key: u128, parent: StateId) {
        let Err(slot) = self.keys.find(key, spread(key)) else {
            return;
        };
        self.keys.put(key, slot);
        self.slots.push(slot);
        self.parents.push(parent);
        self.digest = self.digest.wrapping_add(digest_part(key));
        if self.len() * 4 > self.keys.slots() * 3 {
            self.double();
        }
    }

    fn double(&mut self) {
        let mut doubled = self.keys.doubled();
        for slots in self.slots.chunks_mut(TOGETHER) {
            let keys: Vec<u128> = slots.iter().map(|slot| self.keys.at(*slot)).collect();
            touch(&doubled, &keys);
            for (slot, key) in slots.iter_mut().zip(keys) {
                let (Ok(new) | Err(new)) = doubled.find(key, spread(key));
                doubled.put(key, new);
                *slot = new;
            }
        }
        self.keys = doubled;
    }
}

/// Loads the buckets of these keys. No load waits for another here, so that the processor waits for many
/// at once; what follows alone would wait for one at a time.
fn touch(set: &Keys, keys: &[u128]) {
    black_box(
        keys.iter()
            .fold(0, |seen, key| seen ^ set.touch(spread(*key))),
    );
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
        self.0.iter().map(|shard| shard.len() as u64).sum()
    }

    /// Bytes in use, see [`Shard::bytes`].
    pub(crate) fn bytes(&self) -> u64 {
        self.0.iter().map(Shard::bytes).sum()
    }

    /// States of each shard.
    pub(crate) fn lens(&self) -> [usize; SHARDS] {
        std::array::from_fn(|shard| self.0[shard].len())
    }

    pub(crate) fn key(&self, id: StateId) -> u128 {
        self.0[id.shard()].key(id.place())
    }

    pub(crate) fn parent(&self, id: StateId) -> Option<StateId> {
        let parent = self.0[id.shard()].parents[id.place()];
        (parent != StateId::NONE).then_some(parent)
    }

    /// Slots of each shard, free ones included.
    pub(crate) fn slots(&self) -> [usize; SHARDS] {
        std::array::from_fn(|shard| self.0[shard].keys.slots())
    }

    /// Where the key of a state is.
    pub(crate) fn slot(&self, id: StateId) -> (usize, Slot) {
        (id.shard(), self.0[id.shard()].slots[id.place()])
    }

    /// Loads the buckets of these keys, as [`touch`] does.
    pub(crate) fn touch(&self, keys: impl Iterator<Item = u128>) {
        let load = |seen, key| {
            let spread = spread(key);
            seen ^ self.0[shard_of(spread)].keys.touch(spread)
        };
        black_box(keys.fold(0, load));
    }

    /// Where a key is, if its state was found.
    pub(crate) fn slot_of_key(&self, key: u128) -> Option<(usize, Slot)> {
        let spread = spread(key);
        let shard = shard_of(spread);
        self.0[shard]
            .keys
            .find(key, spread)
            .ok()
            .map(|slot| (shard, slot))
    }
}

#[inline]
fn shard_of(spread: u64) -> usize {
    spread as usize % SHARDS
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
                let key = ((round * 500 + number) << 60) | (number % 7);
                expected.insert(key);
                batch.push(key, StateId::NONE);
            }
            visited.insert(&batch);
        }
        let found: Vec<u128> = visited
            .0
            .iter()
            .flat_map(|shard| (0..shard.len()).map(|place| shard.key(place)))
            .collect();
        assert_eq!(found.len(), expected.len());
        assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), expected);
        for key in &expected {
            let (shard, slot) = visited.slot_of_key(*key).expect("every key has its slot");
            assert_eq!(visited.0[shard].keys.at(slot), *key);
        }
        assert_eq!(visited.slot_of_key(12_345 << 90), None);
    }

    /// Two keys whose spread is the same in all 64 bits are two states still.
    #[test]
    fn equal_spread_is_not_equal_key() {
        // The upper half that makes the second factor zero: then the spread is zero for every lower half.
        let upper = 0xbb67_ae85_84ca_a73b_u128 << 64;
        assert_eq!(spread(upper | 1), spread(upper | 2));
        let mut batch = Batch::default();
        [1, 2, 1, 3]
            .into_iter()
            .for_each(|lower| batch.push(upper | lower, StateId::NONE));
        let mut visited = Visited::new();
        visited.insert(&batch);
        assert_eq!(visited.len(), 3);
    }
}
