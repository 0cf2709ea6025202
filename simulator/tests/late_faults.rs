//! Faults from a step on: fewer states, no fault before it, and nothing less after it.

use std::collections::BTreeSet;

use pivot::{Plan, modern, mutants};
use simulator::coarse::{Action, Budgets, Config, Hits, State, World};
use simulator::explore::{
    Bounds, Coverage, End, Model, Search, Symmetry, Until, entry, explore, go_on,
};
use terms::StepName;

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

/// A search that ends when there is nothing left to explore.
fn whole() -> Search {
    Search {
        bounds: Bounds::within_mib(2_048),
        symmetry: Symmetry::On,
        until: Until::Exhausted,
        threads: 1,
    }
}

/// A complete search.
fn covered(config: Config) -> Coverage {
    let coverage = explore(&World::new(config), &whole(), &go_on).coverage();
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

/// The parts of a world by stage and node of the first fault, between which nothing is left out.
fn parts(config: &Config) -> Vec<Config> {
    let steps: Vec<StepName> = modern()
        .stages
        .iter()
        .map(|stage| stage.step.clone())
        .collect();
    let from = |number: usize| {
        let part = late(config.clone(), steps[number].as_str());
        match steps.get(number + 1) {
            Some(next) => part
                .with_first_fault_before(next.as_str())
                .expect("a step of the plan"),
            None => part,
        }
    };
    let both = |part: Config| {
        [Hits::BootstrapNode, Hits::OtherNode].map(|hits| part.clone().with_first_fault_on(hits))
    };
    (0..steps.len()).map(from).flat_map(both).collect()
}

/// What follows a fault is in one of the parts, and nothing else is in any.
#[test]
fn parts_by_step_and_node_of_the_first_fault_leave_nothing_out() {
    for (nodes, budgets) in [(1, CUT), (1, TROUBLE), (2, KILLED_INSTALLER), (2, KILL)] {
        let config = Config::calm(modern(), nodes).with(budgets);
        let whole = after_a_fault(config.clone(), &|_| true);
        let mut found = BTreeSet::new();
        let mut largest = 0;
        for part in parts(&config) {
            let some = after_a_fault(part, &|_| true);
            largest = largest.max(some.len());
            found.extend(some);
        }
        assert!(
            found == whole,
            "{nodes} nodes: {} of {} states",
            found.len(),
            whole.len()
        );
        assert!(largest < whole.len(), "one part is all: {largest}");
    }
}

/// What is wrong in a world, whether all of it can return, and how many states it has.
fn judged(config: Config) -> (Vec<&'static str>, Option<bool>, u64) {
    let ask = &go_on;
    let entry = entry("", &World::new(config), &whole(), ask).expect("mirrored nodes behave alike");
    let mut violated: Vec<&str> = entry.found.iter().map(|(slug, _)| *slug).collect();
    violated.sort_unstable();
    (violated, entry.returns, entry.states)
}

/// Saving at once where nothing can hit any more leaves states out, and nothing that is wrong: for the policy
/// that ships and for every mutant, with a fault of each kind that a kubelet can forget by.
#[test]
fn saving_at_once_where_nothing_can_hit_hides_nothing() {
    let mut fewer = 0;
    let plans = mutants()
        .into_iter()
        .map(|mutant| (mutant.name, mutant.plan));
    for (name, plan) in plans.chain([("modern", modern())]) {
        for budgets in [CUT, KILL] {
            let late = Config::calm(plan.clone(), 1).with(budgets);
            let soon = Config {
                saves_at_once: true,
                ..late.clone()
            };
            let (late, soon) = (judged(late), judged(soon));
            assert_eq!((&late.0, late.1), (&soon.0, soon.1), "{name}, {budgets:?}");
            assert!(soon.2 <= late.2, "{name}");
            fewer += u32::from(soon.2 < late.2);
        }
    }
    assert!(fewer > 0, "nothing was saved at once");
}

/// The same with two nodes, where a node that was never hit goes on saving while the other one is off.
#[test]
fn saving_at_once_hides_nothing_of_two_nodes() {
    let cut = late(Config::calm(modern(), 2).with(CUT), "checkpoints-armed");
    for late in [cut, Config::calm(modern(), 2).with(KILL)] {
        let soon = Config {
            saves_at_once: true,
            ..late.clone()
        };
        let (late, soon) = (judged(late), judged(soon));
        assert_eq!((late.0, late.1), (soon.0, soon.1));
        println!("{} states, {} with saving at once", late.2, soon.2);
        assert!(soon.2 < late.2, "{} of {}", soon.2, late.2);
    }
}

/// A part says what it is a part of, and a kept counterexample of it comes back as what it was.
#[test]
fn a_part_says_where_its_first_fault_is() {
    let config = late(Config::calm(modern(), 2).with(KILL), "bootstrap-draining");
    let part = config.with_first_fault_on(Hits::OtherNode);
    let part = part
        .with_first_fault_before("verified")
        .expect("a step of the plan");
    assert_eq!(
        part.faults_in_words(),
        "kill 1×; no fault before bootstrap-draining; the first before verified; the first on another node than the bootstrap node"
    );
    assert_eq!(part.with_first_fault_before("verifies"), None);
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
