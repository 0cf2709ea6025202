//! The description of a cluster: which nodes there are, where they are reached
//! and which address ranges belong to pods and to Services.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A cluster as the installer is told of it, already checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterFile {
    /// Name of the cluster: a lowercase DNS label.
    pub(crate) name: String,
    /// Kubernetes minor version, for example `1.34`.
    pub(crate) kubernetes: String,
    /// Address of the load balancer in front of all apiservers; it listens on port 6443.
    pub(crate) load_balancer: Ipv4Addr,
    /// All nodes; the first control-plane node in this order bootstraps the cluster.
    pub(crate) nodes: Vec<Node>,
    /// Range from which each node gets a /24 for its pods.
    pub(crate) pod_cidr: Cidr,
    /// Range of Service addresses.
    pub(crate) service_cidr: Cidr,
}

/// One machine of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    /// Name of the Node object and of the host: a lowercase DNS label.
    pub(crate) name: String,
    /// What the node is for.
    pub(crate) role: Role,
    /// Address of the node's only interface; it survives a restart of the node.
    pub(crate) address: Ipv4Addr,
}

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// Runs etcd and, after the pivot, the self-hosted control plane.
    ControlPlane,
    /// Runs workloads only.
    Worker,
}

/// An IPv4 address range such as `10.96.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Cidr {
    network: Ipv4Addr,
    prefix: u8,
}

/// Why a cluster file is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterFileError {
    /// The file is not there or may not be read.
    #[error("cannot read the cluster file {}; give its path with --cluster", path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is not JSON of the expected shape.
    #[error("{}: not a cluster description; expected name, kubernetes, load_balancer, nodes (name, role, address), pod_cidr, service_cidr", path.display())]
    Malformed {
        /// The file asked for.
        path: PathBuf,
        /// Place and kind of the mistake.
        #[source]
        source: serde_json::Error,
    },
    /// The parts of the file do not fit together.
    #[error("{}: {mistake}", path.display())]
    Contradictory {
        /// The file asked for.
        path: PathBuf,
        /// What is wrong and how to put it right.
        mistake: String,
    },
}

impl ClusterFile {
    /// Reads and checks the description at `path`.
    ///
    /// # Errors
    /// Names the file, the place of the mistake and what was expected.
    pub(crate) fn read(path: &Path) -> Result<Self, ClusterFileError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ClusterFileError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
        let cluster: Self =
            serde_json::from_str(&text).map_err(|source| ClusterFileError::Malformed {
                path: path.to_owned(),
                source,
            })?;
        cluster
            .check()
            .map_err(|mistake| ClusterFileError::Contradictory {
                path: path.to_owned(),
                mistake,
            })?;
        Ok(cluster)
    }

    /// The control-plane nodes, in the order of the file.
    pub(crate) fn control_plane(&self) -> impl Iterator<Item = &Node> {
        self.nodes
            .iter()
            .filter(|node| node.role == Role::ControlPlane)
    }

    /// The node on which the temporary control plane runs: the first control-plane node.
    pub(crate) fn bootstrap_node(&self) -> &Node {
        self.control_plane()
            .next()
            .expect("a checked cluster file has a control-plane node")
    }

    /// Says what is wrong with the description and how to put it right.
    ///
    /// # Errors
    /// One sentence for the first mistake found.
    pub(crate) fn check(&self) -> Result<(), String> {
        check_label("name", &self.name)?;
        if self.control_plane().next().is_none() {
            return Err("nodes: no node has the role control-plane; give at least one".to_owned());
        }
        let mut names = BTreeSet::new();
        let mut addresses = BTreeSet::from([self.load_balancer]);
        for (index, node) in self.nodes.iter().enumerate() {
            check_label(&format!("nodes[{index}].name"), &node.name)?;
            if !names.insert(&node.name) {
                return Err(format!(
                    "nodes[{index}].name: `{}` is used twice; rename one",
                    node.name
                ));
            }
            if !addresses.insert(node.address) {
                return Err(format!(
                    "nodes[{index}].address: {} already belongs to another node or to the load balancer",
                    node.address
                ));
            }
        }
        for (key, range) in [
            ("pod_cidr", self.pod_cidr),
            ("service_cidr", self.service_cidr),
        ] {
            if let Some(inside) = addresses.iter().find(|address| range.contains(**address)) {
                return Err(format!(
                    "{key}: {range} contains {inside}, the address of a machine; choose another range"
                ));
            }
        }
        self.check_ranges()
    }

    fn check_ranges(&self) -> Result<(), String> {
        let (pods, services) = (self.pod_cidr, self.service_cidr);
        if pods.contains(services.network) || services.contains(pods.network) {
            return Err(format!(
                "pod_cidr: {pods} and service_cidr {services} overlap; choose ranges apart"
            ));
        }
        // The controller manager gives each node a /24 out of the pod range.
        if pods.prefix > 24 || (1_usize << (24 - pods.prefix)) < self.nodes.len() {
            return Err(format!(
                "pod_cidr: {pods} is too small for a /24 for each of {} nodes; take a /16",
                self.nodes.len()
            ));
        }
        if !(12..=24).contains(&services.prefix) {
            return Err(format!(
                "service_cidr: the length of {services} must be from /12 to /24"
            ));
        }
        Ok(())
    }
}

