//! Chance as data: independent streams of numbers, each named by seed, purpose and index.
//!
//! A stream's numbers depend on its name and on nothing else, so that leaving out a draw in one place
//! does not change what is drawn in another.

/// The step of splitmix64.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of numbers: splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014) from a state of its own.
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of this name: which seed, what for, and the how-many-th of its sort.
    #[must_use]
    pub fn named(seed: u64, purpose: &str, index: u64) -> Self {
        let purpose = purpose
            .bytes()
            .fold(0, |sum, byte| mix(sum ^ u64::from(byte)));
        Self {
            state: mix(mix(mix(seed) ^ purpose) ^ index),
        }
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        finish(self.state)
    }

    /// A number below this bound, which is at least 1. Uneven by at most bound / 2^64.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }
}

fn mix(value: u64) -> u64 {
    finish(value.wrapping_add(STEP))
}

/// The output function of splitmix64.
fn finish(state: u64) -> u64 {
    let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of Vigna's reference code for the seeds 0 and 1234567.
    #[test]
    fn is_splitmix64() {
        let first = |state| {
            let mut stream = Stream { state };
            [stream.next_u64(), stream.next_u64(), stream.next_u64()]
        };
        assert_eq!(
            first(0),
            [
                0xe220_a839_7b1d_cdaf,
                0x6e78_9e6a_a1b9_65f4,
                0x06c4_5d18_8009_454f
            ]
        );
        assert_eq!(
            first(1_234_567),
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    /// Saved seeds must lead to the same walks for ever.
    #[test]
    fn names_never_change_their_numbers() {
        let first = |seed, purpose, index| Stream::named(seed, purpose, index).next_u64();
        assert_eq!(first(0, "steps", 0), 1_313_735_273_262_418_151);
        assert_eq!(first(7, "weights", 12), 8_377_102_400_644_659_592);
    }

    #[test]
    fn every_part_of_a_name_counts() {
        let first = |seed, purpose, index| Stream::named(seed, purpose, index).next_u64();
        let numbers = [
            first(1, "steps", 0),
            first(2, "steps", 0),
            first(1, "steps", 1),
            first(1, "healed", 0),
            first(0, "steps", 1),
        ];
        for (at, number) in numbers.iter().enumerate() {
            assert!(!numbers[at + 1..].contains(number));
        }
    }

    /// A thousand draws below ten: each number comes about a hundred times.
    #[test]
    fn draws_are_even() {
        let mut stream = Stream::named(1, "dice", 0);
        let mut times = [0; 10];
        (0..1_000).for_each(|_| times[stream.below(10) as usize] += 1);
        assert!(
            times.iter().all(|times| (70..130).contains(times)),
            "{times:?}"
        );
    }
}
