//! `chrysalis merge`: several runs, such as the shards of one plan, as one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use reports::{CaseRecord, RunReport, closing, merge, verdict_json};
use serde::Serialize;

use super::exit::{Exit, Failure, Outcome};
use super::judge::exit_of;
use crate::console::lines::say;
use crate::evidence::planned_case::{PlanFile, PlannedCase, record_of_id};
use crate::evidence::run_directory::{RunDirectory, RunDirectoryError, write_whole};
use crate::evidence::stored_run::{StoredRun, write_reports};

/// Joins runs, such as the shards of one plan, into one report. A case that was planned and that
/// no run has is inconclusive; a case that two runs have is an error. Evidence stays where it is.
/// Ends with the code that one run of all cases would end with.
///
/// Example: chrysalis merge shard-1 shard-2 --out merged
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The runs' directories.
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The directory to make; it must be new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Does what the arguments ask for.
///
/// # Errors
/// When a directory is no run's, two runs have the same case, or the result cannot be written.
pub async fn run(arguments: Arguments) -> Outcome {
    let usage = |error: RunDirectoryError| Failure::new(Exit::Usage, error);
    let mut stored = Vec::new();
    for run in &arguments.runs {
        stored.push(
            RunDirectory::open(run)
                .and_then(StoredRun::load)
                .map_err(usage)?,
        );
    }
    for run in &stored {
        for note in &run.notes {
            say!("note: {}: {note}", run.directory.root().display());
        }
    }
    let plans: BTreeSet<&str> = stored
        .iter()
        .map(|run| run.plan.fingerprint.as_str())
        .collect();
    if plans.len() > 1 {
        say!("note: these are runs of {} different plans", plans.len());
    }
    let planned = planned(&stored);
    let merged = merge(
        stored.iter().map(|run| run.report.clone()).collect(),
        &planned,
    )
    .map_err(|error| Failure::new(Exit::Usage, error))?;
    let directory = RunDirectory::create_at(&arguments.out).map_err(usage)?;
    let fingerprint = plans.into_iter().next().unwrap_or_default().to_owned();
    let seed = stored.first().map_or(0, |run| run.plan.seed);
    write(&directory, &merged, fingerprint, seed)
        .map_err(|error| Failure::new(Exit::Unavailable, error))?;
    print!("{}", closing(&merged));
    say!("wrote {}", directory.root().display());
    Ok(exit_of(&merged))
}

/// All cases that were planned, each once: by the plans' order, with what is known of each.
fn planned(stored: &[StoredRun]) -> Vec<CaseRecord> {
    let mut known: BTreeMap<&str, CaseRecord> = BTreeMap::new();
    for run in stored {
        for case in &run.plan.cases {
            known.insert(&case.id, case.record(run.plan.seed));
        }
    }
    let mut seen = BTreeSet::new();
    let named = stored.iter().flat_map(|run| {
        run.plan
            .planned
            .iter()
            .chain(run.plan.cases.iter().map(|case| &case.id))
    });
    named
        .filter(|id| seen.insert(id.as_str()))
        .map(|id| {
            known
                .get(id.as_str())
                .cloned()
                .unwrap_or_else(|| record_of_id(id))
        })
        .collect()
}

/// Writes the merged run so that `report` and `merge` can open it again.
fn write(
    directory: &RunDirectory,
    merged: &RunReport,
    fingerprint: String,
    seed: u64,
) -> Result<(), RunDirectoryError> {
    let cases: Vec<PlannedCase> = merged
        .cases
        .iter()
        .map(|case| PlannedCase::of_record(&case.record))
        .collect();
    let planned = cases.iter().map(|case| case.id.clone()).collect();
    let plan = PlanFile {
        v: 1,
        fingerprint,
        seed,
        planned,
        cases,
    };
    write_whole(&directory.file("plan.json"), &json(&plan))?;
    write_whole(&directory.file("run.json"), &json(&merged.record))?;
    for case in &merged.cases {
        let id = &case.record.id;
        directory.make_case(id)?;
        write_whole(&directory.case_record(id), &json(&case.record))?;
        write_whole(&directory.verdict(id), &verdict_json(&case.verdict))?;
    }
    write_reports(directory, merged)
}

fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("these records have text keys only and no number that JSON lacks");
    text.push('\n');
    text
}
