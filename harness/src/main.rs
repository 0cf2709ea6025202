//! The `chrysalis` command.

use std::process::ExitCode;

use chrysalis::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::read() {
        Ok(command) => command.run().await,
        Err(exit) => exit,
    }
}
