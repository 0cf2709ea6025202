//! One test case of the file: an invariant, over all repetitions of a case.

use std::collections::BTreeMap;

use oracle::{CaseResult, register};

use crate::CaseReport;
use crate::closing::{points, witness_lines};
use crate::standing::{Standing, ended_as_expected, failed_beyond_invariants};

/// The test case that stands for the case as a whole.
const CASE_ROW: &str = "ends-as-expected";

/// How a row comes out. The order is the order of precedence among repetitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowResult {
    /// Nothing was judged.
    Skipped,
    /// It was as expected.
    Passed,
    /// It is not known.
    Error,
    /// It was not as expected.
    Failed,
}

/// One test case of the file.
pub(super) struct Row {
    /// The invariant's slug, or the case's own.
    pub(super) slug: String,
    /// How it comes out.
    pub(super) result: RowResult,
    /// The kind of trouble, a word that can be searched for.
    pub(super) kind: &'static str,
    /// The gist in one line.
    pub(super) message: String,
    /// Everything.
    pub(super) text: String,
}

/// The rows of a case and its repetitions: the case as a whole, then its invariants in the order
/// of the register.
pub(super) fn rows(cases: &[&CaseReport]) -> Vec<Row> {
    let mut rows = vec![combined(
        CASE_ROW,
        cases.iter().map(|case| (*case, case_row(case))),
    )];
    let mut slugs: BTreeMap<&str, Vec<(&CaseReport, Row)>> = BTreeMap::new();
    let mut order = Vec::new();
    for case in cases {
        for judged in &case.verdict.invariants {
            let all = slugs.entry(judged.slug.as_str()).or_default();
            if all.is_empty() {
                order.push(judged.slug.as_str());
            }
            let standing = Standing::of(&case.verdict, judged);
            all.push((case, invariant_row(case, &judged.slug, standing)));
        }
    }
    for slug in order {
        let all = slugs.remove(slug).unwrap_or_default();
        rows.push(combined(slug, all.into_iter()));
    }
    rows
}

/// The worst row of all repetitions, saying how many of them agree with it.
fn combined<'a>(slug: &str, all: impl Iterator<Item = (&'a CaseReport, Row)>) -> Row {
    let all: Vec<_> = all.collect();
    let total = all.len();
    let worst = all
        .iter()
        .map(|(_, row)| row.result)
        .max()
        .unwrap_or(RowResult::Skipped);
    let mut alike = all
        .into_iter()
        .map(|(_, row)| row)
        .filter(|row| row.result == worst);
    let mut row = alike.next().unwrap_or_else(|| Row {
        slug: slug.to_owned(),
        result: RowResult::Skipped,
        kind: "not-judged",
        message: "nothing was judged".to_owned(),
        text: String::new(),
    });
    let others: Vec<String> = alike.map(|row| row.text).collect();
    if total > 1 {
        let part = format!("{} of {total} repetitions", others.len() + 1);
        row.message = format!("{part}: {}", row.message);
        row.text = format!("{part}\n\n{}", row.text);
        // Each failing repetition has its own seed, and its own command to run it again.
        if matches!(worst, RowResult::Failed | RowResult::Error) {
            row.text
                .extend(others.iter().map(|text| format!("\n{text}")));
        }
    }
    row
}

