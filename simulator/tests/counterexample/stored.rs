//! Kept counterexamples are the same when they are read, and mistakes in them are told with their place.

use simulator::coarse::Hits;
use simulator::counterexample::Counterexample;

use super::{caught, surveys};

#[test]
fn what_is_kept_is_read_again() {
    for caught in surveys().iter().flat_map(|survey| &survey.caught) {
        let text = caught.counterexample.save();
        let read = Counterexample::load(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, caught.counterexample);
    }
}

/// Whoever reads it again knows to what the search was bound.
#[test]
fn bounds_of_the_first_fault_are_kept() {
    let mut kept = caught("skips-labels", "bootstrap-completes")
        .counterexample
        .clone();
    let bound = kept.config.clone().with_first_fault_on(Hits::OtherNode);
    let bound = bound.with_faults_from("checkpoints-armed").expect("a step");
    kept.config = bound.with_first_fault_before("verified").expect("a step");
    kept.config.saves_at_once = true;
    let read = Counterexample::load(&kept.save()).expect("it is one");
    assert_eq!(read, kept);
    let broken = kept.save().replace(
        "\"first_fault_before\": \"verified\"",
        "\"first_fault_before\": \"verifies\"",
    );
    let error = Counterexample::load(&broken)
        .expect_err("no such step")
        .to_string();
    assert!(error.contains("no step `verifies`"), "{error}");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let text = caught("skips-labels", "bootstrap-completes")
        .counterexample
        .save();
    let check = |from: &str, to: &str, told: &[&str]| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = Counterexample::load(&changed).expect_err(to).to_string();
        for words in told {
            assert!(error.contains(words), "{to}: {error}");
        }
    };
    let first = "task-done ClaimCluster";
    check(
        first,
        "task-dome ClaimCluster",
        &["action 1", "task-dome", "did you mean `task-done`?"],
    );
    check(
        first,
        "task-done VerifyApi",
        &["action 1", "cannot happen there", first],
    );
    check(
        "\"bootstrap-completes\"",
        "\"failure-holds\"",
        &["does not violate `failure-holds`"],
    );
    check(
        "\"bootstrap-completes\"",
        "\"it-holds\"",
        &["`it-holds` is no invariant"],
    );
    check("\"v\": 1", "\"v\": 7", &["version 7"]);
    check(
        "\"control_planes\": 1",
        "\"control_planes\": 9",
        &["1 to 3"],
    );
    check("\"kills\": 0", "\"kills\": 4", &["budgets up to 3"]);
    check("\"one_port\"", "\"one_prot\"", &["no counterexample"]);
    check(
        "\"step\": \"verified\"",
        "\"step\": \"done\"",
        &["plan cannot be followed"],
    );
}
