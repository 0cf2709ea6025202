//! `summary.md`: a run as a page that a person likes to read.

use std::collections::BTreeMap;

use oracle::{CaseResult, Judgement, register};

use crate::closing::points;
use crate::{CaseReport, RunReport, duration, figure, result_word};

/// A timeline longer than this is shown in part: the page is read, the rest is in the evidence.
const TIMELINE_LINES: usize = 80;

/// Figures that the table shows, where a case has them; the rest is listed below it.
const TABLE_FIGURES: [(&str, &str); 6] = [
    ("api_write_gap_ms", "write gap"),
    ("bootstrap_ms", "bootstrap"),
    ("api_return_ms", "API back"),
    ("control_plane_return_ms", "all self-hosted"),
    ("redundancy_restored_ms", "copies gone"),
    ("writes_lost_count", "writes lost"),
];

/// Figures of what a loss cost.
const COST_FIGURES: [&str; 4] = [
    "api_return_ms",
    "control_plane_return_ms",
    "redundancy_restored_ms",
    "writes_lost_count",
];

/// The run as a Markdown page: the counts, a table of all cases, and what went wrong with its
/// witness, the place of its evidence and the command that runs it again.
pub fn summary_markdown(run: &RunReport) -> String {
    summary_with_timelines(run, &BTreeMap::new())
}

/// The same page, with the [timeline](crate::timeline) of each case that went wrong, by its id.
pub fn summary_with_timelines(run: &RunReport, timelines: &BTreeMap<String, String>) -> String {
    let record = &run.record;
    let mut page = format!("# {}: {}\n\n", text(&record.run), headline(run));
    page += &format!("{}. ", run.counts());
    page += &format!("Took {}", duration(record.took_ms));
    if record.interrupted {
        page += ", and was interrupted";
    }
    if record.host.is_empty() {
        page += ".\n";
    } else {
        page += &format!(", on {}.\n", text(&record.host));
    }
    if !run.cases.is_empty() {
        page += "\n";
        page += &table(run);
        page += &limits(run);
    }
    for result in [CaseResult::Failed, CaseResult::Inconclusive] {
        for case in run
            .cases
            .iter()
            .filter(|case| case.verdict.result == result)
        {
            page += &section(case, timelines.get(&case.record.id));
        }
    }
    page += &expected_violations(run);
    page
}

/// The run in a word.
fn headline(run: &RunReport) -> &'static str {
    match run.exit_code() {
        0 => "passed",
        1 => "failed",
        130 => "interrupted",
        _ => "inconclusive",
    }
}

fn table(run: &RunReport) -> String {
    let shown: Vec<_> = TABLE_FIGURES
        .iter()
        .filter(|(name, _)| {
            run.cases
                .iter()
                .any(|case| case.verdict.figures.contains_key(*name))
        })
        .collect();
    let mut table = String::from("| case | result | time |");
    let mut rule = String::from("\n|---|---|--:|");
    for (_, title) in &shown {
        table += &format!(" {title} |");
        rule += "--:|";
    }
    table += &rule;
    table.push('\n');
    for case in &run.cases {
        table += &format!(
            "| {} | {} | {} |",
            cell(&case.record.id),
            mark(case.verdict.result),
            duration(case.record.took_ms)
        );
        for (name, _) in &shown {
            let value = case.verdict.figures.get(*name);
            table += &format!(
                " {} |",
                value.map_or("–".to_owned(), |ms| figure(name, *ms).1)
            );
        }
        table.push('\n');
    }
    table
}

/// What the faults really did, where the table says what they cost: no figure says more than that.
fn limits(run: &RunReport) -> String {
    let costly = run.cases.iter().filter(|case| {
        let figures = &case.verdict.figures;
        COST_FIGURES.iter().any(|name| figures.contains_key(*name))
    });
    let fidelity: BTreeMap<_, _> = costly.flat_map(|case| &case.verdict.fidelity).collect();
    if fidelity.is_empty() {
        return String::new();
    }
    let faults = fidelity.into_iter();
    let lines: String = faults
        .map(|(fault, did)| format!("- {}: {}\n", code(fault), text(did)))
        .collect();
    format!("\nWhat the faults really did, and so how far these figures reach:\n\n{lines}")
}