/// The row of the case as a whole. A case that did not pass has at least one row that says so, and
/// this one does when no invariant does.
fn case_row(case: &CaseReport) -> Row {
    let verdict = &case.verdict;
    let reason = verdict.reason.clone();
    let (result, kind) = match verdict.result {
        CaseResult::Passed => (RowResult::Passed, "passed"),
        CaseResult::Failed if !ended_as_expected(verdict) => (RowResult::Failed, "wrong-end"),
        CaseResult::Failed if failed_beyond_invariants(verdict) => (RowResult::Failed, "failed"),
        CaseResult::Failed => (RowResult::Passed, "passed"),
        CaseResult::Inconclusive => (RowResult::Error, cause_word(verdict.cause)),
        CaseResult::NotApplicable => (RowResult::Skipped, "not-applicable"),
    };
    let message = match result {
        RowResult::Passed => format!("ended as `{}`, as expected", verdict.end),
        RowResult::Failed if !ended_as_expected(verdict) => {
            format!(
                "ended as `{}`, expected `{}`",
                verdict.end, verdict.expected.ends
            )
        }
        _ => reason.clone(),
    };
    let mut text = format!("{message}\n");
    if reason != message && result != RowResult::Passed {
        text += &format!("{reason}\n");
    }
    if matches!(result, RowResult::Failed | RowResult::Error) {
        points(case)
            .iter()
            .flatten()
            .for_each(|line| text += &format!("{line}\n"));
    }
    text += &trailer(case, result);
    Row {
        slug: CASE_ROW.to_owned(),
        result,
        kind,
        message,
        text,
    }
}

fn invariant_row(case: &CaseReport, slug: &str, standing: Standing<'_>) -> Row {
    let (result, kind, message) = match standing {
        Standing::Held => (RowResult::Passed, "held", "held".to_owned()),
        Standing::HeldAsFarAsSeen => (
            RowResult::Skipped,
            "inconclusive",
            format!(
                "held in what was seen, but the case is inconclusive: {}",
                case.verdict.reason
            ),
        ),
        Standing::ViolatedAsExpected(finding) => (
            RowResult::Passed,
            "violated-as-expected",
            format!("violated as expected: {}", finding.what),
        ),
        Standing::ViolatedInDoubt(finding) => {
            let reason = &case.verdict.reason;
            let message = format!(
                "violated, but the case is inconclusive: {}; {reason}",
                finding.what
            );
            (RowResult::Error, "violated-in-doubt", message)
        }
        Standing::Violated(finding) => (RowResult::Failed, "violated", finding.what.clone()),
        Standing::ViolationMissing => (
            RowResult::Failed,
            "violation-missing",
            "a violation was expected, and did not come".to_owned(),
        ),
        Standing::Unknown(missing) => {
            (RowResult::Error, "unknown", format!("not known: {missing}"))
        }
        Standing::UnknownWithoutConsequence(missing) => (
            RowResult::Skipped,
            "unknown",
            format!("not known, and the case passed without it: {missing}"),
        ),
        Standing::NotJudged(why) => (
            RowResult::Skipped,
            "not-judged",
            format!("not judged: {why}"),
        ),
    };
    let mut text = String::new();
    if !matches!(standing, Standing::Held) {
        if let Some(rule) = register::by_slug(slug) {
            text += &format!("{} {}: {}\n", rule.id, rule.slug, rule.sentence);
        }
        text += &format!("{message}\n");
    }
    if let Standing::Violated(finding)
    | Standing::ViolatedInDoubt(finding)
    | Standing::ViolatedAsExpected(finding) = standing
    {
        witness_lines(finding)
            .iter()
            .for_each(|line| text += &format!("  {line}\n"));
    }
    text += &trailer(case, result);
    Row {
        slug: slug.to_owned(),
        result,
        kind,
        message,
        text,
    }
}

/// Where the evidence is and how to run the case again, where somebody will want to know.
fn trailer(case: &CaseReport, result: RowResult) -> String {
    let mut text = String::new();
    if matches!(result, RowResult::Failed | RowResult::Error) {
        if !case.evidence.is_empty() {
            text += &format!("evidence: {}\n", case.evidence);
        }
        if !case.record.repro.is_empty() {
            text += &format!("again: {}\n", case.record.repro);
        }
    }
    text
}

fn cause_word(cause: Option<oracle::observation::Cause>) -> &'static str {
    use oracle::observation::Cause;
    match cause {
        Some(Cause::Fault) => "inconclusive-fault",
        Some(Cause::Samples) => "inconclusive-samples",
        Some(Cause::Host) => "inconclusive-host",
        Some(Cause::Environment) => "inconclusive-environment",
        Some(Cause::Harness) => "inconclusive-harness",
        None => "inconclusive",
    }
}
