//! Which nodes a cluster has, and at which addresses. Pure.

use std::net::Ipv4Addr;

use thiserror::Error;

use super::Subnet;
use crate::docker::Role;

const CONTROL_PLANE_MAX: u8 = 9;
const WORKERS_MAX: u8 = 50;
/// Longest cluster name: with `-load-balancer` behind it, a host name still fits into 63 characters.
const NAME_MAX: usize = 40;

/// The nodes of a cluster and their fixed addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// The cluster's name.
    pub name: String,
    /// The cluster's addresses.
    pub subnet: Subnet,
    /// The load balancer's address: `.2`.
    pub load_balancer: Ipv4Addr,
    /// Control-plane nodes (`cp-1`… at `.11`…), then workers (`worker-1`… at `.101`…).
    pub nodes: Vec<NodePlace>,
}

/// One node and its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePlace {
    /// Such as `cp-1`.
    pub name: String,
    /// [`Role::ControlPlane`] or [`Role::Worker`].
    pub role: Role,
    /// The address, which survives every restart: certificates and etcd's peers name it.
    pub address: Ipv4Addr,
}

/// A cluster that cannot be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TopologyError {
    /// No control plane, or too much of one.
    #[error("{0} control-plane nodes: choose 1 to {CONTROL_PLANE_MAX}")]
    ControlPlane(u32),
    /// Too many workers.
    #[error("{0} workers: choose 0 to {WORKERS_MAX}")]
    Workers(u32),
    /// Not a name.
    #[error(
        "`{0}` cannot name a cluster: use 1 to {NAME_MAX} lower-case letters, digits and hyphens, beginning and ending with a letter or digit"
    )]
    Name(String),
}

impl Topology {
    /// Lays out a cluster.
    ///
    /// # Errors
    /// For 0 or more than 9 control-plane nodes, more than 50 workers, or a name that cannot be a
    /// host name.
    pub fn new(
        name: &str,
        control_plane: u32,
        workers: u32,
        subnet: Subnet,
    ) -> Result<Self, TopologyError> {
        let control_planes = u8::try_from(control_plane)
            .ok()
            .filter(|count| (1..=CONTROL_PLANE_MAX).contains(count))
            .ok_or(TopologyError::ControlPlane(control_plane))?;
        let workers = u8::try_from(workers)
            .ok()
            .filter(|count| *count <= WORKERS_MAX)
            .ok_or(TopologyError::Workers(workers))?;
        if !is_name(name) {
            return Err(TopologyError::Name(name.to_owned()));
        }
        let place = |prefix: &str, role, index: u8, base: u8| NodePlace {
            name: format!("{prefix}-{index}"),
            role,
            address: subnet.address(base + index),
        };
        let mut nodes: Vec<_> = (1..=control_planes)
            .map(|i| place("cp", Role::ControlPlane, i, 10))
            .collect();
        nodes.extend((1..=workers).map(|i| place("worker", Role::Worker, i, 100)));
        Ok(Self {
            name: name.to_owned(),
            subnet,
            load_balancer: subnet.address(2),
            nodes,
        })
    }

    /// The control-plane nodes, in order.
    pub fn control_plane(&self) -> impl Iterator<Item = &NodePlace> {
        self.nodes
            .iter()
            .filter(|node| node.role == Role::ControlPlane)
    }

    /// The workers, in order.
    pub fn workers(&self) -> impl Iterator<Item = &NodePlace> {
        self.nodes.iter().filter(|node| node.role == Role::Worker)
    }

    /// The name of a node's container, of its volume, or, for the network, of the cluster.
    pub fn container(&self, node: &str) -> String {
        format!("{}-{node}", self.name)
    }
}

fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.len() <= NAME_MAX
        && bytes.first().copied().is_some_and(inner)
        && bytes.last().copied().is_some_and(inner)
        && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_fixed() {
        let topology = Topology::new("demo", 3, 1, Subnet::new(7)).unwrap();
        let places: Vec<_> = topology
            .nodes
            .iter()
            .map(|n| (n.name.as_str(), n.address.to_string()))
            .collect();
        let expected = [
            ("cp-1", "10.231.7.11"),
            ("cp-2", "10.231.7.12"),
            ("cp-3", "10.231.7.13"),
            ("worker-1", "10.231.7.101"),
        ];
        assert_eq!(
            places,
            expected.map(|(name, address)| (name, address.to_owned()))
        );
        assert_eq!(topology.load_balancer.to_string(), "10.231.7.2");
        assert_eq!(topology.container("cp-1"), "demo-cp-1");
        assert_eq!(
            (topology.control_plane().count(), topology.workers().count()),
            (3, 1)
        );
    }

    #[test]
    fn the_largest_cluster_has_an_address_for_everybody() {
        let topology = Topology::new("x", 9, 50, Subnet::new(254)).unwrap();
        let mut addresses: Vec<_> = topology.nodes.iter().map(|node| node.address).collect();
        addresses.push(topology.load_balancer);
        addresses.push(topology.subnet.gateway());
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), 61);
    }

    #[test]
    fn impossible_clusters_are_refused() {
        let new = |name, control_plane, workers| {
            Topology::new(name, control_plane, workers, Subnet::new(1)).unwrap_err()
        };
        assert_eq!(new("a", 0, 1), TopologyError::ControlPlane(0));
        assert_eq!(new("a", 10, 1), TopologyError::ControlPlane(10));
        assert_eq!(new("a", 300, 1), TopologyError::ControlPlane(300));
        assert_eq!(new("a", 1, 51), TopologyError::Workers(51));
        for name in ["", "-a", "a-", "A", "a_b", "a.b", "ä", &"a".repeat(41)] {
            assert_eq!(new(name, 1, 1), TopologyError::Name(name.to_owned()));
        }
    }
}
