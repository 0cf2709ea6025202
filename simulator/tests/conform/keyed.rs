//! Records with a watch of etcd's keys, as real runs have it.

use std::collections::BTreeMap;

use oracle::observation::EtcdKey;
use oracle::{Observation, Sighting, Source};
use simulator::conform::{Bounds, Made, Outcome, Seen, Track, Value, conform};
use terms::{Component, Incarnation};

use super::{catalogue, played_with_keys};

/// How late the watch tells of a write.
const TOLD_AFTER_US: u64 = 50_000;
/// How often a lease is renewed.
const RENEWED_EVERY_US: u64 = 2_000_000;

/// The record with the writes that the timed run tells of: pods made, bound, ready and not, leases
/// taken and renewed, and the control plane's DaemonSets.
pub(super) fn with_keys(mut observations: Vec<Observation>, told: &Seen) -> Vec<Observation> {
    let mut writes: Vec<(u64, String)> = Vec::new();
    let mut held: BTreeMap<Component, u64> = BTreeMap::new();
    let pod = |component: Component, node: u8| {
        let letters = ["x7k2p", "b9qmn", "vw4tz"][usize::from(node)];
        format!("/registry/pods/kube-system/{component}-{letters}")
    };
    let mut end_us = 0;
    for change in &told.changes {
        let at_us = change.until_us;
        end_us = end_us.max(at_us);
        match (change.track, &change.value) {
            (Track::Made(component, node), Value::Made(Made::Created | Made::Bound)) => {
                writes.push((at_us, pod(component, node)));
            }
            (Track::Works(component, Incarnation::SelfHosted, node), _) if change.since_us > 0 => {
                writes.push((at_us, pod(component, node)));
            }
            (Track::Lease(component), _) => {
                writes.push((at_us, format!("/registry/leases/kube-system/{component}")));
                held.entry(component).or_insert(at_us);
            }
            (Track::Applied, Value::There(true)) => {
                let key = "/registry/daemonsets/kube-system/kube-apiserver";
                writes.push((at_us, key.to_owned()));
            }
            _ => {}
        }
    }
    for (component, since_us) in held {
        let key = format!("/registry/leases/kube-system/{component}");
        let renewals = (1..).map(|number| since_us + number * RENEWED_EVERY_US);
        let renewals = renewals.take_while(|at_us| *at_us < end_us);
        writes.extend(renewals.map(|at_us| (at_us, key.clone())));
    }
    writes.sort();
    for (number, (at_us, key)) in (0..).zip(writes) {
        let told_us = at_us + TOLD_AFTER_US;
        observations.push(Observation {
            v: 1,
            source: Source::EtcdKeys,
            seq: number,
            start_us: told_us,
            end_us: told_us,
            saw: Sighting::EtcdKey(EtcdKey {
                revision: 100 + number,
                key,
                deleted: false,
            }),
        });
    }
    observations
}

/// What revisions add contradicts nothing that a timed run shows.
#[test]
fn timed_runs_with_revisions_conform() {
    for seed in 1..=3 {
        for case in catalogue(seed) {
            let (config, observations) = played_with_keys(&case);
            let keys = |seen: &&Observation| matches!(seen.saw, Sighting::EtcdKey(_));
            let count = observations.iter().filter(keys).count();
            assert!(count > 10, "{} shows {count} changes of keys", case.id);
            let found = conform(&config, &observations, Bounds::USUAL);
            assert_eq!(
                (found.outcome, found.unusual),
                (Outcome::Conforms, 0),
                "{} with seed {seed}",
                case.id
            );
        }
    }
}

/// Where the watch told of a pod's writes, a look that shows another change of it is contradicted.
#[test]
fn what_no_write_can_have_been_is_rejected() {
    let case = catalogue(1).remove(0);
    let (config, observations) = played_with_keys(&case);
    let is_write = |seen: &Observation| matches!(&seen.saw, Sighting::EtcdKey(key) if key.key.contains("/pods/kube-system/kube-scheduler"));
    let without: Vec<Observation> = observations
        .iter()
        .filter(|seen| !is_write(seen))
        .cloned()
        .collect();
    assert!(without.len() < observations.len());
    let found = conform(&config, &without, Bounds::USUAL);
    let Outcome::Diverges(divergence) = found.outcome else {
        panic!("{found:?}");
    };
    assert!(
        divergence.change.contains("no write"),
        "{}",
        divergence.change
    );
}
