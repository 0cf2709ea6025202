//! `chrysalis doctor`: what this host can and cannot do.

use clap::Args;

use super::exit::{Exit, Failure, Outcome};
use crate::console::lines::say;
use crate::doctor;

/// Examines this host and says what to do about each problem. Ends with 0 when clusters can be made
/// here, with 69 when they cannot.
///
/// Example: chrysalis doctor --json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The node image to try, instead of the one that the recipe names.
    #[arg(long, value_name = "IMAGE", env = "CHRYSALIS_IMAGE")]
    image: Option<String>,
}

/// Does what the arguments ask for.
///
/// # Errors
/// When the answer cannot be written.
pub async fn run(arguments: Arguments) -> Outcome {
    let image = arguments
        .image
        .unwrap_or_else(|| super::cluster::node_image("1.34"));
    let facts = doctor::gather(&image).await;
    let checks = doctor::examine(&facts);
    if arguments.json {
        let text = serde_json::to_string_pretty(&checks);
        say!(
            "{}",
            text.map_err(|error| Failure::new(Exit::Failed, error))?
        );
    } else {
        for check in &checks {
            say!("{check}");
        }
    }
    if doctor::usable(&checks) {
        Ok(Exit::Success)
    } else {
        Ok(Exit::Unavailable)
    }
}
