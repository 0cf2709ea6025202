//! A set of keys by their spread, each in a slot of its own.
//!
//! It consists of buckets of one cache line with room for four keys, filled from the front; a full bucket
//! overflows into the next. So most look-ups read one line. At most three quarters of the slots are
//! taken: a key costs 21 to 43 bytes.

/// A cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Bucket([u128; WIDTH]);

const WIDTH: usize = 4;
const BUCKETS_AT_FIRST: usize = 1 << 5;

/// Stands for a free slot; [`super::Model::pack`] never gives it.
pub(crate) const FREE: u128 = u128::MAX;

/// The number of a slot; it changes when the set doubles.
pub(crate) type Slot = u32;

/// The set.
pub(crate) struct Keys {
    /// A power of two of them.
    buckets: Vec<Bucket>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self::of(BUCKETS_AT_FIRST)
    }

    fn of(buckets: usize) -> Self {
        Self {
            buckets: vec![Bucket([FREE; WIDTH]); buckets],
        }
    }

    pub(crate) fn slots(&self) -> usize {
        self.buckets.len() * WIDTH
    }

    pub(crate) fn bytes(&self) -> u64 {
        (self.buckets.len() * size_of::<Bucket>()) as u64
    }

    /// The key in a slot.
    #[inline]
    pub(crate) fn at(&self, slot: Slot) -> u128 {
        self.buckets[slot as usize / WIDTH].0[slot as usize % WIDTH]
    }

    /// Loads the bucket of a spread, and returns something of it.
    #[inline]
    pub(crate) fn touch(&self, spread: u64) -> u128 {
        self.buckets[self.home(spread)].0[0]
    }

    /// Loads the bucket after that of a spread if this one is full, and returns something of it.
    #[inline]
    pub(crate) fn touch_next(&self, spread: u64) -> u128 {
        let home = self.home(spread);
        let is_full = self.buckets[home].0[WIDTH - 1] != FREE;
        self.buckets[(home + usize::from(is_full)) & (self.buckets.len() - 1)].0[0]
    }

    /// Whether the key is in the bucket of its spread, as nearly all keys are that are in the set.
    /// Without branches, for in which slot it is cannot be predicted.
    #[inline]
    pub(crate) fn is_home(&self, key: u128, spread: u64) -> bool {
        self.buckets[self.home(spread)]
            .0
            .iter()
            .fold(false, |is, other| is | (*other == key))
    }

    /// The slot of a key, or the one where it would be entered.
    pub(crate) fn find(&self, key: u128, spread: u64) -> Result<Slot, Slot> {
        let mut at = self.home(spread);
        loop {
            for (slot, other) in (at * WIDTH..).zip(self.buckets[at].0) {
                if other == key {
                    return Ok(slot as Slot);
                }
                if other == FREE {
                    return Err(slot as Slot);
                }
            }
            at = (at + 1) & (self.buckets.len() - 1);
        }
    }

    /// Puts a key into the slot that was found for it.
    pub(crate) fn put(&mut self, key: u128, slot: Slot) {
        self.buckets[slot as usize / WIDTH].0[slot as usize % WIDTH] = key;
    }

    /// An empty set of twice the size.
    pub(crate) fn doubled(&self) -> Self {
        Self::of(self.buckets.len() * 2)
    }

    /// The two lowest bits of a spread name its shard; those above name its bucket.
    #[inline]
    fn home(&self, spread: u64) -> usize {
        (spread >> 2) as usize & (self.buckets.len() - 1)
    }
}
