//! Records of the simulators are paths of the coarse world; corrupted ones are not.

mod corrupted;
mod giving_up;
mod keyed;
mod lingering;
mod told;
mod walked;

use std::collections::BTreeMap;
use std::path::Path;

use oracle::Observation;
use pivot::Plan;
use scenarios::{Case, Installer, Overrides, Selection, expand, load};
use simulator::coarse::Config;
use simulator::conform::{Bounds, Outcome, Seen, conform};
use simulator::timed;

/// Every case of the catalogue that the timed world can play.
fn catalogue(seed: u64) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/catalogue");
    let scenarios = load(&[path], &Overrides::default()).expect("the catalogue is sound");
    let selection = Selection {
        seed,
        ..Selection::default()
    };
    let mut cases = expand(&scenarios, &selection).expect("it expands").cases;
    cases.retain(|case| timed::why_not_applicable(case).is_none());
    cases
}

/// The world of a case, and what its timed run shows.
fn played(case: &Case) -> (Config, Vec<Observation>) {
    let Installer::Selfhost(selfhost) = &case.installer;
    let plan = Plan::named(&selfhost.policy).expect("the catalogue has built-in policies only");
    let observations = timed::run(case, &plan).observations;
    let config = Config {
        unschedulable: !selfhost.switches.is_empty(),
        ..Config::calm(plan, 1)
    };
    (config, observations)
}

/// The world of a case with one control-plane node, and what its record shows.
fn single() -> (Config, Seen) {
    let cases = catalogue(1);
    let mut cases = cases.iter().filter(|case| {
        let id = case.id.to_string();
        id.starts_with("bootstrap-and-pivot-single")
    });
    let (config, observations) = played(cases.next().expect("it is in the catalogue"));
    let seen = Seen::of(&observations).expect("it is covered");
    (config, seen)
}

/// As [`played`], with a watch of etcd's keys.
fn played_with_keys(case: &Case) -> (Config, Vec<Observation>) {
    let Installer::Selfhost(selfhost) = &case.installer;
    let plan = Plan::named(&selfhost.policy).expect("the catalogue has built-in policies only");
    let (outcome, told) = timed::run_told(case, &plan, &[]);
    let config = Config {
        unschedulable: !selfhost.switches.is_empty(),
        ..Config::calm(plan, 1)
    };
    (config, keyed::with_keys(outcome.observations, &told))
}

/// Nothing that a timed run shows is impossible in the coarse world, as far as that covers it; and no
/// unusual timing is needed to explain it.
#[test]
fn timed_runs_of_the_catalogue_conform() {
    let mut uncovered = BTreeMap::new();
    for seed in 1..=3 {
        for case in catalogue(seed) {
            let (config, observations) = played(&case);
            let found = conform(&config, &observations, Bounds::USUAL);
            assert_eq!(
                found.outcome,
                Outcome::Conforms,
                "{} with seed {seed}",
                case.id
            );
            assert_eq!(
                (found.explained, found.unusual),
                (found.changes, 0),
                "{}",
                case.id
            );
            assert!(
                found.changes > 50,
                "{} shows {} changes",
                case.id,
                found.changes
            );
            if let Some(reason) = found.uncovered {
                *uncovered.entry(reason).or_insert(0) += 1;
            }
        }
    }
    let expected = [
        ("the coarse world deletes no objects", 24),
        ("the coarse world kills no checkpoint-agent", 9),
        ("the coarse world starts no copies from checkpoints", 41),
        ("the coarse world knows no `stop`", 9),
        ("the coarse world knows no `tear`", 9),
        ("the coarse world kills one process at a time", 3),
        ("the coarse world kills no etcd", 3),
    ];
    let expected = expected.map(|(reason, cases)| (reason.to_owned(), cases));
    assert_eq!(
        uncovered,
        BTreeMap::from(expected),
        "what is not covered to the end"
    );
}

/// A record in another order is the same record.
#[test]
fn the_order_of_lines_does_not_matter() {
    let case = catalogue(1).remove(0);
    let (_, mut observations) = played(&case);
    let changes = Seen::of(&observations).expect("it is covered").changes;
    observations.reverse();
    assert_eq!(
        Seen::of(&observations).expect("it is covered").changes,
        changes
    );
}

/// What the coarse world cannot follow is said, not followed.
#[test]
fn a_record_without_nodes_is_not_covered() {
    let config = Config::calm(pivot::modern(), 1);
    let found = conform(&config, &[], Bounds::USUAL);
    assert!(matches!(found.outcome, Outcome::NotCovered(_)), "{found:?}");
}
