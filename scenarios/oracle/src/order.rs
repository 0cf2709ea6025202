//! The one order in which observations are judged.

use crate::observation::Observation;

/// Sorts by end, then source, then sequence: the same set gives the same order, always.
pub(crate) fn in_order(observations: &[Observation]) -> Vec<&Observation> {
    let mut sorted: Vec<_> = observations.iter().collect();
    // Records are nearly in the order of time already: that is cheap to make sure of, and names, which
    // cost more, are compared only within one instant.
    sorted.sort_by_key(|seen| seen.end_us);
    for instant in sorted.chunk_by_mut(|a, b| a.end_us == b.end_us) {
        instant.sort_by(|a, b| (&a.source, a.seq).cmp(&(&b.source, b.seq)));
    }
    sorted
}
