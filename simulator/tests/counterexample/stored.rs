//! Kept counterexamples are the same when they are read, and mistakes in them are told with their place.

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
