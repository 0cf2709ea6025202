//! Shrinking: the same invariant, a shorter way, never longer than need be.

use proptest::prelude::*;
use simulator::explore::{
    Bounds, Model, Path, Polish, Symmetry, Until, Walks, Weights, explore, go_on, shrink, walk,
};

use crate::search::search;
use crate::toys::{Edge, Graph, Mistake, Pivot, graphs};

fn walks() -> Walks {
    Walks {
        seed: 5,
        walks: 0,
        steps: 80,
        weights: Weights::Swarm,
        healed_steps: 0,
        healed_bounds: Bounds::within_mib(1).states(1),
        until: Until::Exhausted,
        threads: 1,
    }
}

/// The ways to violations that the first so many walks find.
fn long_ways<M: Model>(model: &M, many: u64) -> Vec<Path<M>> {
    let ways = (0..many).filter_map(|number| {
        let found = walk(model, &walks(), number);
        let after = found.violated[0]?;
        Some(Path {
            start: found.path.start,
            actions: found.path.actions[..after].to_vec(),
        })
    });
    ways.collect()
}

#[test]
fn every_long_way_comes_down_to_the_shortest() {
    let model = Pivot::new(3, 3, Mistake::ForgetsCheckpoints);
    let goal = |state: &_| model.violated(state) & 1 == 1;
    let ways = long_ways(&model, 4_000);
    assert!(ways.len() > 20, "{} ways", ways.len());
    assert!(
        ways.iter().any(|way| way.actions.len() > 9),
        "some ways are long"
    );
    for way in ways {
        let shrunk =
            shrink(&model, &way, &goal, Bounds::within_mib(16)).expect("the way leads there");
        assert_eq!(
            (shrunk.path.actions.len(), shrunk.polish),
            (6, Polish::Shortest)
        );
        assert!(goal(&shrunk.path.end(&model)));
    }
}

#[test]
fn a_way_that_leads_elsewhere_is_not_shrunk() {
    let model = Pivot::new(2, 1, Mistake::None);
    let path = Path::empty(model.initial()[0]);
    assert!(shrink(&model, &path, &|_| false, Bounds::within_mib(1)).is_none());
}

/// A way of which no action can be left out may still not be the shortest: another is found by searching.
#[test]
fn what_no_deletion_finds_is_found_by_searching() {
    let edge = |to| Edge { to, kind: 1 };
    let graph = Graph {
        edges: vec![
            vec![edge(1), edge(4)],
            vec![edge(2)],
            vec![edge(3)],
            vec![],
            vec![edge(3)],
        ],
        initial: vec![0],
        violated: vec![0, 0, 0, 1, 0],
        healthy: vec![false; 5],
    };
    let way = Path::<Graph> {
        start: 0,
        actions: vec![edge(1), edge(2), edge(3)],
    };
    let shrunk = shrink(&graph, &way, &|state| *state == 3, Bounds::within_mib(1));
    let shrunk = shrunk.expect("the way leads there");
    assert_eq!(
        (shrunk.path.actions, shrunk.polish),
        (vec![edge(4), edge(3)], Polish::Shortest)
    );
}

/// Without room for the search, deletion alone still leaves nothing superfluous.
#[test]
fn without_polish_no_action_can_be_left_out() {
    let model = Pivot::new(3, 2, Mistake::TearsDownEarly);
    let goal = |state: &_| model.violated(state) & 1 == 1;
    for way in long_ways(&model, 500) {
        let shrunk =
            shrink(&model, &way, &goal, Bounds::within_mib(16).states(1)).expect("it leads there");
        assert_eq!(shrunk.polish, Polish::Undecided);
        for left_out in 0..shrunk.path.actions.len() {
            let mut actions = shrunk.path.actions.clone();
            actions.remove(left_out);
            let mut state = shrunk.path.start;
            let mut met = goal(&state);
            for action in actions {
                let mut enabled = Vec::new();
                model.actions(&state, &mut enabled);
                if enabled.contains(&action) {
                    state = model.apply(&state, action);
                    met |= goal(&state);
                }
            }
            assert!(!met, "action {left_out} of\n{}can be left out", shrunk.path);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// On any graph: with all kinds of action on the way, the result is as short as breadth first
    /// finds it from the same start; with fewer, it is no longer than the way itself.
    #[test]
    fn never_longer_and_always_there(graph in graphs(), number in 0u64..50) {
        let found = walk(&graph, &walks(), number);
        let after = found.violated[0];
        prop_assume!(after.is_some());
        let way = Path::<Graph> { start: found.path.start, actions: found.path.actions[..after.unwrap_or(0)].to_vec() };
        let goal = |state: &u8| graph.violated(state) & 1 == 1;
        let shrunk = shrink(&graph, &way, &goal, Bounds::within_mib(16)).expect("it leads there");
        prop_assert!(goal(&shrunk.path.end(&graph)));
        prop_assert!(shrunk.path.actions.len() <= way.actions.len());
        prop_assert_eq!(shrunk.polish, Polish::Shortest);
        let explored = explore(&graph, &search(Symmetry::Off, 1), &go_on);
        let shortest = explored.counterexamples().expect("no symmetry is used").remove(0).path.actions.len();
        prop_assert!(shrunk.path.actions.len() >= shortest);
    }
}
