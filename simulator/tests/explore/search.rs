//! Breadth first: the counts, the shortest counterexamples, the limits.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use simulator::explore::{
    Bounds, Continue, Coverage, End, Model, NoSymmetry, Path, Search, Symmetry, Until, explore,
    go_on,
};

use crate::golden;
use crate::plain;
use crate::toys::{Edge, Graph, Mistake, Pivot, TwoPhase, graphs};

pub(crate) fn search(symmetry: Symmetry, threads: usize) -> Search {
    Search {
        bounds: Bounds::within_mib(1_024),
        symmetry,
        until: Until::Exhausted,
        threads,
    }
}

fn exhausted<M: Model>(model: &M, symmetry: Symmetry) -> Coverage {
    let coverage = explore(model, &search(symmetry, 1), &go_on).coverage();
    assert_eq!(coverage.end, End::Exhausted);
    coverage
}

/// The path begins at an initial state, every action is enabled, and it ends in a violation.
fn assert_real<M: Model>(model: &M, path: &Path<M>, invariant: usize) {
    assert!(model.initial().contains(&path.start));
    assert_ne!(model.violated(&path.end(model)) >> invariant & 1, 0);
}

#[test]
fn two_phase_commit_has_as_many_states_as_published() {
    for (managers, states) in [(3, 288), (5, 8_832), (7, 296_448), (8, 1_745_408)] {
        assert_eq!(
            exhausted(&TwoPhase::correct(managers), Symmetry::Off).states,
            states
        );
    }
}

#[test]
fn threads_change_nothing() {
    let correct = TwoPhase::correct(6);
    let hasty = TwoPhase {
        hasty: true,
        ..TwoPhase::correct(7)
    };
    for (model, until, states) in [
        (&correct, Until::Exhausted, u64::MAX),
        (&hasty, Until::Violation, u64::MAX),
        (&hasty, Until::Exhausted, 50_000),
    ] {
        for symmetry in [Symmetry::Off, Symmetry::On] {
            let run = |threads| {
                let bounds = Bounds::within_mib(64).states(states);
                let explored = explore(
                    model,
                    &Search {
                        bounds,
                        symmetry,
                        until,
                        threads,
                    },
                    &go_on,
                );
                let counterexamples = explored.counterexamples().expect("managers are alike");
                let paths: Vec<_> = counterexamples
                    .into_iter()
                    .map(|found| (found.states, found.path))
                    .collect();
                (explored.coverage(), paths)
            };
            let alone = run(1);
            assert_eq!(run(2), alone);
            assert_eq!(run(3), alone);
            assert_eq!(run(4), alone);
        }
    }
}

#[test]
fn under_symmetry_each_orbit_is_found_once() {
    let model = TwoPhase::correct(5);
    let orbits: BTreeSet<u128> = plain::depths(&model, false)
        .into_keys()
        .map(|key| model.pack(&model.unpack(key), true))
        .collect();
    assert_eq!(exhausted(&model, Symmetry::On).states, orbits.len() as u64);

    let model = Pivot::new(4, 2, Mistake::None);
    let orbits: BTreeSet<u128> = plain::depths(&model, false)
        .into_keys()
        .map(|key| model.pack(&model.unpack(key), true))
        .collect();
    assert_eq!(exhausted(&model, Symmetry::On).states, orbits.len() as u64);
}

#[test]
fn a_counterexample_under_symmetry_is_real_and_as_short() {
    let model = Pivot::new(4, 2, Mistake::TearsDownEarly);
    for symmetry in [Symmetry::Off, Symmetry::On] {
        let explored = explore(&model, &search(symmetry, 1), &go_on);
        let found = explored.counterexamples().expect("other nodes are alike");
        assert_eq!(found.len(), 1);
        assert_real(&model, &found[0].path, 0);
        // serve, apply, start, remove, power loss: found by hand.
        assert_eq!(found[0].path.actions.len(), 5);
    }
}

/// Whoever merges states that do not behave alike gets an error, no invented path.
#[test]
fn a_wrong_symmetry_is_told() {
    let edge = |to| vec![Edge { to, kind: 1 }];
    // States 2 and 3 are called mirrored. 0 leads to 3, where nothing happens; 2 leads to the violation.
    let graph = Graph {
        edges: vec![edge(3), vec![], edge(4), vec![], vec![]],
        initial: vec![0],
        violated: vec![0, 0, 0, 0, 1],
        healthy: vec![false; 5],
    };
    assert!(
        explore(&graph, &search(Symmetry::Off, 1), &go_on)
            .coverage()
            .violated
            .is_empty()
    );
    let explored = explore(&graph, &search(Symmetry::On, 1), &go_on);
    assert_eq!(explored.coverage().violated, ["even"]);
    assert_eq!(
        explored.counterexamples().err(),
        Some(NoSymmetry { after: 1 })
    );
}

