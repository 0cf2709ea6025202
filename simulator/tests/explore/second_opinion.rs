//! Another engine counts the same states: stateright, from the same model.

use simulator::explore::{Symmetry, explore, go_on};
use stateright::{Checker, Model as _};

use crate::search::search;
use crate::stateright_model::Stateright;
use crate::toys::{Mistake, Pivot, TwoPhase};

/// Unique states and depth by stateright, breadth first on one thread.
fn by_stateright<M>(model: M) -> (u64, u32)
where
    M: simulator::explore::Model + Send + 'static,
    M::State: Send + Sync + std::hash::Hash + 'static,
    M::Action: Send + Sync + 'static,
{
    let checker = Stateright(model).checker().threads(1).spawn_bfs().join();
    // Stateright counts the initial layer as depth 1.
    (
        checker.unique_state_count() as u64,
        checker.max_depth() as u32 - 1,
    )
}

fn by_us<M: simulator::explore::Model>(model: &M) -> (u64, u32) {
    let coverage = explore(model, &search(Symmetry::Off, 1), &go_on).coverage();
    (coverage.states, coverage.depth)
}

#[test]
fn both_engines_count_the_same_states() {
    for managers in [3, 5, 6] {
        assert_eq!(
            by_us(&TwoPhase::correct(managers)),
            by_stateright(TwoPhase::correct(managers))
        );
    }
    let hasty = || TwoPhase {
        hasty: true,
        ..TwoPhase::correct(5)
    };
    assert_eq!(by_us(&hasty()), by_stateright(hasty()));
    for mistake in [
        Mistake::None,
        Mistake::TearsDownEarly,
        Mistake::ForgetsCheckpoints,
    ] {
        assert_eq!(
            by_us(&Pivot::new(4, 3, mistake)),
            by_stateright(Pivot::new(4, 3, mistake))
        );
    }
}
