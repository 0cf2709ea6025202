//! Networks: internal ones with a subnet of our choice.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};

use super::owned::lacks;
use super::verb::{QUICK, SLOW, verb};
use super::{Engine, EngineError, Labels, Network, Owned};

/// A network to be made. It is always internal: its members get no default route, so nothing that
/// is addressed to the world can leave through it.
#[derive(Clone, Debug)]
pub struct NetworkSpec {
    /// The network's name.
    pub name: String,
    /// The subnet, such as `10.231.7.0/24`.
    pub subnet: String,
    /// The host's own address in the subnet.
    pub gateway: Ipv4Addr,
    /// The name of the bridge interface on the host, at most 15 characters.
    pub bridge: String,
    /// The labels.
    pub labels: Labels,
}

/// What the engine says about a network of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedNetworkFacts {
    /// The subnet, such as `10.231.7.0/24`.
    pub subnet: String,
}

impl Engine {
    /// Makes an internal network.
    ///
    /// # Errors
    /// When the subnet overlaps another network's (see [`EngineError::says`]`("overlap")`), the name
    /// is taken, or the engine fails.
    pub async fn create_network(&self, spec: NetworkSpec) -> Result<Owned<Network>, EngineError> {
        let NetworkSpec {
            name,
            subnet,
            gateway,
            bridge,
            labels,
        } = spec;
        let config = IpamConfig {
            subnet: Some(subnet.clone()),
            gateway: Some(gateway.to_string()),
            ..Default::default()
        };
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".to_owned()),
            internal: Some(true),
            ipam: Some(Ipam {
                config: Some(vec![config]),
                ..Default::default()
            }),
            options: Some(HashMap::from([(
                "com.docker.network.bridge.name".to_owned(),
                bridge,
            )])),
            labels: Some(labels.to_map()),
            ..Default::default()
        };
        let doing = format!("create network {name} with subnet {subnet}");
        let answer = verb(doing, SLOW, self.api.create_network(request)).await?;
        Ok(Owned::new(answer.id, name, labels))
    }

    /// Removes a network. One that is gone already counts as removed.
    ///
    /// # Errors
    /// When containers are still attached, or the engine fails.
    pub async fn remove_network(&self, network: &Owned<Network>) -> Result<(), EngineError> {
        let doing = format!("remove network {}", network.name());
        gone(verb(doing, SLOW, self.api.remove_network(&network.id)).await)
    }

    /// Reads a network's subnet.
    ///
    /// # Errors
    /// When the network is gone or has no subnet.
    pub async fn network_facts(
        &self,
        network: &Owned<Network>,
    ) -> Result<OwnedNetworkFacts, EngineError> {
        let doing = format!("inspect network {}", network.name());
        let answer = verb(doing, QUICK, self.api.inspect_network(&network.id, None)).await?;
        let subnet = answer
            .ipam
            .and_then(|ipam| ipam.config)
            .and_then(|configs| configs.into_iter().find_map(|config| config.subnet));
        Ok(OwnedNetworkFacts {
            subnet: subnet.ok_or_else(|| lacks(network.name(), "a subnet"))?,
        })
    }

    /// The subnets of all networks on this engine, ours or not, so that a free one can be chosen.
    /// This only reads.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn subnets_in_use(&self) -> Result<Vec<String>, EngineError> {
        let rows = verb("list networks", QUICK, self.api.list_networks(None)).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| row.ipam?.config)
            .flatten()
            .filter_map(|config| config.subnet)
            .collect())
    }
}

/// What is gone already needs no removing.
pub(crate) fn gone(result: Result<(), EngineError>) -> Result<(), EngineError> {
    match result {
        Err(error) if error.is_missing() => Ok(()),
        other => other,
    }
}
