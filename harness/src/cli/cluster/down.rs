//! `chrysalis cluster down`.

use clap::Args;

use super::{CASE, engine, failure};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cluster::{Cluster, ClusterError, ClusterSummary, StateDirectory};
use crate::console::lines::say;
use crate::docker::{Engine, Liveness};

/// Arguments of `chrysalis cluster down`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The cluster.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// Every cluster that `cluster up` made or `run` kept.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let engine = engine().await?;
    let clusters = Cluster::list(&engine).await.map_err(failure)?;
    let Some(name) = arguments.name else {
        for cluster in clusters.iter().filter(|cluster| removable(cluster)) {
            remove(&engine, &cluster.name).await?;
        }
        return Ok(Exit::Success);
    };
    let Some(cluster) = clusters.into_iter().find(|cluster| cluster.name == name) else {
        return Err(failure(ClusterError::NoCluster(name)));
    };
    if !removable(&cluster) {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "cluster {name} belongs to run {}, which is still going and will remove it",
                cluster.labels.run
            ),
        ));
    }
    remove(&engine, &name).await?;
    Ok(Exit::Success)
}

/// A cluster that a living run works with is not for this verb.
fn removable(cluster: &ClusterSummary) -> bool {
    let owner = cluster.labels.owner.as_ref().map(|owner| owner.liveness());
    let made_by_hand = cluster.labels.case.as_deref() == Some(CASE);
    cluster.kept || made_by_hand || owner == Some(Liveness::Gone)
}

async fn remove(engine: &Engine, name: &str) -> Result<(), Failure> {
    let removal = Cluster::remove(engine, name).await.map_err(failure)?;
    StateDirectory::of(name).remove().map_err(failure)?;
    say!(
        "cluster {name} is removed ({} things)",
        removal.removed.len()
    );
    Ok(())
}
