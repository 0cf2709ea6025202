//! A cluster that runs.

use super::{ClusterError, ClusterFile, LOAD_BALANCER, Node, Subnet, Topology};
use crate::docker::{Engine, Labels};

/// A cluster that runs. Dropping it removes nothing: see [`Cluster::down`].
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(crate) engine: Engine,
    pub(crate) topology: Topology,
    pub(crate) nodes: Vec<Node>,
    pub(crate) load_balancer: Node,
}

/// What `cluster list` shows of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSummary {
    /// The cluster's name.
    pub name: String,
    /// The labels of one of its objects.
    pub labels: Labels,
    /// Control-plane nodes.
    pub control_plane: usize,
    /// Workers.
    pub workers: usize,
    /// Its addresses, where its network is still there.
    pub subnet: Option<Subnet>,
    /// Whether it is meant to outlive its maker.
    pub kept: bool,
}

impl Cluster {
    /// The nodes' names and addresses.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What an installer is told about the machines.
    pub fn file(&self, kubernetes: &str) -> ClusterFile {
        ClusterFile::new(&self.topology, kubernetes)
    }

    /// Control-plane nodes, then workers; the load balancer is not among them.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The load balancer, as a node.
    pub fn load_balancer(&self) -> &Node {
        &self.load_balancer
    }

    /// The node of this name; `load-balancer` is one too.
    ///
    /// # Errors
    /// When there is none; the message names those that there are.
    pub fn node(&self, name: &str) -> Result<&Node, ClusterError> {
        let mut all = self.nodes.iter().chain([&self.load_balancer]);
        all.find(|node| node.name() == name).ok_or_else(|| {
            let mut known: Vec<_> = self.nodes.iter().map(Node::name).collect();
            known.push(LOAD_BALANCER);
            ClusterError::NoNode {
                cluster: self.topology.name.clone(),
                node: name.to_owned(),
                known: known.join(", "),
            }
        })
    }
}
