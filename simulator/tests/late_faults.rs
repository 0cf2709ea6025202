//! Faults from a step on: fewer states, no fault before it, and nothing less after it.

use std::collections::BTreeSet;

use pivot::{Plan, modern, mutants};
use simulator::coarse::{Action, Budgets, Config, State, World};
use simulator::explore::{Bounds, Coverage, End, Model, Search, Symmetry, Until, explore, go_on};

const CUT: Budgets = Budgets {
    power_cuts: 1,
    kills: 0,
    installer_kills: 0,
    lost_answers: 0,
    timing: 0,
    restarts: Budgets::ANY_NUMBER,
};

/// One of each but for power cuts, which make many states.
const TROUBLE: Budgets = Budgets {
    power_cuts: 0,
    kills: 1,
    installer_kills: 1,
    lost_answers: 1,
    timing: 1,
    restarts: 1,
};

const KILL: Budgets = Budgets {
    kills: 1,
    installer_kills: 0,
    lost_answers: 0,
    timing: 0,
    restarts: 0,
    ..TROUBLE
};

const KILLED_INSTALLER: Budgets = Budgets {
    kills: 0,
    installer_kills: 1,
    ..KILL
};

fn late(config: Config, step: &str) -> Config {
    config
        .with_faults_from(step)
        .unwrap_or_else(|| panic!("the plan has a step {step}"))
}

/// A complete search.
fn covered(config: Config) -> Coverage {
    let search = Search {
        bounds: Bounds::within_mib(2_048),
        symmetry: Symmetry::On,
        until: Until::Exhausted,
        threads: 1,
    };
    let coverage = explore(&World::new(config), &search, &go_on).coverage();
    assert_eq!(coverage.end, End::Exhausted, "not a small world");
    coverage
}

#[test]
fn the_later_faults_begin_the_fewer_states_there_are() {
    let config = Config::calm(modern(), 1).with(CUT);
    let all = covered(config.clone());
    let mut before = all.states;
    for (place, stage) in modern().stages.iter().enumerate() {
        let some = covered(late(config.clone(), stage.step.as_str()));
        println!("{}: {} states", stage.step, some.states);
        if place == 0 {
            assert_eq!(some.digest, all.digest, "faults from the first step on");
        }
        assert!(some.states <= before, "{}: {}", stage.step, some.states);
        before = some.states;
    }
    assert!(before < all.states / 10, "{before} of {}", all.states);
    let calm = covered(Config::calm(modern(), 1));
    assert!(before > calm.states, "faults are left in the last step");
}

#[test]
fn a_step_that_a_plan_does_not_have_bounds_nothing() {
    let config = Config::calm(modern(), 1).with(CUT);
    assert_eq!(config.clone().with_faults_from("checkpoint-armed"), None);
    let words = |config: &Config| config.faults_in_words();
    assert_eq!(words(&config), "power-cut 1×, restart any number of times");
    assert_eq!(
        words(&late(config, "verified")),
        "power-cut 1×, restart any number of times; no fault before verified"
    );
    assert_eq!(words(&late(Config::calm(modern(), 1), "verified")), "none");
}

/// Whether a fault happens, which a person's help is not.
fn is_fault(world: &World, action: Action) -> bool {
    world.is_outside(action) && !world.is_help(action)
}

/// Keys of the states after a first fault, found without the explorer. `may` says where it may happen.
fn after_a_fault(config: Config, may: &dyn Fn(&State) -> bool) -> BTreeSet<u128> {
    let world = World::new(config);
    let (mut seen, mut next) = (BTreeSet::new(), Vec::new());
    // Whether a fault happened is part of what is left to happen, so that no key is in both sets.
    let mut hit = BTreeSet::new();
    for state in world.initial() {
        seen.insert(world.pack(&state, true));
        next.push((state, false));
    }
    let mut actions = Vec::new();
    while let Some((state, was_hit)) = next.pop() {
        actions.clear();
        world.actions(&state, &mut actions);
        for action in &actions {
            let strikes = is_fault(&world, *action);
            if strikes && !was_hit && !may(&state) {
                continue;
            }
            let after = world.apply(&state, *action);
            let key = world.pack(&after, true);
            if seen.insert(key) {
                next.push((after, was_hit || strikes));
                if was_hit || strikes {
                    hit.insert(key);
                }
            }
        }
    }
    hit
}

/// What was written down says where the procedure stands, whatever the world makes of its bounds.
fn stands_at(state: &State, stage: usize) -> bool {
    state
        .marker
        .is_some_and(|marker| usize::from(marker.stage) >= stage)
}

/// With the bound, no fault happens before its step; and nothing that follows a fault at its step or later
/// is missed: that is what the unbounded world leads to where faults before the step are passed over. States
/// before the fault differ, for without faults an announcement is released at once.
#[test]
fn no_fault_happens_before_the_step_and_all_that_follows_one_at_it_is_there() {
    for (nodes, budgets) in [(1, CUT), (1, TROUBLE), (2, KILLED_INSTALLER)] {
        let config = Config::calm(modern(), nodes).with(budgets);
        for step in ["assets-applied", "checkpoints-armed", "bootstrap-removed"] {
            let stage = modern()
                .stages
                .iter()
                .position(|stage| stage.step.as_str() == step);
            let stage = stage.expect("the plan has the step");
            let bound = late(config.clone(), step);
            let found = after_a_fault(bound, &|state| {
                assert!(stands_at(state, stage), "a fault before {step}: {state:?}");
                true
            });
            let expected = after_a_fault(config.clone(), &|state| stands_at(state, stage));
            assert!(
                found == expected,
                "{step}, {nodes} nodes: {} states after a fault, not {}",
                found.len(),
                expected.len()
            );
            assert!(!found.is_empty());
        }
    }
}

fn mutant(name: &str) -> Plan {
    let found = mutants().into_iter().find(|mutant| mutant.name == name);
    found.expect("there is such a mutant").plan
}

/// Mistakes that need a fault late in the plan are caught with faults from there on, and without faults not at all.
#[test]
fn a_mutant_that_a_late_fault_gives_away_is_caught_with_late_faults() {
    for (name, budgets, step, invariant) in [
        (
            "looks-only-once",
            KILL,
            "controllers-handed-over",
            "guard-holds-at-teardown",
        ),
        (
            "skips-draining",
            KILL,
            "controllers-handed-over",
            "guard-holds-at-teardown",
        ),
        (
            "remembers-nothing",
            KILLED_INSTALLER,
            "verified",
            "running-again-converges",
        ),
    ] {
        let config = Config::calm(mutant(name), 1);
        let violated = |config: Config| covered(config).violated.contains(&invariant);
        assert!(!violated(config.clone()), "{name} needs no fault");
        let config = config.with(budgets);
        assert!(violated(config.clone()), "{name} is not caught");
        assert!(
            violated(late(config, step)),
            "{name}, no fault before {step}"
        );
    }
}
