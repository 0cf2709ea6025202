//! `chrysalis report`: the reports of an earlier run, from its verdicts.

use std::path::PathBuf;

use clap::Args;
use reports::closing;

use super::exit::{Exit, Failure, Outcome};
use crate::console::lines::say;
use crate::evidence::run_directory::RunDirectory;
use crate::evidence::stored_run::StoredRun;

/// Writes junit.xml and summary.md of an earlier run anew, from its verdicts, and prints the
/// summary; or prints the timeline of a case. Ends with 0 when that could be done, whatever the
/// verdicts are.
///
/// Example: chrysalis report runs/latest --timeline bootstrap-and-pivot/selfhost-modern@1.34
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The run's directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Print the timeline of this case, and write nothing.
    #[arg(long, value_name = "CASE")]
    timeline: Option<String>,
}

/// Does what the arguments ask for.
///
/// # Errors
/// When the directory is no run's, has no such case, or cannot be read or written.
pub async fn run(arguments: Arguments) -> Outcome {
    let stored = RunDirectory::open(&arguments.run)
        .and_then(StoredRun::load)
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    if let Some(case) = arguments.timeline {
        let timeline = stored
            .timeline(&case)
            .map_err(|error| Failure::new(Exit::Usage, error))?;
        print!("{timeline}");
        return Ok(Exit::Success);
    }
    for note in &stored.notes {
        say!("note: {note}");
    }
    stored
        .write_reports()
        .map_err(|error| Failure::new(Exit::Unavailable, error))?;
    print!("{}", closing(&stored.report));
    let root = stored.directory.root();
    say!(
        "wrote {} and {}",
        root.join("summary.md").display(),
        root.join("junit.xml").display()
    );
    Ok(Exit::Success)
}
