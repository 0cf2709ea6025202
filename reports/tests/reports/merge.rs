//! Shards as one run.

use oracle::CaseResult;
use reports::{MergeError, merge};

use crate::example;

#[test]
fn a_planned_case_that_no_run_has_is_inconclusive() {
    let planned =
        [example::failed(), example::passed(), example::wrong_end()].map(|case| case.record);
    let one = example::run(vec![example::passed()]);
    let mut two = example::run(vec![example::elsewhere()]);
    two.record.run = "two".into();
    two.record.started_unix_ms += 10_000;
    let merged = merge(vec![one, two], &planned).unwrap();
    let order: Vec<_> = merged
        .cases
        .iter()
        .map(|case| (case.record.scenario.as_str(), case.verdict.result))
        .collect();
    assert_eq!(
        order,
        [
            ("kill-the-holders", CaseResult::Inconclusive),
            ("bootstrap-and-pivot", CaseResult::Passed),
            ("installer-killed", CaseResult::Inconclusive),
            ("needs-cgroup-v2", CaseResult::NotApplicable),
        ]
    );
    assert_eq!(merged.exit_code(), 2);
    assert_eq!(
        merged.counts().to_string(),
        "1 passed, 0 failed, 2 inconclusive, 1 not applicable"
    );
    assert_eq!(merged.record.run, "20260821T100233Z-gate + two");
    assert_eq!(merged.record.took_ms, 255_000);
}

#[test]
fn a_case_in_two_runs_is_an_error_that_names_both() {
    let mut two = example::run(vec![example::passed()]);
    two.record.run = "two".into();
    let error = merge(vec![example::run(vec![example::passed()]), two], &[]).unwrap_err();
    assert_eq!(
        error,
        MergeError::Twice {
            case: "bootstrap-and-pivot/selfhost-modern@1.34".into(),
            first: "20260821T100233Z-gate".into(),
            second: "two".into(),
        }
    );
}

#[test]
fn nothing_cannot_be_merged() {
    assert_eq!(merge(Vec::new(), &[]).unwrap_err(), MergeError::Nothing);
}

#[test]
fn an_interrupted_shard_interrupts_the_whole() {
    let mut run = example::run(vec![example::passed()]);
    run.record.interrupted = true;
    assert_eq!(merge(vec![run], &[]).unwrap().exit_code(), 130);
}
