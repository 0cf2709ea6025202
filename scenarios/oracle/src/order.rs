//! The one order in which observations are judged.

use crate::observation::Observation;

/// Sorts by end, then source, then sequence: the same set gives the same order, always.
pub(crate) fn in_order(observations: &[Observation]) -> Vec<&Observation> {
    let mut sorted: Vec<_> = observations.iter().collect();
    sorted.sort_by(|a, b| key(a).cmp(&key(b)));
    sorted
}

/// What observations are sorted by.
pub(crate) fn key(seen: &Observation) -> (u64, &crate::observation::Source, u64) {
    (seen.end_us, &seen.source, seen.seq)
}
