//! The command line: one module a verb, each with its arguments, its help and what it does.

pub mod backend;
pub mod cluster;
pub mod completions;
pub mod conform;
pub mod doctor;
pub mod exit;
pub mod explain;
pub mod explore;
pub mod image;
pub mod interrupt;
pub mod judge;
pub mod merge;
pub mod output;
pub mod plan;
pub mod played;
pub mod policy;
pub mod reap;
pub mod replay;
pub mod report;
pub mod run;
pub mod saved;
pub mod schema;
pub mod selection;
pub mod shrink;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::exit::Exit;

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
    /// Search a policy in the simulator for what is wrong with it.
    Explore(explore::Arguments),
    /// Make a failing scenario small.
    Shrink(shrink::Arguments),
    /// Run a counterexample and say whether it happens again.
    Replay(replay::Arguments),
    /// Check scenario files and print the cases that they come to.
    Plan(plan::Arguments),
    /// Judge an earlier run again, from what it recorded.
    Judge(judge::Arguments),
    /// Compare an earlier run with the simulator's coarse world.
    Conform(conform::Arguments),
    /// Write the reports of an earlier run anew, or print a case's timeline.
    Report(report::Arguments),
    /// Join several runs, such as the shards of one plan, into one report.
    Merge(merge::Arguments),
    /// Explain an invariant or a field failure.
    Explain(explain::Arguments),
    /// Print the JSON Schema of scenario files.
    Schema(schema::Arguments),
    /// Print a shell's completions.
    Completions(completions::Arguments),
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
    /// Reads the process's arguments. Help and version end well; anything wrong is a usage error,
    /// for clap's own code for it is taken by "inconclusive".
    pub fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|said| {
            let _ = said.print();
            ExitCode::from(if said.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            } as u8)
        })
    }

    /// Does what the arguments ask for.
    pub async fn run(self) -> ExitCode {
        let result = match self.verb {
            Verb::Run(arguments) => run::run(arguments).await,
            Verb::Explore(arguments) => explore::run(arguments).await,
            Verb::Shrink(arguments) => shrink::run(arguments).await,
            Verb::Replay(arguments) => replay::run(arguments).await,
            Verb::Plan(arguments) => plan::run(arguments).await,
            Verb::Judge(arguments) => judge::run(arguments).await,
            Verb::Conform(arguments) => conform::run(arguments).await,
            Verb::Report(arguments) => report::run(arguments).await,
            Verb::Merge(arguments) => merge::run(arguments).await,
            Verb::Explain(arguments) => explain::run(arguments).await,
            Verb::Schema(arguments) => schema::run(arguments).await,
            Verb::Completions(arguments) => completions::run(arguments).await,
            Verb::Cluster(arguments) => cluster::run(arguments).await,
            Verb::Image(arguments) => image::run(arguments).await,
            Verb::Doctor(arguments) => doctor::run(arguments).await,
            Verb::Reap(arguments) => reap::run(arguments).await,
        };
        exit::report(result)
    }
}