/// A result that stands out in a table.
const fn mark(result: CaseResult) -> &'static str {
    match result {
        CaseResult::Passed => "passed",
        CaseResult::Failed => "**failed**",
        CaseResult::Inconclusive => "*inconclusive*",
        CaseResult::NotApplicable => "not applicable",
    }
}

fn section(case: &CaseReport, timeline: Option<&String>) -> String {
    let (record, verdict) = (&case.record, &case.verdict);
    let mut out = format!(
        "\n## {} {}\n\n{}\n",
        result_word(verdict.result),
        text(&record.id),
        text(&verdict.reason)
    );
    for lines in points(case) {
        let Some((first, witness)) = lines.split_first() else {
            continue;
        };
        out += &format!("\n**{}**\n", text(first));
        if let Some(rule) = first.split(' ').nth(1).and_then(register::by_slug) {
            out += &format!("\n> {}\n", text(rule.sentence));
        }
        if !witness.is_empty() {
            out += &fenced(&witness.join("\n"));
        }
    }
    out += "\n";
    if !case.evidence.is_empty() {
        out += &format!("- evidence: {}\n", code(&case.evidence));
    }
    if !record.repro.is_empty() {
        out += &format!("- again: {}\n", code(&record.repro));
    }
    if !verdict.figures.is_empty() {
        let all: Vec<String> = verdict
            .figures
            .iter()
            .map(|(name, value)| figure(name, *value))
            .map(|(name, value)| format!("{} {}", text(&name), text(&value)))
            .collect();
        out += &format!("- figures: {}\n", all.join(", "));
    }
    if let Some(timeline) = timeline {
        out += &fenced(&shortened(timeline));
    }
    out
}

/// What was violated because the case wanted it so: a reader must not take it for a failure, nor
/// overlook it.
fn expected_violations(run: &RunReport) -> String {
    let mut out = String::new();
    for case in &run.cases {
        let verdict = &case.verdict;
        for judged in &verdict.invariants {
            if let Judgement::Violated(finding) = &judged.judgement
                && verdict.expected.violated.contains(&judged.slug)
            {
                let (id, what) = (text(&case.record.id), text(&finding.what));
                out += &format!("- {id}: {} {}: {what}\n", judged.id, judged.slug);
            }
        }
    }
    if out.is_empty() {
        out
    } else {
        format!("\n## Violated as expected\n\n{out}")
    }
}

/// The first and the last lines of a long text.
fn shortened(long: &str) -> String {
    let lines: Vec<&str> = long.lines().collect();
    if lines.len() <= TIMELINE_LINES {
        return lines.join("\n");
    }
    let half = TIMELINE_LINES / 2;
    let left_out = lines.len() - 2 * half;
    format!(
        "{}\n… {left_out} lines left out …\n{}",
        lines[..half].join("\n"),
        lines[lines.len() - half..].join("\n")
    )
}

/// A text that Markdown shows as it is.
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            '\\' | '`' | '*' | '[' | ']' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// A text in a cell of a table.
fn cell(raw: &str) -> String {
    text(raw)
}

/// A text as code in a line.
fn code(raw: &str) -> String {
    let raw = raw.replace(|letter: char| letter.is_control(), " ");
    let fence = "`".repeat(longest_run_of_backticks(&raw) + 1);
    let pad = if raw.starts_with('`') || raw.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{raw}{pad}{fence}")
}

/// A text as a block of code.
fn fenced(raw: &str) -> String {
    let fence = "`".repeat(longest_run_of_backticks(raw).max(2) + 1);
    format!("\n{fence}text\n{raw}\n{fence}\n")
}

fn longest_run_of_backticks(raw: &str) -> usize {
    raw.split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or(0)
}
