//! The `chrysalis` command.

use clap::Parser;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    chrysalis::cli::Cli::parse().run().await
}
