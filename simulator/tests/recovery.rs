//! Recovery in the coarse world: from a cluster that etcd remembers and nobody runs, every interleaving
//! of small bounds leads back to a self-hosted control plane.

use std::collections::BTreeSet;

use pivot::recover;
use simulator::coarse::{Budgets, Config, World};
use simulator::explore::{
    Bounds, End, Model, Nearest, Returns, Search, Symmetry, Until, explore, go_on, nearest, returns,
};

const NONE: Budgets = Budgets {
    power_cuts: 0,
    kills: 0,
    installer_kills: 0,
    lost_answers: 0,
    timing: 0,
    restarts: 0,
};

/// Tries every interleaving; what is violated, whether all states lead back, and how many there are.
fn tried(config: Config) -> (BTreeSet<&'static str>, bool, u64) {
    let world = World::new(config);
    let bounds = Bounds::within_mib(2_048).states(1_000_000);
    let search = Search {
        bounds,
        symmetry: Symmetry::On,
        until: Until::Exhausted,
        threads: 1,
    };
    let explored = explore(&world, &search, &go_on);
    let coverage = explored.coverage();
    assert_eq!(
        coverage.end,
        End::Exhausted,
        "not a small world: {coverage}"
    );
    let found = explored
        .counterexamples()
        .expect("mirrored states behave alike");
    let violated = found
        .iter()
        .map(|found| world.invariants()[found.invariant])
        .collect();
    let own = |action| !world.is_outside(action);
    let lost = returns(&explored, &own, &go_on).expect("mirrored states behave alike");
    let healthy = |state: &_| world.healthy(state);
    let reached = nearest(&world, &world.initial()[0], &|_| true, &healthy, bounds);
    let returns = matches!(reached, Nearest::Found(_)) && !matches!(lost, Returns::NotFrom { .. });
    (violated, returns, coverage.states)
}

/// A lost control plane violates S6 before anything is done: that is what is to be mended.
#[test]
fn a_recovery_leads_back_whatever_happens_to_its_process_and_its_answers() {
    let at_first = BTreeSet::from(["somebody-can-start-an-apiserver"]);
    let killed = Budgets {
        installer_kills: 1,
        ..NONE
    };
    let lost_answer = Budgets {
        lost_answers: 1,
        ..NONE
    };
    // Two nodes and a kill were tried too (259 139 states, the same), and take half a minute.
    for (what, control_planes, budgets) in [
        ("undisturbed", 1, NONE),
        ("killed once", 1, killed),
        ("one answer lost", 1, lost_answer),
        ("undisturbed", 2, NONE),
    ] {
        let config = Config::calm(recover(), control_planes).with(budgets);
        let (violated, returns, states) = tried(config);
        println!("{what}, {control_planes} nodes: {states} states");
        assert!(returns, "{what}, {control_planes} nodes: no way back");
        assert!(states > 100, "{what}: {states} states are no recovery");
        let others: Vec<_> = violated.difference(&at_first).collect();
        assert!(
            others.is_empty(),
            "{what}, {control_planes} nodes: {others:?}"
        );
    }
}
