//! Chance as data: every draw follows from the case's seed and where it is asked for.

/// Where a draw is made. The same place of the same case draws the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The case's seed.
    pub seed: u64,
    /// Index of the timeline entry, from 0.
    pub entry: u32,
    /// Position of the selector within the entry, from 0, so that two draws of one entry differ.
    pub position: u32,
}

/// Draws of one fault's selectors stay below the next one's.
const SELECTORS_MOST: u32 = 64;

impl Draw {
    /// Where the first selector of a fault stands: the fault's place in its entry, from 0. Every
    /// backend draws by this, so that a case hits the same nodes on all of them.
    pub const fn of_fault(seed: u64, entry: u32, fault: u32) -> Self {
        Self {
            seed,
            entry,
            position: fault * SELECTORS_MOST,
        }
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub(crate) fn below(self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        let number = mix(self.seed ^ mix((u64::from(self.entry) << 32) | u64::from(self.position)));
        // The bias towards small numbers is bound / 2^64: no case has enough nodes to see it.
        number
            .checked_rem(bound)
            .map_or(0, |number| usize::try_from(number).unwrap_or(0))
    }
}

/// The splitmix64 step: a bijection on 64 bits that scatters its input. Public domain, Sebastiano Vigna.
pub(crate) const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A number from a text: FNV-1a, then scattered.
pub(crate) fn number_of(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(hash)
}
