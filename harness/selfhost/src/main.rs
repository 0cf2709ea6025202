//! selfhost: the reference installer of a self-hosted Kubernetes control plane.

mod cluster_file;
mod render;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Bring up a Kubernetes cluster whose control plane runs on the cluster itself.
#[derive(Debug, Parser)]
#[command(name = "selfhost", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write everything a cluster is made of into a new directory.
    ///
    /// Example: selfhost render --cluster cluster.json --out rendered
    Render(Render),
}

#[derive(Debug, clap::Args)]
struct Render {
    /// The cluster's description (JSON).
    #[arg(long, value_name = "FILE")]
    cluster: PathBuf,
    /// The directory to write; it must be new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Build in a known mistake, to see that it is noticed (apiserver-node-selector=KEY).
    #[arg(long = "switch", value_name = "KEY=VALUE")]
    switches: Vec<String>,
}

/// Exit code for wrong arguments and invalid files.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing is left to say if even the terminal is gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    match arguments.verb {
        Verb::Render(render) => render.run(),
    }
}

impl Render {
    fn run(&self) -> ExitCode {
        let switches = match render::Switches::parse(self.switches.iter().map(String::as_str)) {
            Ok(switches) => switches,
            Err(error) => return fail(&error, USAGE),
        };
        let cluster = match cluster_file::ClusterFile::read(&self.cluster) {
            Ok(cluster) => cluster,
            Err(error) => return fail(&error, USAGE),
        };
        match render::render(&cluster, &self.out, &switches) {
            Ok(()) => {
                println!("rendered {} for {} nodes into {}", cluster.name, cluster.nodes.len(), self.out.display());
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, if error.is_usage() { USAGE } else { 1 }),
        }
    }
}

/// Prints an error with all its causes, once, and gives the exit code.
fn fail(error: &dyn Error, code: u8) -> ExitCode {
    eprintln!("selfhost: {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        eprintln!("  because: {source}");
        cause = source.source();
    }
    ExitCode::from(code)
}
