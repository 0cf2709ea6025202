//! Swarm: random trials within the invariants' hypotheses find nothing in `modern`, and find what
//! is wrong with its mutants.

use oracle::judge;
use pivot::{modern, mutants};
use simulator::swarm::{Bounds, Draw, search};
use simulator::timed;

const THREE: Bounds = Bounds {
    control_planes: 3,
    faults: 2,
};

#[test]
fn modern_survives_two_faults_of_three_nodes() {
    let tally = search(
        2,
        &modern(),
        "modern",
        THREE,
        &[Draw { seed: 2, count: 80 }],
    );
    let told: Vec<String> = tally
        .failed
        .iter()
        .map(|(trial, verdict)| format!("{}\n{}", verdict.reason, trial.scenario("failed")))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    // A search that hardly ever says anything would find nothing either.
    assert!(
        tally.passed >= 74,
        "{} passed, {} refused, inconclusive: {:#?}",
        tally.passed,
        tally.refused,
        tally.inconclusive
    );
}

#[test]
fn the_same_seed_tries_the_same() {
    let tally = |seed| search(1, &modern(), "modern", THREE, &[Draw { seed, count: 5 }]).virtual_ms;
    assert_eq!(tally(7), tally(7));
    assert_ne!(tally(7), tally(8));
}

/// Everything that a search tells of, as text.
#[test]
fn the_number_of_threads_makes_no_difference() {
    let plan = modern();
    let draws = [Draw { seed: 9, count: 7 }, Draw { seed: 3, count: 5 }];
    let tally = |threads| format!("{:?}", search(threads, &plan, "modern", THREE, &draws));
    assert_eq!(tally(1), tally(2));
    assert_eq!(tally(1), tally(5));
}

/// What fails is a scenario file, and the file fails in the same way.
#[test]
fn what_is_wrong_is_found_and_kept_as_a_scenario() {
    let mutant = mutants()
        .into_iter()
        .find(|mutant| mutant.name == "remembers-nothing")
        .expect("there is such a mutant");
    let bounds = Bounds {
        control_planes: 1,
        faults: 1,
    };
    let tally = search(
        2,
        &mutant.plan,
        "modern",
        bounds,
        &[Draw {
            seed: 1,
            count: 600,
        }],
    );
    let (trial, verdict) = tally.failed.first().expect("the mistake is found");
    let name = verdict.case.split('/').next().unwrap_or_default();
    let case = trial.case(name).expect("what was tried can be written");
    assert!(
        trial.scenario(name).contains("- at: "),
        "{}",
        trial.scenario(name)
    );
    let again = timed::run(&case, &mutant.plan);
    assert_eq!(
        judge(&again.observations, &case.expect).result,
        verdict.result
    );
}
