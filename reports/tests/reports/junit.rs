//! JUnit, read back by a parser that shares nothing with the writer.

use std::collections::BTreeSet;

use oracle::{CaseResult, Judgement};
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};
use reports::{CaseReport, RunReport, junit};

use crate::example::{self, judged};
use crate::golden;
use crate::story::plain;

fn read_back(run: &RunReport) -> Report {
    let xml = junit(run);
    Report::deserialize_from_str(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"))
}

fn tests(report: &Report) -> impl Iterator<Item = &TestCase> {
    report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
}

/// The word for a test case's result, and the text of its element or of what it printed.
fn status(test: &TestCase) -> (&'static str, String) {
    let text = |text: Option<&quick_junit::XmlString>| {
        text.map(|text| text.as_str().to_owned())
            .unwrap_or_default()
    };
    match &test.status {
        TestCaseStatus::Success { .. } => ("passed", text(test.system_out.as_ref())),
        TestCaseStatus::NonSuccess {
            kind: NonSuccessKind::Failure,
            description,
            ..
        } => ("failed", text(description.as_ref())),
        TestCaseStatus::NonSuccess {
            kind: NonSuccessKind::Error,
            description,
            ..
        } => ("error", text(description.as_ref())),
        TestCaseStatus::Skipped { description, .. } => ("skipped", text(description.as_ref())),
    }
}

/// The results of a case's test cases, in their order.
fn results(case: CaseReport) -> Vec<&'static str> {
    tests(&read_back(&example::run(vec![case])))
        .map(|test| status(test).0)
        .collect()
}

#[test]
fn the_file_is_as_it_was() {
    golden::check("junit.xml", &junit(&example::all_kinds()));
}

#[test]
fn each_kind_of_case_comes_out_as_what_it_is() {
    for (case, expected) in [
        (example::passed(), ["passed", "passed", "passed", "skipped"]),
        // An unknown that the case passed without is no error: the file is red when the run is.
        (
            example::passed_by_violation(),
            ["passed", "skipped", "passed", "skipped"],
        ),
        (example::failed(), ["passed", "passed", "failed", "skipped"]),
        (
            example::wrong_end(),
            ["failed", "passed", "passed", "skipped"],
        ),
        (
            example::inconclusive(),
            ["error", "error", "skipped", "skipped"],
        ),
    ] {
        assert_eq!(results(case.clone()), expected, "{}", case.record.id);
    }
    assert_eq!(results(example::elsewhere()), ["skipped"]);
}

