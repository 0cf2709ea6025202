//! Another engine counts the same states: stateright, from the same model.

use pivot::{bootkube, kubeadm_alpha, modern};
use simulator::coarse::{Budgets, Config, World};
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

/// The world that is explored in earnest, in small bounds that between them let everything go wrong.
#[test]
fn both_engines_count_the_same_states_of_the_coarse_world() {
    let none = Budgets::default();
    let parted = Budgets {
        lost_answers: 1,
        installer_kills: 1,
        ..none
    };
    let slow = Budgets {
        timing: 1,
        restarts: 1,
        ..none
    };
    let cut = Budgets {
        power_cuts: 1,
        ..none
    };
    let one_port = Config {
        one_port: true,
        foreign: true,
        ..Config::calm(bootkube(), 1)
    };
    for config in [
        Config::calm(modern(), 1).with(parted),
        one_port.with(Budgets { kills: 1, ..none }),
        Config::calm(kubeadm_alpha(), 1).with(slow),
        Config::calm(modern(), 1).with(cut),
        Config::calm(modern(), 2),
    ] {
        let what = format!(
            "{}, {} nodes, {:?}",
            config.plan.policy, config.control_planes, config.budgets
        );
        let ours = by_us(&World::new(config.clone()));
        println!("{what}: {} states to depth {}", ours.0, ours.1);
        assert_eq!(ours, by_stateright(World::new(config)), "{what}");
    }
}
