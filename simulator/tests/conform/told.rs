//! Every step of a timed run is an enabled action of the coarse world; what no cluster does is none.

use std::collections::BTreeMap;

use pivot::{Plan, modern};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config as Runner, RngAlgorithm, TestRng, TestRunner};
use scenarios::{Case, Installer};
use simulator::coarse::Config;
use simulator::conform::{Bounds, Conformance, Outcome, explain};
use simulator::swarm::{Act, Bounds as Size, Strike, Trial, trials};
use simulator::thin::Quirk;
use simulator::timed;
use terms::{Component, Moment, StepName};

use super::catalogue;

/// Everything inside is told, so that nothing needs an excuse.
const BOUNDS: Bounds = Bounds {
    unusual_max: 0,
    ..Bounds::USUAL
};
/// Trials that are drawn for each number of nodes.
const TRIALS: u64 = 200;

fn followed(case: &Case, plan: &Plan, quirks: &[Quirk]) -> Conformance {
    let Installer::Selfhost(selfhost) = &case.installer;
    let (_, told) = timed::run_told(case, plan, quirks);
    let config = Config {
        unschedulable: !selfhost.switches.is_empty(),
        ..Config::calm(plan.clone(), 1)
    };
    explain(&config, &told, BOUNDS)
}

fn plan_of(case: &Case) -> Plan {
    let Installer::Selfhost(selfhost) = &case.installer;
    Plan::named(&selfhost.policy).expect("the catalogue has built-in policies only")
}

/// The first step that is none, with the nearest explanations.
fn words(found: &Conformance) -> String {
    let Outcome::Diverges(divergence) = &found.outcome else {
        return format!("{:?} after {} steps", found.outcome, found.explained);
    };
    let mut words = format!(
        "step {} of {}, at {} ms: {}\nafter: {}\n",
        found.explained + 1,
        found.changes,
        divergence.since_ms,
        divergence.change,
        divergence.before.join("; ")
    );
    for survivor in &divergence.survivors {
        words += &format!(
            "possible: {} ({}); admitted: {}; contradicted: {}\n",
            survivor.shows,
            survivor.procedure,
            survivor.admitted.join(", "),
            survivor.contradicted.join(", ")
        );
    }
    words
}

#[test]
fn every_step_of_the_catalogue_is_an_enabled_action() {
    let (mut steps, mut most) = (0, 0);
    let mut refused = Vec::new();
    for seed in 1..=3 {
        for case in catalogue(seed) {
            let found = followed(&case, &plan_of(&case), &[]);
            if found.outcome == Outcome::Conforms {
                assert!(found.changes > 100, "{}: {} steps", case.id, found.changes);
                steps += found.explained;
                most = most.max(found.belief_most);
            } else {
                refused.push(format!("{} with seed {seed}: {}", case.id, words(&found)));
            }
        }
    }
    assert!(
        refused.is_empty(),
        "{} refused\n{}",
        refused.len(),
        refused.join("\n")
    );
    println!("{steps} steps, at most {most} states possible after one");
}

#[test]
fn every_step_of_random_trials_is_an_enabled_action() {
    let (mut steps, mut cases, mut refused) = (0, 0, Vec::new());
    let mut uncovered = BTreeMap::new();
    for control_planes in [1, 3] {
        let size = Size {
            control_planes,
            faults: 3,
        };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[control_planes; 32]);
        let mut runner = TestRunner::new_with_rng(Runner::default(), rng);
        let strategy = trials(&modern(), "modern", size);
        for _ in 0..TRIALS {
            let tree = strategy.new_tree(&mut runner);
            let trial = tree.expect("every draw is a trial").current();
            // The language refuses some, such as a second power-off of a node that is off.
            let Ok(case) = trial.case(&trial.name()) else {
                continue;
            };
            let found = followed(&case, &modern(), &[]);
            cases += 1;
            steps += found.explained;
            if let Some(reason) = &found.uncovered {
                *uncovered.entry(reason.clone()).or_insert(0) += 1;
            }
            if found.outcome != Outcome::Conforms {
                refused.push(format!("{}\n{}", trial.scenario("refused"), words(&found)));
            }
        }
    }
    assert!(
        refused.is_empty(),
        "{} of {cases} refused\n{}",
        refused.len(),
        refused.join("\n")
    );
    println!("{cases} trials, {steps} steps; not followed to the end: {uncovered:?}");
    assert!(
        cases >= 350 && steps > 70_000,
        "{cases} trials, {steps} steps"
    );
}

/// A case of one node, in which a component is killed before the assets are applied.
fn killed_before_the_assets(component: Component) -> Case {
    let act = Act {
        step: StepName::new("assets-applied"),
        moment: Moment::Entered,
        strike: Strike::Kill(component, 1),
        left_s: 1,
    };
    let trial = Trial {
        policy: "modern".to_owned(),
        control_planes: 1,
        on_the_way: vec![act],
        afterwards: Vec::new(),
    };
    trial.case("killed").expect("it is a case")
}

/// A case of the catalogue.
fn named(name: &str) -> Case {
    let is_it = |case: &Case| {
        let id = case.id.to_string();
        id.strip_prefix(name)
            .is_some_and(|rest| !rest.starts_with('-'))
    };
    let found = catalogue(1).into_iter().find(is_it);
    found.unwrap_or_else(|| panic!("no case is called {name}"))
}

/// A world that does what no cluster does is found out, where it does.
#[test]
fn steps_that_are_no_actions_are_named() {
    let calm = || named("bootstrap-and-pivot");
    let dark = || named("power-off-one-control-plane-node");
    let unled = || killed_before_the_assets(Component::KubeScheduler);
    let unserved = || killed_before_the_assets(Component::KubeApiserver);
    for (quirk, case, what) in [
        (Quirk::PodsAreBoundUnled, unled(), "pod for"),
        (Quirk::PodsNeedNoAssets, calm(), "pod for"),
        (Quirk::KubeletsNeedNoPower, dark(), "process on"),
        (Quirk::LeasesAreTakenEarly, calm(), "lease of"),
        (Quirk::LoadBalancerListsTheUnready, calm(), "load balancer"),
        (Quirk::RequestsNeedNoApiserver, unserved(), "tasks"),
    ] {
        let plan = plan_of(&case);
        assert_eq!(
            followed(&case, &plan, &[]).outcome,
            Outcome::Conforms,
            "{} without {quirk:?}",
            case.id
        );
        let found = followed(&case, &plan, &[quirk]);
        let Outcome::Diverges(divergence) = &found.outcome else {
            panic!("{quirk:?} in {}: {}", case.id, words(&found));
        };
        assert!(
            divergence.change.contains(what) && !divergence.survivors.is_empty(),
            "{quirk:?}: {}",
            words(&found)
        );
    }
}
