//! Repetitions of one case.

use oracle::CaseResult;
use reports::{closing, repetitions};

use crate::example;

#[test]
fn repetitions_that_disagree_are_a_failure_and_are_counted_by_finding() {
    let mut good = example::case("kill-the-holders", "modern", CaseResult::Passed);
    good.record.id += "~2";
    let run = example::run(vec![example::failed(), good.clone(), example::passed()]);
    let lines: Vec<String> = repetitions(&run).iter().map(ToString::to_string).collect();
    let expected = "kill-the-holders selfhost/modern 1.34: flaky, 1/2 passed; \
                    guard-holds-at-teardown violated 1/2";
    assert_eq!(lines, [expected]);
    assert!(closing(&run).contains(expected));
}

#[test]
fn one_inconclusive_repetition_makes_a_passing_case_fail() {
    let mut good = example::case(
        "power-off-one-control-plane-node",
        "modern",
        CaseResult::Passed,
    );
    good.record.id += "~2";
    assert_eq!(
        example::run(vec![example::inconclusive(), good.clone()]).exit_code(),
        1
    );
    assert_eq!(example::run(vec![example::inconclusive()]).exit_code(), 2);
    assert_eq!(example::run(vec![good.clone(), good]).exit_code(), 0);
}
