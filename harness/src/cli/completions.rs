//! `chrysalis completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::exit::Outcome;
use super::output::print;

/// Print a shell's completions.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  chrysalis completions bash > /etc/bash_completion.d/chrysalis
  chrysalis completions zsh > ~/.zfunc/_chrysalis")]
pub struct Arguments {
    /// Which shell.
    shell: Shell,
}

/// Prints the completions.
///
/// # Errors
/// When standard output cannot be written.
pub async fn run(arguments: Arguments) -> Outcome {
    let mut text = Vec::new();
    generate(
        arguments.shell,
        &mut super::Cli::command(),
        "chrysalis",
        &mut text,
    );
    print(&String::from_utf8_lossy(&text))
}
