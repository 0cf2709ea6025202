//! Taking a free subnet for a cluster.

use super::host_network::HostNetwork;
use super::{ClusterError, Subnet};
use crate::docker::{Engine, Network, NetworkSpec, Owned, Role, RunLabels};

/// A cluster's network, just made.
pub(crate) struct Taken {
    pub(crate) subnet: Subnet,
    pub(crate) network: Owned<Network>,
    pub(crate) warnings: Vec<String>,
}

/// Makes the cluster's network in the first free subnet. The engine refuses overlapping subnets, so
/// of two runs that try the same one at the same time, one takes the next.
pub(crate) async fn take(
    engine: &Engine,
    cluster: &str,
    labels: &RunLabels,
) -> Result<Taken, ClusterError> {
    let host = HostNetwork::lock().await?;
    let failed = |doing| ClusterError::engine(cluster, doing);
    let used = engine
        .subnets_in_use()
        .await
        .map_err(failed("look for a free subnet"))?;
    let free = Subnet::all().filter(|subnet| !used.contains(&subnet.to_string()));
    for subnet in free {
        let spec = NetworkSpec {
            name: cluster.to_owned(),
            subnet: subnet.to_string(),
            gateway: subnet.gateway(),
            bridge: subnet.bridge(),
            labels: labels.of(cluster, None, Role::Network),
        };
        match engine.create_network(spec).await {
            Ok(network) => {
                let warnings = host.admit(subnet).await;
                return Ok(Taken {
                    subnet,
                    network,
                    warnings,
                });
            }
            // Somebody was faster, or a foreign network covers a part of the pool.
            Err(error) if error.says("overlap") || error.says("conflicts with network") => {}
            Err(error) => return Err(failed("make its network")(error)),
        }
    }
    Err(ClusterError::PoolExhausted)
}

/// The subnets of our networks that still live.
pub(crate) async fn living(engine: &Engine, cluster: &str) -> Result<Vec<Subnet>, ClusterError> {
    let failed = || ClusterError::engine(cluster, "look for other clusters' networks");
    let mut subnets = Vec::new();
    for network in engine.networks(None).await.map_err(failed())? {
        match engine.network_facts(&network).await {
            Ok(facts) => subnets.extend(Subnet::parse(&facts.subnet)),
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(failed()(error)),
        }
    }
    Ok(subnets)
}
