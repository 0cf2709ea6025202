//! Spreading keys over a table, and a digest of a set of keys.

/// Constants without pattern: the fractional parts of √2, √3, √5 and √7 in binary, made odd.
const SPREAD: [u64; 4] = [
    0x6a09_e667_f3bc_c909,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
];

/// Spreads a key over 64 bits. Collisions cost time only: keys themselves are compared.
#[inline]
pub(crate) fn spread(key: u128) -> u64 {
    fold(key as u64 ^ SPREAD[0], (key >> 64) as u64 ^ SPREAD[1])
}

/// What a key adds to the digest of a set: summed with wrap-around, so that order does not matter.
pub(crate) fn digest_part(key: u128) -> u64 {
    let half = fold(key as u64 ^ SPREAD[2], (key >> 64) as u64 ^ SPREAD[3]);
    fold(half ^ SPREAD[0], spread(key) ^ SPREAD[2])
}

/// Both halves of the full product, over each other.
#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that differ in a few bits, wherever these are, must not crowd: 2^12 keys in 2^14 places
    /// share a place no more often than thrown dice would, within a twentieth.
    #[test]
    fn few_bits_anywhere_spread() {
        for shift in [0, 13, 52, 58, 70, 90, 116] {
            let mut places: Vec<u64> = (0..1u128 << 12)
                .map(|key| spread(key << shift) >> 2 & 0x3fff)
                .collect();
            places.sort_unstable();
            places.dedup();
            // 16384 * (1 - e^(-1/4)) = 3624 different places are expected.
            assert!(places.len() > 3_440, "shift {shift}: {}", places.len());
        }
    }

    #[test]
    fn digest_tells_sets_apart_and_ignores_order() {
        let sum = |keys: &[u128]| {
            keys.iter()
                .fold(0u64, |sum, key| sum.wrapping_add(digest_part(*key)))
        };
        assert_eq!(sum(&[1, 2, 3]), sum(&[3, 1, 2]));
        assert_ne!(sum(&[1, 2, 3]), sum(&[1, 2, 4]));
        assert_ne!(sum(&[0]), sum(&[]));
    }
}
