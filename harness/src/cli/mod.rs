//! The command line: one module a verb, each with its arguments, its help and what it does.

pub mod cluster;
pub mod doctor;
pub mod exit;
pub mod image;
pub mod interrupt;
pub mod reap;
pub mod run;

use clap::{Parser, Subcommand};

/// Proves that a self-hosted Kubernetes control plane comes up, hands over to itself, and survives.
#[derive(Debug, Parser)]
#[command(name = "chrysalis", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run scenarios on real clusters and judge them.
    Run(run::Arguments),
    /// Make, list, look into and remove clusters.
    Cluster(cluster::Arguments),
    /// Build and list node images.
    Image(image::Arguments),
    /// Say what this host can and cannot do, and the way out of each problem.
    Doctor(doctor::Arguments),
    /// Remove what runs that are gone left behind.
    Reap(reap::Arguments),
}

impl Cli {
    /// Does what the arguments ask for.
    pub async fn run(self) -> std::process::ExitCode {
        let result = match self.verb {
            Verb::Run(arguments) => run::run(arguments).await,
            Verb::Cluster(arguments) => cluster::run(arguments).await,
            Verb::Image(arguments) => image::run(arguments).await,
            Verb::Doctor(arguments) => doctor::run(arguments).await,
            Verb::Reap(arguments) => reap::run(arguments).await,
        };
        exit::report(result)
    }
}
