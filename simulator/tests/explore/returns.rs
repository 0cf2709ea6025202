//! Whether the world can always return by itself.

use proptest::prelude::*;
use simulator::explore::{
    Bounds, Model, Returns, Search, Stuck, Symmetry, explore, go_on, returns,
};

use crate::plain;
use crate::search::search;
use crate::toys::{Mistake, Pivot, TwoPhase, graphs};

/// The answer, with nothing allowed from outside.
fn answer<M: Model>(model: &M, search: &Search) -> Returns<M> {
    let explored = explore(model, search, &go_on);
    returns(&explored, &|action| !model.is_outside(action), &go_on).expect("symmetry is sound")
}

#[test]
fn a_sound_pivot_always_returns_on_any_number_of_threads() {
    for threads in [1, 2] {
        for symmetry in [Symmetry::Off, Symmetry::On] {
            let model = Pivot::new(4, 2, Mistake::None);
            assert!(matches!(
                answer(&model, &search(symmetry, threads)),
                Returns::Always
            ));
        }
    }
}

/// Whether everything stands still, and by whom it could be moved again.
#[test]
fn what_cannot_return_is_found_by_a_shortest_way() {
    for threads in [1, 2] {
        let model = Pivot::new(3, 1, Mistake::TearsDownEarly);
        let Returns::NotFrom { path, why, states } = answer(&model, &search(Symmetry::On, threads))
        else {
            panic!("power lost before the first checkpoint leaves nobody to start an apiserver");
        };
        assert_eq!((path.actions.len(), why), (5, Stuck::DeadEnd));
        assert!(states > 0);
        assert_eq!(model.violated(&path.end(&model)) & 1, 1);
    }
}

/// Without an abort by the transaction manager, one resource manager's abort blocks the others; these
/// still move for a while.
#[test]
fn circles_are_told_from_dead_ends() {
    let blocked = TwoPhase {
        aborts: false,
        ..TwoPhase::correct(2)
    };
    let Returns::NotFrom { path, why, .. } = answer(&blocked, &search(Symmetry::Off, 1)) else {
        panic!("nobody tells the other manager to abort");
    };
    assert_eq!((path.actions.len(), why), (1, Stuck::Circles));
    assert!(path.actions[0].to_string().starts_with("choose-abort"));
}

/// With more allowed, more can return.
#[test]
fn what_is_allowed_counts() {
    let blocked = TwoPhase {
        aborts: false,
        ..TwoPhase::correct(2)
    };
    let explored = explore(&blocked, &search(Symmetry::Off, 1), &go_on);
    // If managers may choose to abort as well, only prepared ones stay blocked.
    let Ok(Returns::NotFrom { path, .. }) = returns(&explored, &|_| true, &go_on) else {
        panic!("a prepared manager may no longer choose");
    };
    assert_eq!(path.actions.len(), 2);
}

#[test]
fn a_cut_off_search_never_says_always() {
    let model = Pivot::new(3, 1, Mistake::None);
    let depths = explore(&model, &search(Symmetry::Off, 1), &go_on)
        .coverage()
        .depth;
    for depth in 0..=depths {
        let bounds = Bounds::within_mib(16).depth(depth);
        let found = answer(
            &model,
            &Search {
                bounds,
                ..search(Symmetry::Off, 1)
            },
        );
        assert!(matches!(found, Returns::Unknown { .. }), "depth {depth}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// On any graph the answer is that of the plain reference; and what a cut-off search calls stuck
    /// is stuck in the whole graph.
    #[test]
    fn agrees_with_the_plain_reference(graph in graphs(), depth in 0u32..6, threads in 1usize..3) {
        let stuck = plain::stuck(&graph);
        let depths = plain::depths(&graph, false);
        let nearest = stuck.iter().map(|key| depths[key]).min();
        match answer(&graph, &search(Symmetry::Off, threads)) {
            Returns::Always => prop_assert!(stuck.is_empty()),
            Returns::NotFrom { states, path, why } => {
                prop_assert_eq!(states, stuck.len() as u64);
                prop_assert_eq!(Some(path.actions.len() as u32), nearest);
                let end = graph.pack(&path.end(&graph), false);
                prop_assert!(stuck.contains(&end));
                let moves = !plain::followers(&graph, false, end, &|action| !graph.is_outside(action)).is_empty();
                prop_assert_eq!(why == Stuck::Circles, moves);
            }
            Returns::Unknown { .. } | Returns::TooLarge { .. } | Returns::Stopped => prop_assert!(false, "nothing was cut off"),
        }
        let bounds = Bounds::within_mib(16).depth(depth);
        match answer(&graph, &Search { bounds, ..search(Symmetry::Off, threads) }) {
            Returns::Always => prop_assert!(stuck.is_empty()),
            Returns::NotFrom { path, .. } => {
                prop_assert!(stuck.contains(&graph.pack(&path.end(&graph), false)));
            }
            Returns::Unknown { .. } => prop_assert!(depths.values().any(|other| *other >= depth)),
            Returns::TooLarge { .. } | Returns::Stopped => prop_assert!(false, "it fits, and nobody stopped it"),
        }
    }
}
