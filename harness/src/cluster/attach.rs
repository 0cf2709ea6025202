//! Finding clusters that live.

use std::collections::BTreeMap;

use super::{Cluster, ClusterError, ClusterSummary, LOAD_BALANCER, Node, Subnet, Topology};
use crate::docker::{Container, Engine, Found, Owned, Role};

impl Cluster {
    /// Finds a living cluster by its name.
    ///
    /// # Errors
    /// [`ClusterError::NoCluster`] when there is none; [`ClusterError::Incomplete`] when it is not
    /// whole: still coming up, or half removed.
    pub async fn attach(engine: &Engine, name: &str) -> Result<Self, ClusterError> {
        let found = engine.find(Some(name)).await;
        let found = found.map_err(ClusterError::engine(name, "look for it"))?;
        if found.is_empty() {
            return Err(ClusterError::NoCluster(name.to_owned()));
        }
        let subnet = subnet_of(engine, name, &found).await?;
        let incomplete = |what: String| ClusterError::Incomplete {
            cluster: name.to_owned(),
            what,
        };
        let subnet = subnet.ok_or_else(|| incomplete("it has no network".to_owned()))?;
        let count = |role| u32::try_from(with_role(&found, role)).unwrap_or(u32::MAX);
        let topology = Topology::new(name, count(Role::ControlPlane), count(Role::Worker), subnet)
            .map_err(|error| incomplete(error.to_string()))?;
        let mut containers: BTreeMap<String, Owned<Container>> = found
            .containers
            .into_iter()
            .filter_map(|container| Some((container.labels().node.clone()?, container)))
            .collect();
        let mut take = |node: &str, role, address| {
            let container = containers
                .remove(node)
                .ok_or_else(|| incomplete(format!("node {node} is missing")))?;
            let (engine, name) = (engine.clone(), node.to_owned());
            Ok::<_, ClusterError>(Node {
                engine,
                container,
                name,
                role,
                address,
            })
        };
        let nodes = topology
            .nodes
            .iter()
            .map(|place| take(&place.name, place.role, place.address))
            .collect::<Result<_, _>>()?;
        let load_balancer = take(LOAD_BALANCER, Role::LoadBalancer, topology.load_balancer)?;
        Ok(Self {
            engine: engine.clone(),
            topology,
            nodes,
            load_balancer,
        })
    }

    /// All clusters of this engine, whoever made them, sorted by name.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn list(engine: &Engine) -> Result<Vec<ClusterSummary>, ClusterError> {
        let all = engine.find(None).await;
        let all = all.map_err(ClusterError::engine("(any)", "list clusters"))?;
        let mut summaries = Vec::new();
        for (name, found) in by_cluster(all)
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
        {
            let labels = found
                .networks
                .iter()
                .map(Owned::labels)
                .chain(found.containers.iter().map(Owned::labels))
                .chain(found.volumes.iter().map(Owned::labels))
                .find(|labels| labels.role != Some(Role::Probe));
            let Some(labels) = labels.cloned() else {
                continue;
            };
            summaries.push(ClusterSummary {
                subnet: subnet_of(engine, &name, &found).await?,
                labels,
                control_plane: with_role(&found, Role::ControlPlane),
                workers: with_role(&found, Role::Worker),
                kept: found
                    .volumes
                    .iter()
                    .any(|v| v.labels().role == Some(Role::Keep)),
                name,
            });
        }
        Ok(summaries)
    }
}

/// Splits what was found by cluster; what names no cluster goes under the empty name.
pub(crate) fn by_cluster(all: Found) -> BTreeMap<String, Found> {
    let mut clusters: BTreeMap<String, Found> = BTreeMap::new();
    let key = |cluster: &Option<String>| cluster.clone().unwrap_or_default();
    for container in all.containers {
        clusters
            .entry(key(&container.labels().cluster))
            .or_default()
            .containers
            .push(container);
    }
    for network in all.networks {
        clusters
            .entry(key(&network.labels().cluster))
            .or_default()
            .networks
            .push(network);
    }
    for volume in all.volumes {
        clusters
            .entry(key(&volume.labels().cluster))
            .or_default()
            .volumes
            .push(volume);
    }
    clusters
}

fn with_role(found: &Found, role: Role) -> usize {
    found
        .containers
        .iter()
        .filter(|container| container.labels().role == Some(role))
        .count()
}

async fn subnet_of(
    engine: &Engine,
    name: &str,
    found: &Found,
) -> Result<Option<Subnet>, ClusterError> {
    for network in &found.networks {
        match engine.network_facts(network).await {
            Ok(facts) => return Ok(Subnet::parse(&facts.subnet)),
            // It is being removed at this moment.
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(ClusterError::engine(name, "read its network")(error)),
        }
    }
    Ok(None)
}
