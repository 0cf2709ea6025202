//! `chrysalis schema`: the JSON Schema of scenario files.

use clap::Args;

use super::exit::Outcome;
use super::output::print;

/// Print the JSON Schema of scenario files, for editors and checks.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  chrysalis schema > scenario.schema.json

and as the first line of a scenario, for completion in editors:
  # yaml-language-server: $schema=scenario.schema.json")]
pub struct Arguments {}

/// Prints the schema.
pub async fn run(Arguments {}: Arguments) -> Outcome {
    print(&scenarios::schema())
}
