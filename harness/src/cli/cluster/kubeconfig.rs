//! `chrysalis cluster kubeconfig`.

use clap::Args;

use super::{engine, failure};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cluster::{Cluster, ClusterError, StateDirectory};

/// Arguments of `chrysalis cluster kubeconfig`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The cluster.
    name: String,
}

pub(super) async fn run(arguments: &Arguments) -> Outcome {
    let name = &arguments.name;
    Cluster::attach(&engine().await?, name)
        .await
        .map_err(failure)?;
    let path = StateDirectory::of(name).kubeconfig();
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            print!("{text}");
            Ok(Exit::Success)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failure::new(
            Exit::Failed,
            format!(
                "cluster {name} has no kubeconfig on this host: it was made with --bare, or by another user"
            ),
        )),
        Err(source) => {
            let path = path.display().to_string();
            Err(failure(ClusterError::File {
                doing: "read",
                path,
                source,
            }))
        }
    }
}