#[test]
fn what_was_never_judged_does_not_hold_and_what_never_fired_is_seen() {
    let coverage = exhausted(&TwoPhase::correct(3), Symmetry::Off);
    assert_eq!(
        coverage.held,
        ["all-decide-alike", "commit-after-all-prepared"]
    );
    assert_eq!(coverage.never_judged, ["never-looked-at"]);
    assert!(coverage.never_fired().is_empty());

    let blocked = TwoPhase {
        aborts: false,
        ..TwoPhase::correct(3)
    };
    let coverage = exhausted(&blocked, Symmetry::Off);
    assert_eq!(coverage.never_fired(), ["abort", "hear-abort"]);
}

/// A person reads what was covered, what was judged and what was not, and how often each thing happened.
#[test]
fn coverage_reads_well() {
    let blocked = TwoPhase {
        aborts: false,
        ..TwoPhase::correct(6)
    };
    let search = Search {
        bounds: Bounds::within_mib(1).depth(9),
        ..search(Symmetry::Off, 1)
    };
    // Digests are compared between runs, never with a file.
    let coverage = Coverage {
        digest: 0,
        ..explore(&blocked, &search, &go_on).coverage()
    };
    golden::check("tests/explore/coverage.txt", &coverage.to_string());
}

/// An invariant is judged in the farthest states too, although these are not expanded.
#[test]
fn the_border_is_judged() {
    let model = Pivot::new(1, 1, Mistake::TearsDownEarly);
    for (depth, violated) in [(4, false), (5, true)] {
        let search = Search {
            bounds: Bounds::within_mib(1).depth(depth),
            ..search(Symmetry::Off, 1)
        };
        let coverage = explore(&model, &search, &go_on).coverage();
        assert_eq!((coverage.end, coverage.depth), (End::Depth, depth));
        assert!(coverage.frontier > 0);
        assert_eq!(!coverage.violated.is_empty(), violated);
    }
}

#[test]
fn every_limit_ends_the_search_and_says_so() {
    let model = TwoPhase::correct(8);
    let states = Search {
        bounds: Bounds::within_mib(1_024).states(1_000),
        ..search(Symmetry::Off, 1)
    };
    let coverage = explore(&model, &states, &go_on).coverage();
    assert_eq!(coverage.end, End::States);
    assert!(
        (1_000..1_100).contains(&coverage.states),
        "{}",
        coverage.states
    );

    let memory = Search {
        bounds: Bounds::within_mib(8),
        ..search(Symmetry::Off, 1)
    };
    let coverage = explore(&model, &memory, &go_on).coverage();
    assert_eq!(coverage.end, End::Memory);
    assert!(coverage.bytes < 8 << 20);
    assert!(
        coverage.states > 100_000,
        "memory is used before it is called full: {}",
        coverage.states
    );

    let asked = Cell::new(0);
    let stop = |_: &_| {
        asked.set(asked.get() + 1);
        if asked.get() == 5 {
            Continue::No
        } else {
            Continue::Yes
        }
    };
    let coverage = explore(&model, &search(Symmetry::Off, 1), &stop).coverage();
    assert_eq!((coverage.end, asked.get()), (End::Stopped, 5));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// On any graph the explorer finds what the plain one finds, at the same depths.
    #[test]
    fn agrees_with_the_plain_explorer(graph in graphs()) {
        let depths: BTreeMap<u128, u32> = plain::depths(&graph, false);
        let explored = explore(&graph, &search(Symmetry::Off, 1), &go_on);
        let coverage = explored.coverage();
        prop_assert_eq!(coverage.states, depths.len() as u64);
        prop_assert_eq!(coverage.depth, depths.values().copied().max().unwrap_or_default());
        let transitions: usize = depths.keys().map(|key| graph.edges[usize::from(graph.unpack(*key))].len()).sum();
        prop_assert_eq!(coverage.transitions, transitions as u64);
        let found = explored.counterexamples().expect("no symmetry is used");
        for invariant in 0..2 {
            let nearest = depths
                .iter()
                .filter(|(key, _)| graph.violated(&graph.unpack(**key)) >> invariant & 1 == 1)
                .map(|(_, depth)| *depth)
                .min();
            let length = found.iter().find(|found| found.invariant == invariant).map(|found| {
                assert_real::<Graph>(&graph, &found.path, invariant);
                found.path.actions.len() as u32
            });
            prop_assert_eq!(length, nearest);
        }
    }
}
