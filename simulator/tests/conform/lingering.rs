//! A kubelet acts on a manifest that it read a moment ago, and only for a moment.

use oracle::observation::ProcessId;
use simulator::conform::{Bounds, Change, Outcome, Track, Value, explain};
use terms::{Component, Incarnation};

use super::single;

const SECOND_US: u64 = 1_000_000;

/// A record in which a bootstrap scheduler starts so long after its manifest was removed, and
/// runs for so long.
fn outcome(after_us: u64, lasts_us: u64) -> Outcome {
    let (config, mut seen) = single();
    let lock = Component::KubeScheduler;
    let removed = seen.changes.iter().rev().find(|change| {
        change.track == Track::Manifest(lock) && change.value == Value::There(false)
    });
    let at_us = removed.expect("it is removed").until_us + after_us;
    let process = ProcessId {
        pid: 77,
        start_ticks: 77,
    };
    for (value, until_us) in [(Some(process), at_us), (None, at_us + lasts_us)] {
        seen.changes.push(Change {
            track: Track::Process(lock, Incarnation::Bootstrap, 0),
            value: Value::Process(value),
            since_us: until_us - SECOND_US / 5,
            until_us,
        });
    }
    seen.changes.sort_by_key(|change| change.until_us);
    let bounds = Bounds {
        unusual_max: 0,
        ..Bounds::USUAL
    };
    explain(&config, &seen, bounds).outcome
}

#[test]
fn a_container_may_start_shortly_after_its_manifest_went() {
    assert_eq!(outcome(2_600_000, 600_000), Outcome::Conforms);
}

#[test]
fn none_starts_long_after_it() {
    let found = outcome(20 * SECOND_US, 600_000);
    assert!(matches!(found, Outcome::Diverges(_)), "{found:?}");
}

#[test]
fn none_stays() {
    let found = outcome(2_600_000, 20 * SECOND_US);
    assert!(matches!(found, Outcome::Diverges(_)), "{found:?}");
}