#[test]
fn a_failure_says_the_sentence_the_witness_and_the_command() {
    let report = read_back(&example::run(vec![example::failed()]));
    let (_, text) = tests(&report)
        .map(status)
        .find(|(result, _)| *result == "failed")
        .unwrap();
    for part in [
        "When the bootstrap control plane is removed, enough verified self-hosted apiservers",
        "while 1 of 2 wanted apiservers served",
        "T+40.100s  apiserver cp-2 #214  GET /readyz refused",
        "again: chrysalis run scenarios/catalogue/kill-the-holders.yaml --seed 7",
        "evidence: runs/latest/",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn what_was_expected_passes_and_says_so() {
    let report = read_back(&example::run(vec![example::passed_by_violation()]));
    let test = tests(&report).find(|test| test.name.as_str().ends_with("guard-holds-at-teardown"));
    let (result, text) = status(test.unwrap());
    assert_eq!(result, "passed");
    assert!(text.contains("violated as expected: the bootstrap control plane was removed"));
}

#[test]
fn a_missing_violation_fails() {
    let mut case = example::passed_by_violation();
    case.verdict.result = CaseResult::Failed;
    case.verdict.invariants[1].judgement = Judgement::Holds;
    assert_eq!(results(case), ["passed", "error", "failed", "skipped"]);
}

#[test]
fn a_case_that_failed_for_no_visible_reason_still_fails() {
    let case = example::case("x", "modern", CaseResult::Failed);
    assert_eq!(results(case)[0], "failed");
}

#[test]
fn the_seed_and_the_repetition_are_in_no_name() {
    let mut again = example::failed();
    again.record.id += "~2";
    again.record.seed = Some(991);
    again.record.repro = "chrysalis run x --seed 991".into();
    let mut good = example::case("kill-the-holders", "modern", CaseResult::Passed);
    good.record.id += "~3";
    let once = read_back(&example::run(vec![example::failed()]));
    let thrice = read_back(&example::run(vec![example::failed(), again, good]));
    let names = |report: &Report| -> Vec<String> {
        tests(report)
            .map(|test| test.name.as_str().to_owned())
            .collect()
    };
    assert_eq!(names(&once), names(&thrice));
    let (_, text) = tests(&thrice)
        .map(status)
        .find(|(result, _)| *result == "failed")
        .unwrap();
    assert!(text.contains("2 of 3 repetitions"), "{text}");
    assert!(
        text.contains("--seed 7") && text.contains("--seed 991"),
        "{text}"
    );
}

#[test]
fn a_violation_that_the_host_may_have_caused_is_an_error_not_a_failure() {
    let mut case = example::inconclusive();
    case.verdict.invariants[1].judgement = Judgement::Violated(example::finding());
    assert_eq!(results(case), ["error", "error", "error", "skipped"]);
}

#[test]
fn a_case_that_ended_early_by_its_expected_violation_did_not_end_wrongly() {
    let mut case = example::passed_by_violation();
    case.verdict.end = "proven".into();
    assert_eq!(results(case), ["passed", "skipped", "passed", "skipped"]);
}

/// Any text, and often such as breaks reports.
fn nasty() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<String>(),
        Just("]]>".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("\u{1b}[31m".to_owned()),
        Just("\0".to_owned()),
        Just("\r\n".to_owned()),
        Just(" time=\"5\"".to_owned()),
        Just("&lt;\"'<>".to_owned()),
        Just("\u{fffe}".to_owned()),
    ];
    proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

fn nasty_case() -> impl Strategy<Value = CaseReport> {
    let texts = proptest::collection::vec(nasty(), 12);
    (
        texts,
        any::<u64>(),
        0..4_usize,
        proptest::collection::vec(0..4_usize, 0..4),
    )
        .prop_map(|(texts, took_ms, result, judgements)| {
            let results = [
                CaseResult::Passed,
                CaseResult::Failed,
                CaseResult::Inconclusive,
                CaseResult::NotApplicable,
            ];
            let mut case = example::case(&texts[0], &texts[1], results[result]);
            case.record.took_ms = took_ms;
            case.record.kubernetes = texts[2].clone();
            case.record.file = texts[3].clone();
            case.record.repro = texts[4].clone();
            case.record.variant = Some(texts[5].clone());
            case.verdict.reason = texts[6].clone();
            case.evidence = texts[7].clone();
            let mut finding = example::finding();
            finding.what = texts[8].clone();
            finding.witness[0].saw = texts[9].clone();
            case.verdict.invariants = judgements
                .into_iter()
                .enumerate()
                .map(|(number, judgement)| {
                    let judgement = match judgement {
                        0 => Judgement::Holds,
                        1 => Judgement::Violated(finding.clone()),
                        2 => Judgement::Unknown(texts[10].clone()),
                        _ => Judgement::NotJudged(texts[11].clone()),
                    };
                    judged(&format!("S{number}"), &format!("slug-{number}"), judgement)
                })
                .collect();
            case
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_strings_in_parse_back_to_the_same_cases(
        cases in proptest::collection::vec(nasty_case(), 0..4),
        host in nasty(),
        started_unix_ms in any::<u64>(),
    ) {
        let mut run = example::run(cases);
        run.record.host = host;
        run.record.started_unix_ms = started_unix_ms;
        let xml = junit(&run);
        let report = Report::deserialize_from_str(&xml);
        prop_assert!(report.is_ok(), "{:?}\n{}", report, xml);
        let report = report.unwrap();
        // As many suites as there are names, each with its case's invariants and its own row.
        let stable: BTreeSet<String> = run.cases.iter().map(|case| plain(&case.record.stable_name())).collect();
        prop_assert_eq!(report.test_suites.len(), stable.len());
        for suite in &report.test_suites {
            prop_assert!(stable.contains(suite.name.as_str()), "{:?} of {:?}", suite.name, stable);
        }
        let names: Vec<&str> = tests(&report).map(|test| test.name.as_str()).collect();
        prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "names are unique");
        let wanted: usize = stable.iter().map(|name| {
            let same = run.cases.iter().filter(|case| plain(&case.record.stable_name()) == *name);
            1 + same.flat_map(|case| &case.verdict.invariants).map(|judged| &judged.slug).collect::<BTreeSet<_>>().len()
        }).sum();
        prop_assert_eq!(names.len(), wanted);
        // Red exactly when the run is: nothing that went wrong is hidden, and nothing is invented.
        let is_red = tests(&report).any(|test| matches!(status(test).0, "failed" | "error"));
        let is_bad = run.cases.iter().any(|case| matches!(case.verdict.result, CaseResult::Failed | CaseResult::Inconclusive));
        prop_assert!(is_red || !is_bad);
    }
}