impl Cidr {
    /// The `offset`-th address of the range; 1 is the first usable one.
    pub(crate) fn address(self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network).saturating_add(offset))
    }

    /// Whether `address` lies in the range.
    pub(crate) fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask() == u32::from(self.network)
    }

    fn mask(self) -> u32 {
        u32::MAX
            .checked_shl(32 - u32::from(self.prefix))
            .unwrap_or(0)
    }
}

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not an IPv4 range such as 10.96.0.0/16");
        let (network, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let network: Ipv4Addr = network.parse().map_err(|_| wrong())?;
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        if prefix > 32 {
            return Err(wrong());
        }
        let range = Self { network, prefix };
        if !range.contains(network) {
            let start = Ipv4Addr::from(u32::from(network) & range.mask());
            return Err(format!(
                "`{text}` does not start at its network address; write {start}/{prefix}"
            ));
        }
        Ok(range)
    }
}

impl From<Cidr> for String {
    fn from(range: Cidr) -> Self {
        range.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.network, self.prefix)
    }
}

fn check_label(place: &str, label: &str) -> Result<(), String> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends_well = |byte: Option<&u8>| byte.is_some_and(|byte| inner(*byte));
    let bytes = label.as_bytes();
    let fits = bytes.len() <= 63
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && bytes.iter().all(|byte| inner(*byte) || *byte == b'-');
    if fits {
        Ok(())
    } else {
        Err(format!(
            "{place}: `{label}` is not a lowercase DNS label (letters, digits, hyphens, at most 63)"
        ))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Three control-plane nodes and a worker.
    pub(crate) const THREE_AND_ONE: &str = r#"{
        "name": "sample", "kubernetes": "1.34", "load_balancer": "10.231.7.2",
        "nodes": [
            {"name": "cp-1", "role": "control-plane", "address": "10.231.7.11"},
            {"name": "cp-2", "role": "control-plane", "address": "10.231.7.12"},
            {"name": "cp-3", "role": "control-plane", "address": "10.231.7.13"},
            {"name": "worker-1", "role": "worker", "address": "10.231.7.21"}
        ],
        "pod_cidr": "10.244.0.0/16", "service_cidr": "10.96.0.0/16"
    }"#;

    fn check(from: &str, to: &str, expected: &str) {
        assert!(
            THREE_AND_ONE.contains(from),
            "the sample no longer contains {from}"
        );
        let text = THREE_AND_ONE.replace(from, to);
        let said = match serde_json::from_str::<ClusterFile>(&text) {
            Err(error) => error.to_string(),
            Ok(cluster) => cluster
                .check()
                .expect_err("the change makes the file wrong"),
        };
        assert!(
            said.contains(expected),
            "said `{said}`, expected `{expected}`"
        );
    }

    #[test]
    fn the_sample_is_accepted() {
        let cluster: ClusterFile = serde_json::from_str(THREE_AND_ONE).unwrap();
        assert_eq!(cluster.check(), Ok(()));
        assert_eq!(cluster.bootstrap_node().name, "cp-1");
        assert_eq!(
            cluster.service_cidr.address(10),
            Ipv4Addr::new(10, 96, 0, 10)
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        check(
            "\"cp-2\"",
            "\"cp-1\"",
            "nodes[1].name: `cp-1` is used twice",
        );
        check(
            "10.231.7.12",
            "10.231.7.11",
            "nodes[1].address: 10.231.7.11 already",
        );
        check("10.231.7.12", "10.231.7.2", "already belongs");
        check(
            "\"control-plane\"",
            "\"worker\"",
            "no node has the role control-plane",
        );
        check("\"cp-3\"", "\"CP_3\"", "not a lowercase DNS label");
        check("10.244.0.0/16", "10.244.0.1/16", "write 10.244.0.0/16");
        check("10.244.0.0/16", "10.96.0.0/12", "overlap");
        check("10.244.0.0/16", "10.231.0.0/16", "contains 10.231.7.2");
        check("10.244.0.0/16", "10.244.0.0/23", "too small");
        check("10.96.0.0/16", "10.96.0.0/28", "from /12 to /24");
        check(
            "\"name\": \"sample\"",
            "\"names\": \"sample\"",
            "unknown field `names`",
        );
        check("\"worker\"", "\"master\"", "unknown variant `master`");
    }
}
