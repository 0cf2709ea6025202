//! `chrysalis judge`: judge an earlier run again, from what it recorded.

use std::path::PathBuf;

use clap::Args;
use oracle::Verdict;
use reports::{RunReport, closing, result_word, verdict_json};

use super::exit::{Exit, Failure, Outcome};
use crate::console::lines::say;
use crate::evidence::run_directory::{RunDirectory, RunDirectoryError, write_whole};
use crate::evidence::stored_run::{Rejudged, StoredRun};

/// Judges every case of an earlier run again, from its recorded observations, and says whether the
/// verdict is the one that was recorded. Ends with the code that `run` would end with.
///
/// Example: chrysalis judge runs/latest
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The run's directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Replace the recorded verdicts, and write junit.xml and summary.md anew. Without it, nothing
    /// is written.
    #[arg(long)]
    write: bool,
}

/// Does what the arguments ask for.
///
/// # Errors
/// When the directory is no run's, or cannot be read or written.
pub async fn run(arguments: Arguments) -> Outcome {
    let usage = |error: RunDirectoryError| Failure::new(Exit::Usage, error);
    let mut stored = RunDirectory::open(&arguments.run)
        .and_then(StoredRun::load)
        .map_err(usage)?;
    let mut report = stored.report.clone();
    for case in &mut report.cases {
        let Rejudged {
            recorded,
            verdict,
            notes,
        } = stored.rejudge(&case.record).map_err(usage)?;
        let comparison = compared(recorded.as_ref(), &verdict);
        say!(
            "{} {}: {comparison}",
            result_word(verdict.result),
            case.record.id
        );
        for note in notes {
            say!("  note: {note}");
        }
        case.verdict = verdict;
    }
    say!("\n{}", closing(&report).trim_end());
    if arguments.write {
        let exit = exit_of(&report);
        write(&mut stored, report).map_err(|error| Failure::new(Exit::Unavailable, error))?;
        return Ok(exit);
    }
    Ok(exit_of(&report))
}

fn write(stored: &mut StoredRun, report: RunReport) -> Result<(), RunDirectoryError> {
    for case in &report.cases {
        let path = stored.directory.verdict(&case.record.id);
        if path.parent().is_some_and(std::path::Path::is_dir) {
            write_whole(&path, &verdict_json(&case.verdict))?;
        }
    }
    stored.report = report;
    stored.write_reports()?;
    say!(
        "wrote the verdicts, junit.xml and summary.md in {}",
        stored.directory.root().display()
    );
    Ok(())
}

/// How a verdict compares with the recorded one, in words.
fn compared(recorded: Option<&Verdict>, now: &Verdict) -> String {
    let Some(recorded) = recorded else {
        return "no verdict was recorded".to_owned();
    };
    if recorded == now {
        return "identical to the recorded verdict".to_owned();
    }
    let mut differences = Vec::new();
    if recorded.result != now.result {
        differences.push(format!("the result was {}", result_word(recorded.result)));
    }
    for judged in &now.invariants {
        let before = recorded
            .invariants
            .iter()
            .find(|before| before.slug == judged.slug);
        match before {
            None => differences.push(format!("{} was not judged then", judged.slug)),
            Some(before) if before.revision != judged.revision => {
                let (was, is) = (before.revision, judged.revision);
                differences.push(format!("{} was revision {was}, is {is}", judged.slug));
            }
            Some(before) if before.judgement != judged.judgement => {
                differences.push(format!("{} was judged otherwise", judged.slug));
            }
            Some(_) => {}
        }
    }
    if recorded.observations != now.observations {
        let (was, is) = (recorded.observations, now.observations);
        differences.push(format!("{was} observations were judged, now {is}"));
    }
    if differences.is_empty() {
        differences.push("reason, end, expectation or figures".to_owned());
    }
    format!(
        "differs from the recorded verdict: {}",
        differences.join("; ")
    )
}

/// The code of a run with this report.
pub(super) fn exit_of(report: &RunReport) -> Exit {
    match report.exit_code() {
        0 => Exit::Success,
        1 => Exit::Failed,
        130 => Exit::Interrupted,
        _ => Exit::Inconclusive,
    }
}
