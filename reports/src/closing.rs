//! The last words of a run: what went wrong, case by case, and the counts.

use oracle::{CaseResult, Finding};

use crate::repetition::repetitions;
use crate::standing::{Standing, ended_as_expected, failed_beyond_invariants};
use crate::{CaseReport, RunReport, duration};

/// The result as the word that leads a line.
pub const fn result_word(result: CaseResult) -> &'static str {
    match result {
        CaseResult::Passed => "PASSED",
        CaseResult::Failed => "FAILED",
        CaseResult::Inconclusive => "INCONCLUSIVE",
        CaseResult::NotApplicable => "NOT APPLICABLE",
    }
}

/// A time of a case, in microseconds, as people read it: `T+12.345s`.
pub fn at(us: u64) -> String {
    format!("T+{}.{:03}s", us / 1_000_000, us / 1_000 % 1_000)
}

/// A finding's witness, one line an observation.
pub fn witness_lines(finding: &Finding) -> Vec<String> {
    finding
        .witness
        .iter()
        .map(|witness| format!("{}  {}  {}", at(witness.at_us), witness.source, witness.saw))
        .collect()
}

/// What went wrong in a case: one paragraph of lines for each point. Empty for a case that passed.
pub fn points(case: &CaseReport) -> Vec<Vec<String>> {
    let verdict = &case.verdict;
    if matches!(
        verdict.result,
        CaseResult::Passed | CaseResult::NotApplicable
    ) {
        return Vec::new();
    }
    let mut points = Vec::new();
    for judged in &verdict.invariants {
        let name = format!("{} {}", judged.id, judged.slug);
        match Standing::of(verdict, judged) {
            Standing::Violated(finding) | Standing::ViolatedInDoubt(finding) => {
                let mut lines = vec![format!("{name} violated: {}", finding.what)];
                lines.extend(
                    witness_lines(finding)
                        .into_iter()
                        .map(|line| format!("  {line}")),
                );
                points.push(lines);
            }
            Standing::ViolationMissing => {
                points.push(vec![format!(
                    "{name} was expected to be violated, and was not"
                )]);
            }
            Standing::Unknown(missing) if verdict.result == CaseResult::Inconclusive => {
                points.push(vec![format!("{name} is not known: {missing}")]);
            }
            _ => {}
        }
    }
    if failed_beyond_invariants(verdict) && !ended_as_expected(verdict) {
        points.push(vec![format!(
            "the case ends as `{}`, and `{}` was expected",
            verdict.end, verdict.expected.ends
        )]);
    }
    points
}

/// The last words of a run: each case that failed or is inconclusive with its findings, where its
/// evidence is and how to run it again; how repetitions agreed; then the counts. Ends with a line break.
pub fn closing(run: &RunReport) -> String {
    let mut text = String::new();
    for result in [CaseResult::Inconclusive, CaseResult::Failed] {
        for case in run
            .cases
            .iter()
            .filter(|case| case.verdict.result == result)
        {
            push_case(&mut text, case);
        }
    }
    for repetition in repetitions(run) {
        text += &format!("{repetition}\n");
    }
    let cases = run.cases.len();
    let interrupted = if run.record.interrupted {
        ", interrupted"
    } else {
        ""
    };
    let plural = if cases == 1 { "case" } else { "cases" };
    text += &format!(
        "Summary  {} ({cases} {plural} in {}{interrupted})\n",
        run.counts(),
        duration(run.record.took_ms)
    );
    text
}

fn push_case(text: &mut String, case: &CaseReport) {
    let verdict = &case.verdict;
    *text += &format!(
        "{} {} [{}]\n  {}\n",
        result_word(verdict.result),
        case.record.id,
        duration(case.record.took_ms),
        verdict.reason
    );
    for line in points(case).iter().flatten() {
        *text += &format!("  {line}\n");
    }
    if !case.evidence.is_empty() {
        *text += &format!("  evidence  {}\n", case.evidence);
    }
    if !case.record.repro.is_empty() {
        *text += &format!("  again     {}\n", case.record.repro);
    }
    text.push('\n');
}
