//! A controller that gives up releases its lease, and its process is gone a moment later.

use oracle::observation::ProcessId;
use simulator::conform::{Bounds, Change, Holder, Outcome, Track, Value, explain};
use terms::{Component, Incarnation};

use super::single;

/// A record in which the bootstrap scheduler releases its first lease and is gone so long after;
/// another process of it takes the lease again.
fn outcome(gone_after_us: u64, unusual_max: u8) -> Outcome {
    let lock = Component::KubeScheduler;
    let (config, mut seen) = single();
    let taken = seen
        .changes
        .iter()
        .find(|change| change.track == Track::Lease(lock));
    let taken_us = taken.expect("it is taken").until_us;
    let process = Track::Process(lock, Incarnation::Bootstrap, 0);
    let another = ProcessId {
        pid: 77,
        start_ticks: 77,
    };
    let holder = Holder {
        identity: "another".to_owned(),
        node: Some(0),
        incarnation: None,
    };
    for (track, value, after_us) in [
        (Track::Lease(lock), Value::Holder(None), 200_000),
        (process, Value::Process(None), 200_000 + gone_after_us),
        (
            process,
            Value::Process(Some(another)),
            400_000 + gone_after_us,
        ),
        (
            Track::Lease(lock),
            Value::Holder(Some(holder)),
            600_000 + gone_after_us,
        ),
    ] {
        let until_us = taken_us + after_us;
        seen.changes.push(Change {
            track,
            value,
            since_us: until_us - 100_000,
            until_us,
        });
    }
    seen.changes.sort_by_key(|change| change.until_us);
    let bounds = Bounds {
        unusual_max,
        ..Bounds::USUAL
    };
    explain(&config, &seen, bounds).outcome
}

#[test]
fn its_process_is_gone_a_moment_later() {
    assert_eq!(outcome(800_000, 1), Outcome::Conforms);
}

#[test]
fn that_is_unusual_while_the_api_answers() {
    let found = outcome(800_000, 0);
    assert!(matches!(found, Outcome::Diverges(_)), "{found:?}");
}

#[test]
fn its_process_does_not_stay() {
    let found = outcome(8_000_000, 1);
    assert!(matches!(found, Outcome::Diverges(_)), "{found:?}");
}
