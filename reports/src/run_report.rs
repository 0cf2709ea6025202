//! A run with all its cases: what every report is made from.

use oracle::{CaseResult, Verdict};
use serde::{Deserialize, Serialize};

use crate::{CaseRecord, Counts, Repetition, exit_code, repetitions};

/// What a run was: `run.json`, written by the runner when it starts and again when it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of this record: 1.
    pub v: u32,
    /// The run's name.
    pub run: String,
    /// When it began, in milliseconds since 1970 in UTC.
    pub started_unix_ms: u64,
    /// How long it took, in milliseconds; 0 while it has not ended.
    #[serde(default)]
    pub took_ms: u64,
    /// The host in one line: kernel, engine, processors, memory.
    #[serde(default)]
    pub host: String,
    /// Whether it was interrupted before all its cases had ended.
    #[serde(default)]
    pub interrupted: bool,
}

/// A case with its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseReport {
    /// What the case was.
    pub record: CaseRecord,
    /// What became of it.
    pub verdict: Verdict,
    /// Where its evidence is, as a reader of the report can open it; empty when there is none.
    pub evidence: String,
}

/// A run with all its cases, in the order of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// What the run was.
    pub record: RunRecord,
    /// Its cases.
    pub cases: Vec<CaseReport>,
}

impl RunReport {
    /// How many cases ended how.
    pub fn counts(&self) -> Counts {
        Counts::of(self.cases.iter().map(|case| case.verdict.result))
    }

    /// The code that `run` and `judge` end with. Repetitions of a case that disagree are a failure.
    pub fn exit_code(&self) -> u8 {
        let mut results: Vec<CaseResult> =
            self.cases.iter().map(|case| case.verdict.result).collect();
        if repetitions(self).iter().any(Repetition::is_flaky) {
            results.push(CaseResult::Failed);
        }
        exit_code(&results, self.record.interrupted)
    }
}
