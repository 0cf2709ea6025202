//! `chrysalis reap`: remove what runs that are gone left behind.

use clap::Args;

use super::exit::{Exit, Failure, Outcome};
use crate::cluster;
use crate::console::lines::say;
use crate::docker::Engine;

/// Removes containers, networks, volumes and routes whose run is gone or whose time is over; never
/// what a living run owns, and never anything that chrysalis did not make.
///
/// Example: chrysalis reap --dry-run
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
}

/// Does what the arguments ask for.
///
/// # Errors
/// When the engine does not answer, or something that should go cannot be removed.
pub async fn run(arguments: Arguments) -> Outcome {
    let engine = Engine::connect()
        .await
        .map_err(|error| Failure::new(Exit::Unavailable, error))?;
    let report = cluster::reap(&engine, arguments.dry_run)
        .await
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    let verb = if arguments.dry_run {
        "would remove"
    } else {
        "removed"
    };
    for line in &report.removed {
        say!("{verb} {line}");
    }
    for line in &report.spared {
        say!("left alone {line}");
    }
    if report.removed.is_empty() && report.failed.is_empty() {
        say!("nothing to remove");
    }
    if report.failed.is_empty() {
        return Ok(Exit::Success);
    }
    Err(Failure::new(Exit::Failed, report.failed.join("; ")))
}
