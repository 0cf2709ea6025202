//! Containers that run although their manifest is gone.
//!
//! A kubelet that has read a manifest starts its container even if the manifest is gone meanwhile, finds out,
//! and ends it; one that is starting a container when its manifest goes needs time to end it. In the coarse
//! world a kubelet follows its directory at once, and what only starts is gone with its manifest. Nobody
//! but the installer, which waits until they are gone, can tell such containers from none: they never become
//! ready. So they are no actions of that world, and explained here, as long as they are short.

use std::collections::{BTreeMap, BTreeSet};

use terms::Incarnation;

use super::change::{Change, Track, Value};

/// A container starts at most so long after its manifest was removed: 1.8 to 2.6 s were seen.
const AFTER_US: u64 = 5_000_000;
/// One that started at most so long before its manifest was removed may not have been ready by then.
const BEFORE_US: u64 = 10_000_000;
/// It is gone at most so long after its start and the removal, whichever was later: 0.6 s were seen, and
/// an apiserver that starts takes up to 6 s to drain.
const LASTS_US: u64 = 8_000_000;

/// The places of the starts that can be explained so.
pub(super) fn lingering(changes: &[Change], tracks: &BTreeMap<Track, Vec<u32>>) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    for (track, places) in tracks {
        let Track::Process(component, Incarnation::Bootstrap, _) = track else {
            continue;
        };
        let Some(manifest) = tracks.get(&Track::Manifest(*component)) else {
            continue;
        };
        let of = |place: &u32| &changes[*place as usize];
        let removed = manifest.windows(2).filter_map(|pair| {
            let [before, after] = [of(&pair[0]), of(&pair[1])];
            let went = before.value == Value::There(true) && after.value == Value::There(false);
            went.then_some(after)
        });
        let removed: Vec<&Change> = removed.collect();
        for pair in places.windows(2) {
            let [start, end] = [of(&pair[0]), of(&pair[1])];
            let runs = matches!(start.value, Value::Process(Some(_)));
            let ends = end.value == Value::Process(None);
            if runs && ends && removed.iter().any(|gone| is_short(start, end, gone)) {
                found.insert(pair[0]);
            }
        }
    }
    found
}

fn is_short(start: &Change, end: &Change, gone: &Change) -> bool {
    let later_us = start.until_us.max(gone.until_us);
    start.since_us <= gone.until_us.saturating_add(AFTER_US)
        && gone.since_us <= start.until_us.saturating_add(BEFORE_US)
        && end.since_us <= later_us.saturating_add(LASTS_US)
}
