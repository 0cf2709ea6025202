//! `chrysalis conform`: whether what an earlier run recorded is possible in the simulator's coarse world.

use std::path::PathBuf;

use clap::Args;
use pivot::Plan;
use reports::CaseRecord;
use serde::Serialize;
use simulator::coarse::Config;
use simulator::conform::{Bounds, Conformance, Divergence, Outcome as Found, conform};

use super::exit::{Exit, Failure, Outcome};
use crate::console::lines::say;
use crate::evidence::record_file::read_record;
use crate::evidence::run_directory::{RunDirectory, RunDirectoryError};
use crate::evidence::stored_run::StoredRun;

/// Compares what an earlier run recorded with the simulator's coarse world, and names the first thing
/// that this world cannot explain. Steps, files, processes, pods, leases, and faults are compared.
///
/// Ends with 0 if every case conforms, 1 if one diverges, 2 if that cannot be said of one, or nothing
/// could be compared.
///
/// Example: chrysalis conform runs/latest
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The run's directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Write one JSON object with all cases instead of text.
    #[arg(long)]
    json: bool,
}

/// What comes out for a run, as `--json` writes it.
#[derive(Debug, Serialize)]
struct Report {
    v: u32,
    cases: Vec<CaseFound>,
}

/// What comes out for a case.
#[derive(Debug, Serialize)]
struct CaseFound {
    id: String,
    #[serde(flatten)]
    found: Conformance,
}

/// Does what the arguments ask for.
///
/// # Errors
/// When the directory is no run's, or cannot be read.
pub async fn run(arguments: Arguments) -> Outcome {
    let usage = |error: RunDirectoryError| Failure::new(Exit::Usage, error);
    let stored = RunDirectory::open(&arguments.run)
        .and_then(StoredRun::load)
        .map_err(usage)?;
    let cases = stored.report.cases.iter().map(|case| CaseFound {
        id: case.record.id.clone(),
        found: compared(&stored, &case.record),
    });
    let report = Report {
        v: 1,
        cases: cases.collect(),
    };
    if arguments.json {
        let text = serde_json::to_string_pretty(&report).expect("a report has string keys only");
        say!("{text}");
    } else {
        for case in &report.cases {
            say!("{}", told(case));
        }
    }
    Ok(exit_of(&report))
}

fn compared(stored: &StoredRun, record: &CaseRecord) -> Conformance {
    let config = match world_of(stored, record) {
        Ok(config) => config,
        Err(reason) => return Conformance::not_covered(reason),
    };
    match read_record(&stored.directory.events(&record.id)) {
        Ok(read) => conform(&config, &read.observations, Bounds::USUAL),
        Err(reason) => Conformance::not_covered(reason),
    }
}

/// The plan of a case, and what is peculiar to its cluster.
fn world_of(stored: &StoredRun, record: &CaseRecord) -> Result<Config, String> {
    let policy = record.policy.as_deref().unwrap_or_default();
    let plan = Plan::named(policy).ok_or_else(|| format!("`{policy}` is no built-in policy"))?;
    let planned = stored.plan.cases.iter().find(|case| case.id == record.id);
    let mut installers = planned.into_iter().flat_map(|case| case.installer.values());
    let unschedulable =
        installers.any(|installer| installer.switches.contains_key("apiserver-node-selector"));
    Ok(Config {
        unschedulable,
        ..Config::calm(plan, 1)
    })
}

fn exit_of(report: &Report) -> Exit {
    let any = |is: fn(&Found) -> bool| report.cases.iter().any(|case| is(&case.found.outcome));
    if any(|found| matches!(found, Found::Diverges(_))) {
        Exit::Failed
    } else if report.cases.is_empty() || any(|found| !matches!(found, Found::Conforms)) {
        Exit::Inconclusive
    } else {
        Exit::Success
    }
}

// === In words ===

fn told(case: &CaseFound) -> String {
    let CaseFound { id, found } = case;
    let counted = format!("{} of {} changes explained", found.explained, found.changes);
    let mut text = match &found.outcome {
        Found::Conforms => format!("conforms {id}: {counted}"),
        Found::Diverges(divergence) => format!("DIVERGES {id}: {counted}\n{}", shown(divergence)),
        Found::Inconclusive => {
            format!("inconclusive {id}: {counted}, but not every possible state was kept")
        }
        Found::NotCovered(reason) => return format!("not covered {id}: {reason}"),
    };
    if found.unusual > 0 {
        text.push_str(&format!(
            "\n  unusually early timers, lost answers, or controllers that gave up: up to {}",
            found.unusual
        ));
    }
    if let Some(reason) = &found.uncovered {
        text.push_str(&format!("\n  not compared to the end: {reason}"));
    }
    text
}

fn shown(divergence: &Divergence) -> String {
    let Divergence {
        change,
        since_ms,
        until_ms,
        before,
        survivors,
    } = divergence;
    let mut lines = vec![format!(
        "  {change}, between {since_ms} ms and {until_ms} ms, cannot be explained"
    )];
    lines.extend(before.iter().map(|change| format!("    after    {change}")));
    for survivor in survivors {
        lines.push(format!(
            "  the model: {}; the procedure: {}",
            survivor.shows, survivor.procedure
        ));
        lines.extend(
            survivor
                .admitted
                .iter()
                .map(|what| format!("    could    {what}")),
        );
        lines.extend(
            survivor
                .contradicted
                .iter()
                .map(|what| format!("    unseen   {what}")),
        );
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(outcome: Found) -> CaseFound {
        let found = Conformance {
            outcome,
            ..Conformance::not_covered(String::new())
        };
        let id = "a".to_owned();
        CaseFound { id, found }
    }

    fn exit(outcomes: Vec<Found>) -> Exit {
        let cases = outcomes.into_iter().map(found).collect();
        exit_of(&Report { v: 1, cases })
    }

    #[test]
    fn the_worst_case_decides() {
        let divergence = Found::Diverges(Divergence {
            change: "bootstrap secrets: absent".to_owned(),
            since_ms: 1,
            until_ms: 2,
            before: Vec::new(),
            survivors: Vec::new(),
        });
        assert_eq!(exit(vec![Found::Conforms]), Exit::Success);
        assert_eq!(
            exit(vec![Found::Conforms, Found::Inconclusive]),
            Exit::Inconclusive
        );
        assert_eq!(
            exit(vec![Found::NotCovered("why".to_owned())]),
            Exit::Inconclusive
        );
        assert_eq!(exit(Vec::new()), Exit::Inconclusive);
        assert_eq!(exit(vec![Found::Inconclusive, divergence]), Exit::Failed);
    }
}
