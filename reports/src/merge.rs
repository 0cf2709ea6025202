//! Several runs, such as the shards of one plan, as one.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::Cause;
use oracle::{CaseResult, Verdict};

use crate::{CaseRecord, CaseReport, RunRecord, RunReport};

/// Why runs cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is nothing to merge.
    #[error("there is no run to merge: name at least one run directory")]
    Nothing,
    /// Two runs have the same case.
    #[error(
        "the case `{case}` is in {first} and in {second}: merge the shards of one plan, each once"
    )]
    Twice {
        /// The case.
        case: String,
        /// The run that has it.
        first: String,
        /// The run that has it, too.
        second: String,
    },
}

/// One report of several runs: their cases in the order of `planned`, then those that no plan
/// names. A planned case that no run has is inconclusive, for nobody knows what became of it.
///
/// It began when the first run began and took as long as until the last one ended; it is
/// interrupted when one of them was.
///
/// # Errors
/// When there is no run, or two of them have the same case.
pub fn merge(runs: Vec<RunReport>, planned: &[CaseRecord]) -> Result<RunReport, MergeError> {
    let record = merged_record(&runs).ok_or(MergeError::Nothing)?;
    let mut origins: BTreeMap<String, String> = BTreeMap::new();
    let mut order = Vec::new();
    let mut cases: BTreeMap<String, CaseReport> = BTreeMap::new();
    for run in runs {
        for case in run.cases {
            let id = case.record.id.clone();
            if let Some(first) = origins.insert(id.clone(), run.record.run.clone()) {
                return Err(MergeError::Twice {
                    case: id,
                    first,
                    second: run.record.run,
                });
            }
            order.push(id.clone());
            cases.insert(id, case);
        }
    }
    let mut merged = Vec::new();
    let mut seen = BTreeSet::new();
    for record in planned
        .iter()
        .filter(|record| seen.insert(record.id.as_str()))
    {
        merged.push(cases.remove(&record.id).unwrap_or_else(|| {
            never_ran(
                record.clone(),
                "it was planned, and no run that was merged has it",
            )
        }));
    }
    merged.extend(order.iter().filter_map(|id| cases.remove(id)));
    Ok(RunReport {
        record,
        cases: merged,
    })
}

/// What becomes of a planned case of which nothing is known, with the reason.
pub fn never_ran(record: CaseRecord, reason: &str) -> CaseReport {
    let verdict = Verdict {
        v: 1,
        case: record.id.clone(),
        result: CaseResult::Inconclusive,
        cause: Some(Cause::Harness),
        reason: format!("nothing is known of this case: {reason}"),
        expected: record.expect.clone(),
        end: "unknown".to_owned(),
        invariants: Vec::new(),
        figures: BTreeMap::new(),
        fidelity: Default::default(),
        observations: 0,
    };
    CaseReport {
        record,
        verdict,
        evidence: String::new(),
    }
}

fn merged_record(runs: &[RunReport]) -> Option<RunRecord> {
    let records = || runs.iter().map(|run| &run.record);
    let started_unix_ms = records().map(|record| record.started_unix_ms).min()?;
    let ended = records()
        .map(|run| run.started_unix_ms.saturating_add(run.took_ms))
        .max()?;
    let names: Vec<&str> = records().map(|record| record.run.as_str()).collect();
    let hosts: BTreeSet<&str> = records()
        .map(|record| record.host.as_str())
        .filter(|host| !host.is_empty())
        .collect();
    Some(RunRecord {
        v: 1,
        run: names.join(" + "),
        started_unix_ms,
        took_ms: ended - started_unix_ms,
        host: hosts.into_iter().collect::<Vec<_>>().join("; "),
        interrupted: records().any(|record| record.interrupted),
    })
}
