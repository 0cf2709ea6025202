//! A run: all cases of a plan, some at once, and the reports on them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use reports::{CaseReport, RunRecord, RunReport};
use scenarios::{Case, Plan};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::case::{Backend, CaseContext, run_case};
use super::lock::Lock;
use crate::console::Console;
use crate::evidence::run_directory::{RunDirectory, RunDirectoryError, write_whole};

/// What the person at the command line decides.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The run's name, in its directory's name.
    pub name: String,
    /// The directory itself, instead of a new one under `runs/`.
    pub out: Option<PathBuf>,
    /// How many cases at once.
    pub jobs: usize,
    /// The seed that cases' seeds came from.
    pub seed: u64,
    /// Whether the cluster of a case that did not pass is left standing.
    pub keep_on_failure: bool,
}

/// Why a run could not be made or reported.
#[derive(Debug, Error)]
pub enum RunError {
    /// Its directory is not usable.
    #[error(transparent)]
    Directory(#[from] RunDirectoryError),
    /// Something could not be written down.
    #[error("cannot write {what} down: {reason}")]
    Record {
        /// What.
        what: &'static str,
        /// Why not.
        reason: String,
    },
}

/// A run that has its directory.
pub struct Run {
    context: CaseContext,
    options: RunOptions,
    record: RunRecord,
}

impl Run {
    /// Makes the run's directory and writes down what will be run on what.
    ///
    /// # Errors
    /// When the directory cannot be made or written.
    pub async fn open(
        backend: Backend,
        plan: &Plan,
        options: RunOptions,
        console: Arc<Console>,
        cancel: CancellationToken,
    ) -> Result<Self, RunError> {
        let directory = match &options.out {
            Some(out) => RunDirectory::create_at(out)?,
            None => RunDirectory::create("runs".as_ref(), jiff::Timestamp::now(), &options.name)?,
        };
        let lock = Lock::read(&backend, options.seed).await;
        write_json(&directory, "plan.json", plan)?;
        write_json(&directory, "lock.json", &lock)?;
        let started = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let record = RunRecord {
            v: 1,
            run: options.name.clone(),
            started_unix_ms: u64::try_from(started.as_millis()).unwrap_or(u64::MAX),
            took_ms: 0,
            host: lock.host(),
            interrupted: false,
        };
        write_json(&directory, "run.json", &record)?;
        // Two runs side by side differ by process, two runs of one process by time.
        let name = format!(
            "{:x}-{:x}",
            std::process::id(),
            started.as_millis() & 0xff_ffff
        );
        if let Backend::Simulator = backend {
            // What a simulated run can say and what it cannot stands beside it.
            write_whole(
                &directory.file("simulator.md"),
                &simulator::timed::model_page(),
            )?;
        }
        let context = CaseContext {
            backend,
            seed: options.seed,
            run: name,
            directory: Arc::new(directory),
            console,
            cancel,
            keep_on_failure: options.keep_on_failure,
        };
        Ok(Self {
            context,
            options,
            record,
        })
    }

    /// Where the run is written.
    pub fn directory(&self) -> &RunDirectory {
        &self.context.directory
    }

    /// Runs all cases, and writes the reports. Cases that an interruption left out are reported as
    /// inconclusive, never left out silently.
    ///
    /// # Errors
    /// When the reports cannot be written.
    pub async fn execute(mut self, cases: &[Case]) -> Result<RunReport, RunError> {
        let begun = Instant::now();
        let context = &self.context;
        let mut reports: Vec<(usize, CaseReport)> = futures::stream::iter(cases.iter().enumerate())
            .map(|(number, case)| async move { (number, one(context, case, number).await) })
            .buffer_unordered(self.options.jobs.max(1))
            .collect()
            .await;
        reports.sort_by_key(|(number, _)| *number);
        self.record.took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.record.interrupted = self.context.cancel.is_cancelled();
        let report = RunReport {
            record: self.record.clone(),
            cases: reports.into_iter().map(|(_, report)| report).collect(),
        };
        let directory = &self.context.directory;
        write_json(directory, "run.json", &report.record)?;
        write_whole(&directory.file("junit.xml"), &reports::junit(&report))?;
        write_whole(
            &directory.file("summary.md"),
            &reports::summary_markdown(&report),
        )?;
        Ok(report)
    }
}

async fn one(context: &CaseContext, case: &Case, number: usize) -> CaseReport {
    let reason = if context.cancel.is_cancelled() {
        "interrupted before it began".to_owned()
    } else {
        match run_case(context, case, number).await {
            Ok(report) => return report,
            Err(reason) => reason,
        }
    };
    reports::never_ran(crate::evidence::planned_case::record_of(case), &reason)
}

fn write_json(
    directory: &RunDirectory,
    file: &'static str,
    value: &impl serde::Serialize,
) -> Result<(), RunError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| RunError::Record {
        what: file,
        reason: error.to_string(),
    })?;
    Ok(write_whole(&directory.file(file), &text)?)
}
