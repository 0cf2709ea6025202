//! `chrysalis cluster`: make, list, look into and remove clusters by hand.

mod bootstrap;
mod down;
mod exec;
mod kubeconfig;
mod list;
mod time_to_live;
mod up;

use clap::{Args, Subcommand};

use super::exit::{Exit, Failure, Outcome};
use crate::cluster::ClusterError;
use crate::docker::Engine;
use crate::image::Recipe;

/// The case that the objects of clusters made by hand belong to.
const CASE: &str = "cluster";

/// Arguments of `chrysalis cluster`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Bring a cluster up and leave it running.
    ///
    /// Example: chrysalis cluster up --name demo --control-planes 3 --workers 1
    #[command(verbatim_doc_comment)]
    Up(up::Arguments),
    /// Show the clusters that there are.
    ///
    /// Example: chrysalis cluster list --json
    #[command(verbatim_doc_comment)]
    List(list::Arguments),
    /// Run a command on a node; the exit code is the command's.
    ///
    /// Example: chrysalis cluster exec cp-1 -- systemctl status kubelet
    #[command(verbatim_doc_comment)]
    Exec(exec::Arguments),
    /// Print a cluster's administrator kubeconfig.
    ///
    /// Example: chrysalis cluster kubeconfig demo > demo.kubeconfig
    #[command(verbatim_doc_comment)]
    Kubeconfig(kubeconfig::Arguments),
    /// Remove a cluster that `cluster up` made or `run` kept.
    ///
    /// Example: chrysalis cluster down demo
    #[command(verbatim_doc_comment)]
    Down(down::Arguments),
}

/// Does what the arguments ask for.
///
/// # Errors
/// As the verb says.
pub async fn run(arguments: Arguments) -> Outcome {
    match arguments.verb {
        Verb::Up(arguments) => up::run(arguments).await,
        Verb::List(arguments) => list::run(arguments).await,
        Verb::Exec(arguments) => exec::run(arguments).await,
        Verb::Kubeconfig(arguments) => kubeconfig::run(&arguments).await,
        Verb::Down(arguments) => down::run(arguments).await,
    }
}

async fn engine() -> Result<Engine, Failure> {
    Engine::connect()
        .await
        .map_err(|error| Failure::new(Exit::Unavailable, error))
}

/// The image that the recipe names; without a recipe (the command was installed somewhere else) the
/// one that was built last.
pub(super) fn node_image(kubernetes: &str) -> String {
    Recipe::find()
        .and_then(|recipe| recipe.reference(kubernetes))
        .unwrap_or_else(|_| "chrysalis/node:latest".to_owned())
}

/// The code that a command ends with when a cluster cannot be made or found.
fn failure(error: ClusterError) -> Failure {
    let exit = match &error {
        error if error.is_cancelled() => Exit::Interrupted,
        ClusterError::Exists(_) | ClusterError::NoCluster(_) | ClusterError::NoNode { .. } => {
            Exit::Usage
        }
        ClusterError::ImageMissing(_)
        | ClusterError::NoProfile { .. }
        | ClusterError::PoolExhausted
        | ClusterError::PoolLocked { .. } => Exit::Unavailable,
        _ => Exit::Failed,
    };
    Failure::new(exit, error)
}
