//! `cluster.json`: what an installer is told about the machines.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::Topology;

/// Addresses of pods. They exist inside the cluster's network only.
const POD_CIDR: &str = "10.244.0.0/16";
/// Addresses of Services. They exist inside the cluster's network only.
const SERVICE_CIDR: &str = "10.96.0.0/16";

/// What an installer is told about the machines. The field names are contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterFile {
    /// The cluster's name.
    pub name: String,
    /// The minor version of Kubernetes, such as `1.34`.
    pub kubernetes: String,
    /// The load balancer's address; it listens on port 6443.
    pub load_balancer: Ipv4Addr,
    /// Control-plane nodes first.
    pub nodes: Vec<ClusterFileNode>,
    /// The range of pod addresses.
    pub pod_cidr: String,
    /// The range of Service addresses.
    pub service_cidr: String,
}

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterFileNode {
    /// Such as `cp-1`.
    pub name: String,
    /// `control-plane` or `worker`.
    pub role: String,
    /// The machine's only address.
    pub address: Ipv4Addr,
}

impl ClusterFile {
    /// Describes a topology to an installer of this minor version of Kubernetes.
    pub fn new(topology: &Topology, kubernetes: &str) -> Self {
        let nodes = topology.nodes.iter().map(|node| ClusterFileNode {
            name: node.name.clone(),
            role: node.role.name().to_owned(),
            address: node.address,
        });
        Self {
            name: topology.name.clone(),
            kubernetes: kubernetes.to_owned(),
            load_balancer: topology.load_balancer,
            nodes: nodes.collect(),
            pod_cidr: POD_CIDR.to_owned(),
            service_cidr: SERVICE_CIDR.to_owned(),
        }
    }

    /// The file's content.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a cluster file is plain data") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Subnet;

    #[test]
    fn the_format_is_the_contract() {
        let topology = Topology::new("demo", 1, 1, Subnet::new(7)).unwrap();
        let file = ClusterFile::new(&topology, "1.34");
        let expected = serde_json::json!({
            "name": "demo",
            "kubernetes": "1.34",
            "load_balancer": "10.231.7.2",
            "nodes": [
                { "name": "cp-1", "role": "control-plane", "address": "10.231.7.11" },
                { "name": "worker-1", "role": "worker", "address": "10.231.7.101" },
            ],
            "pod_cidr": "10.244.0.0/16",
            "service_cidr": "10.96.0.0/16",
        });
        let text = file.to_json();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            expected
        );
        assert_eq!(serde_json::from_str::<ClusterFile>(&text).unwrap(), file);
    }
}
