//! An earlier run, read back from its directory.

use std::collections::BTreeMap;
use std::path::Path;

use oracle::{CaseResult, Verdict};
use reports::{CaseRecord, CaseReport, RunRecord, RunReport, never_ran, timeline};

use super::judging::judge_events;
use super::planned_case::{PlanFile, PlannedCase};
use super::record_file::read_record;
use super::run_directory::{Result, RunDirectory, RunDirectoryError, read_json, write_whole};

/// An earlier run, read back from its directory.
#[derive(Debug)]
pub struct StoredRun {
    /// Where it lies.
    pub directory: RunDirectory,
    /// Its plan.
    pub plan: PlanFile,
    /// Its cases with their verdicts.
    pub report: RunReport,
    /// What a reader should know: what is missing or damaged, and what was done about it.
    pub notes: Vec<String>,
}

/// A verdict that was made again.
pub struct Rejudged {
    /// What was recorded; none when nothing readable was.
    pub recorded: Option<Verdict>,
    /// What comes out now.
    pub verdict: Verdict,
    /// What a reader should know of the record.
    pub notes: Vec<String>,
}

impl StoredRun {
    /// Reads a run back. A case without a verdict is judged from what it recorded; one that
    /// recorded nothing is inconclusive.
    ///
    /// # Errors
    /// When the plan, or a file that is there, cannot be read or understood.
    pub fn load(directory: RunDirectory) -> Result<Self> {
        let plan = directory.plan()?;
        let mut notes = Vec::new();
        let record = match read_json::<RunRecord>(&directory.file("run.json"))? {
            Some(record) => {
                if record.took_ms == 0 {
                    notes.push(
                        "the run did not end: its cases are reported as far as they got".to_owned(),
                    );
                }
                record
            }
            None => {
                notes.push(
                    "there is no run.json: when and where the run was is not known".to_owned(),
                );
                nameless(&directory)
            }
        };
        let mut cases = Vec::new();
        for planned in &plan.cases {
            cases.push(load_case(&directory, &plan, planned, &mut notes)?);
        }
        let report = RunReport { record, cases };
        Ok(Self {
            directory,
            plan,
            report,
            notes,
        })
    }

    /// Judges a case again, from what it recorded.
    ///
    /// # Errors
    /// When its recorded verdict is there and cannot be read from the disk.
    pub fn rejudge(&self, record: &CaseRecord) -> Result<Rejudged> {
        let id = &record.id;
        let events = self.directory.events(id);
        let mut notes = Vec::new();
        let recorded = match read_json(&self.directory.verdict(id)) {
            Ok(recorded) => recorded,
            Err(error @ RunDirectoryError::Damaged { .. }) => {
                notes.push(error.to_string());
                None
            }
            Err(error) => return Err(error),
        };
        let verdict = if events.exists() {
            judge_now(&events, record, &mut notes)
        } else {
            never_ran(record.clone(), "it recorded nothing").verdict
        };
        Ok(Rejudged {
            recorded,
            verdict,
            notes,
        })
    }

    /// The timeline of a case, from what it recorded.
    ///
    /// # Errors
    /// When there is no such case, with those that there are; or why its record cannot be read.
    pub fn timeline(&self, id: &str) -> std::result::Result<String, String> {
        let ids = || self.report.cases.iter().map(|case| case.record.id.as_str());
        if !ids().any(|known| known == id) {
            let cases: Vec<&str> = ids().collect();
            return Err(format!(
                "the run {} has no case `{id}`; it has: {}",
                self.directory.root().display(),
                cases.join(", ")
            ));
        }
        read_record(&self.directory.events(id)).map(|record| timeline(&record.observations))
    }

    /// Writes `junit.xml` and `summary.md`, the latter with the timelines of cases that went wrong.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write_reports(&self) -> Result<()> {
        write_reports(&self.directory, &self.report)
    }
}

/// Writes a run's `junit.xml` and `summary.md`, the latter with the timelines of cases that went
/// wrong, as far as their records can be read.
///
/// # Errors
/// When the file system refuses.
pub fn write_reports(directory: &RunDirectory, report: &RunReport) -> Result<()> {
    let went_wrong = |case: &&CaseReport| {
        matches!(
            case.verdict.result,
            CaseResult::Failed | CaseResult::Inconclusive
        )
    };
    let timelines: BTreeMap<String, String> = report
        .cases
        .iter()
        .filter(went_wrong)
        .filter_map(|case| {
            let id = &case.record.id;
            let record = read_record(&directory.events(id)).ok()?;
            Some((id.clone(), timeline(&record.observations)))
        })
        .collect();
    write_whole(&directory.file("junit.xml"), &reports::junit(report))?;
    let page = reports::summary_with_timelines(report, &timelines);
    write_whole(&directory.file("summary.md"), &page)
}

/// What can be said of a run that left no record of itself.
fn nameless(directory: &RunDirectory) -> RunRecord {
    let root = directory
        .root()
        .canonicalize()
        .unwrap_or_else(|_| directory.root().to_owned());
    let name = root
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    RunRecord {
        v: 1,
        run: name.unwrap_or_else(|| "run".to_owned()),
        started_unix_ms: 0,
        took_ms: 0,
        host: String::new(),
        interrupted: false,
    }
}

fn load_case(
    directory: &RunDirectory,
    plan: &PlanFile,
    planned: &PlannedCase,
    notes: &mut Vec<String>,
) -> Result<CaseReport> {
    let id = &planned.id;
    let record = tolerated(read_json::<CaseRecord>(&directory.case_record(id)), notes)?
        .unwrap_or_else(|| planned.record(plan.seed));
    let has_events = directory.events(id).exists();
    let verdict = match tolerated(read_json::<Verdict>(&directory.verdict(id)), notes)? {
        Some(verdict) => verdict,
        None if has_events => {
            notes.push(format!(
                "{id} has no verdict: it is judged now, from what it recorded"
            ));
            judge_now(&directory.events(id), &record, notes)
        }
        None => {
            return Ok(never_ran(
                record,
                "it recorded nothing: the run ended before it began",
            ));
        }
    };
    let evidence = if directory.case(id).exists() {
        directory.case(id).display().to_string()
    } else {
        String::new()
    };
    Ok(CaseReport {
        record,
        verdict,
        evidence,
    })
}

/// A verdict from what a case recorded, as far as that can be read.
fn judge_now(events: &Path, record: &CaseRecord, notes: &mut Vec<String>) -> Verdict {
    match read_record(events) {
        Ok(read) => {
            notes.extend(read.notes);
            oracle::judge(&read.observations, &record.expect)
        }
        Err(_) => judge_events(events, &record.id, &record.expect),
    }
}

/// A damaged file is noted and counts as missing; anything else that fails is an error.
fn tolerated<T>(read: Result<Option<T>>, notes: &mut Vec<String>) -> Result<Option<T>> {
    match read {
        Err(error @ RunDirectoryError::Damaged { .. }) => {
            notes.push(error.to_string());
            Ok(None)
        }
        other => other,
    }
}
