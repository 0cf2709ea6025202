//! The small worlds together leave nothing untried: no kind of action, no decision, no invariant.

use std::collections::BTreeSet;

use pivot::{bootkube, kubeadm_alpha, modern, mutants};
use simulator::coarse::{Budgets, Config, INVARIANTS, World};
use simulator::counterexample::suite::{search, small_worlds, worlds_of_modern};
use simulator::explore::{Decisions, Model, decisions, explore, go_on};

/// Pairs of plan and world in which everything that the coarse world has can happen.
fn suite() -> Vec<Config> {
    let mut all = Vec::new();
    for nodes in 1..=2 {
        all.extend(worlds_of_modern(nodes));
    }
    for plan in [bootkube(), kubeadm_alpha()] {
        all.extend(small_worlds(&plan));
    }
    let mutant = |name: &str| {
        let mut mutants = mutants().into_iter();
        mutants
            .find(|mutant| mutant.name == name)
            .expect("it is one")
            .plan
    };
    for name in ["tears-down-on-timeout", "claims-nothing", "skips-draining"] {
        all.extend(small_worlds(&mutant(name)));
    }
    let mut all: Vec<_> = all.into_iter().map(|(_, config)| config).collect();
    // What is asked for seems to hold and does not any more: a slow clock alone undoes nothing.
    let both = Budgets {
        kills: 1,
        timing: 1,
        restarts: 1,
        ..Budgets::default()
    };
    all.push(Config::calm(modern(), 1).with(both));
    all
}

/// What of these was never met in any of the worlds.
fn never_met(all: &[Decisions]) -> BTreeSet<&'static str> {
    let mut never: Vec<BTreeSet<_>> = Vec::new();
    for decisions in all {
        never.push(decisions.never_met().into_iter().collect());
    }
    let Some(first) = never.first().cloned() else {
        return BTreeSet::new();
    };
    let still = |never: &BTreeSet<&'static str>, other: &BTreeSet<&'static str>| {
        never.intersection(other).copied().collect::<BTreeSet<_>>()
    };
    never
        .iter()
        .fold(first, |never_yet, other| still(&never_yet, other))
}

/// What never happens in the small worlds is not tried by any claim about them: every kind of action, every
/// judgement in both ways, everything that a failure leads to, and every invariant.
#[test]
fn the_small_worlds_leave_nothing_untried() {
    let (mut decided, mut kinds, mut judged) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for config in suite() {
        let world = World::new(config);
        let explored = explore(&world, &search(), &go_on);
        let coverage = explored.coverage();
        kinds.extend(
            coverage
                .fired
                .iter()
                .filter(|(_, times)| *times > 0)
                .map(|(kind, _)| *kind),
        );
        judged.extend(coverage.held.iter().chain(&coverage.violated).copied());
        decided.push(decisions(&explored, &go_on));
    }
    println!("{} worlds", decided.len());
    let world = World::new(Config::calm(modern(), 1));
    let all_kinds: BTreeSet<_> = world.kinds().iter().copied().collect();
    assert_eq!(kinds, all_kinds, "kinds of action that never happened");
    assert_eq!(
        never_met(&decided),
        BTreeSet::new(),
        "decisions that were never met"
    );
    assert_eq!(
        judged,
        BTreeSet::from(INVARIANTS),
        "invariants that were never judged"
    );
    // The check can fail: an undisturbed bootstrap meets neither a failure nor a guard that fails.
    let calm = explore(&world, &search(), &go_on);
    let never = never_met(&[decisions(&calm, &go_on)]);
    assert!(
        never.contains("guard no") && never.contains("failure tears down"),
        "{never:?}"
    );
}
