//! JUnit: one test case for each scenario, installer with policy, version and invariant.
//!
//! Names never hold the seed, so that a result can be followed from night to night: repetitions of
//! a case are one test case, which says how many of them went wrong. A violated invariant is a
//! failure, what is not known is an error, what was not judged is skipped, with its cause.

mod row;

use std::collections::BTreeMap;

use junit_report::{Duration, OffsetDateTime, Report, TestCase, TestCaseBuilder, TestSuite};

use crate::xml_text::{three_decimals, xml_attribute, xml_content};
use crate::{CaseReport, RunReport};
use row::{Row, RowResult, rows};

/// No case takes a year; a record that says so is damaged, and its sum must not overflow.
const LONGEST_CASE_MS: u64 = 365 * 86_400_000;

/// The run as a JUnit file.
///
/// A suite is a scenario with its installer and version, a test case is an invariant; the first
/// test case of each suite, `ends-as-expected`, is the case as a whole.
pub fn junit(run: &RunReport) -> String {
    let mut report = Report::new();
    for (name, cases) in suites(run) {
        report.add_testsuite(suite(run, &name, &cases));
    }
    let mut bytes = Vec::new();
    report
        .write_xml(&mut bytes)
        .expect("writing into memory cannot fail");
    let xml = String::from_utf8(bytes).expect("the writer is given text and writes text");
    let mut xml = three_decimals(&xml);
    xml.push('\n');
    xml
}

/// Cases by their name without the seed, in the order of the run.
fn suites(run: &RunReport) -> Vec<(String, Vec<&CaseReport>)> {
    let mut places = BTreeMap::new();
    let mut suites: Vec<(String, Vec<&CaseReport>)> = Vec::new();
    for case in &run.cases {
        let name = xml_attribute(&case.record.stable_name());
        let place = *places.entry(name.clone()).or_insert(suites.len());
        if place == suites.len() {
            suites.push((name, Vec::new()));
        }
        suites[place].1.push(case);
    }
    suites
}

fn suite(run: &RunReport, name: &str, cases: &[&CaseReport]) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.package = xml_attribute(&run.record.run);
    suite.hostname = xml_attribute(&run.record.host);
    // A time that is out of range can only be a damaged record: better an epoch than no report.
    let seconds = i64::try_from(run.record.started_unix_ms / 1_000).unwrap_or(0);
    let in_four_digits = seconds.min(253_402_300_799);
    suite.set_timestamp(
        OffsetDateTime::from_unix_timestamp(in_four_digits).unwrap_or(OffsetDateTime::UNIX_EPOCH),
    );
    let took_ms: u64 = cases
        .iter()
        .fold(0, |sum, case| case.record.took_ms.saturating_add(sum));
    for (position, row) in rows(cases).iter().enumerate() {
        // The time of a case is nobody's but the case's: its first row has it.
        let took_ms = if position == 0 { took_ms } else { 0 };
        suite.add_testcase(test_case(name, cases, row, took_ms));
    }
    suite
}

fn test_case(suite: &str, cases: &[&CaseReport], row: &Row, took_ms: u64) -> TestCase {
    let name = xml_attribute(&format!("{suite} {}", row.slug));
    let took_ms = took_ms.min(LONGEST_CASE_MS);
    let took = Duration::milliseconds(i64::try_from(took_ms).unwrap_or_default());
    let kind = row.kind;
    let (message, content) = (xml_attribute(&row.message), xml_content(&row.text));
    let mut test = match row.result {
        RowResult::Passed => TestCaseBuilder::success(&name, took),
        RowResult::Failed => TestCaseBuilder::failure(&name, took, kind, &message),
        RowResult::Error => TestCaseBuilder::error(&name, took, kind, &message),
        RowResult::Skipped => TestCaseBuilder::skipped_with_cause(&name, kind, &message),
    };
    if row.result == RowResult::Passed {
        if !content.is_empty() {
            test.set_system_out(&content);
        }
    } else {
        // Some readers show the content of the element only, others its message only.
        test.set_trace(&content);
    }
    if let Some(case) = cases.first() {
        let record = &case.record;
        test.set_classname(&xml_attribute(&format!(
            "{}.{}",
            record.scenario,
            record.installer_and_policy()
        )));
        test.set_filepath(&xml_attribute(&record.file));
    }
    test.build()
}
