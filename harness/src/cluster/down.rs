//! Taking a cluster down.

use futures::future::join_all;

use super::host_network::HostNetwork;
use super::{Cluster, ClusterError, pool};
use crate::docker::{Engine, EngineError, Found};

/// How often things are looked for and removed before it is given up. A second round is needed
/// when a bring-up was cut off while the engine was still making something.
const ROUNDS: u32 = 4;

/// What was removed, each as `kind name`, in the order of removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Such as `container demo-cp-1`.
    pub removed: Vec<String>,
}

impl Cluster {
    /// Kills and removes the nodes, then volumes and network, and, if it was the last cluster,
    /// what the host's network was given for it.
    ///
    /// # Errors
    /// When the engine fails or something is still there afterwards; `chrysalis reap` tries again.
    pub async fn down(self) -> Result<Removal, ClusterError> {
        Self::remove(&self.engine, &self.topology.name).await
    }

    /// Removes whatever bears the label of this cluster, whole or not.
    ///
    /// # Errors
    /// As [`Cluster::down`].
    pub async fn remove(engine: &Engine, name: &str) -> Result<Removal, ClusterError> {
        let mut removal = Removal::default();
        let mut left = String::new();
        for _ in 0..ROUNDS {
            let found = engine.find(Some(name)).await;
            let found = found.map_err(ClusterError::engine(name, "look for what is left of it"))?;
            if found.is_empty() {
                removal.removed.extend(release_host(engine, name).await?);
                return Ok(removal);
            }
            left = describe(&found);
            let (removed, failure) = remove_found(engine, &found).await;
            removal.removed.extend(removed);
            if let Some(error) = failure {
                return Err(ClusterError::engine(name, "remove it")(error));
            }
        }
        Err(ClusterError::NotRemoved {
            cluster: name.to_owned(),
            left,
        })
    }
}

/// Removes containers, then volumes and networks. Everything is tried; the first failure is
/// returned beside what could be removed.
pub(crate) async fn remove_found(
    engine: &Engine,
    found: &Found,
) -> (Vec<String>, Option<EngineError>) {
    let Found {
        containers,
        networks,
        volumes,
    } = found;
    let (mut removed, mut failure) = (Vec::new(), None);
    let mut note = |what: String, outcome: Result<(), EngineError>| match outcome {
        Ok(()) => removed.push(what),
        Err(error) => failure = failure.take().or(Some(error)),
    };
    let outcomes = join_all(containers.iter().map(|one| engine.remove_container(one))).await;
    for (one, outcome) in containers.iter().zip(outcomes) {
        note(format!("container {}", one.name()), outcome);
    }
    let (volume_outcomes, network_outcomes) = tokio::join!(
        join_all(volumes.iter().map(|one| engine.remove_volume(one))),
        remove_networks(engine, networks)
    );
    for (one, outcome) in volumes.iter().zip(volume_outcomes) {
        note(format!("volume {}", one.name()), outcome);
    }
    for (one, outcome) in networks.iter().zip(network_outcomes) {
        note(format!("network {}", one.name()), outcome);
    }
    (removed, failure)
}

async fn remove_networks(
    engine: &Engine,
    networks: &[crate::docker::Owned<crate::docker::Network>],
) -> Vec<Result<(), EngineError>> {
    join_all(networks.iter().map(|one| engine.remove_network(one))).await
}

/// Takes back what the host's network was given for clusters that are no more.
pub(crate) async fn release_host(engine: &Engine, name: &str) -> Result<Vec<String>, ClusterError> {
    let host = HostNetwork::lock().await?;
    let living = pool::living(engine, name).await?;
    Ok(host.release(&living).await)
}

fn describe(found: &Found) -> String {
    let names = found
        .containers
        .iter()
        .map(|one| format!("container {}", one.name()));
    let names = names.chain(
        found
            .volumes
            .iter()
            .map(|one| format!("volume {}", one.name())),
    );
    let names = names.chain(
        found
            .networks
            .iter()
            .map(|one| format!("network {}", one.name())),
    );
    names.collect::<Vec<_>>().join(", ")
}
