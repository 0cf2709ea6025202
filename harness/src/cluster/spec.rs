//! The cluster that somebody wants.

use super::{Subnet, Topology, TopologyError};

/// The cluster that somebody wants, checked before anything is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSpec {
    name: String,
    control_plane: u32,
    workers: u32,
    image: String,
    kubernetes: String,
}

impl ClusterSpec {
    /// A cluster of this many nodes from this node image, for this minor version of Kubernetes.
    ///
    /// # Errors
    /// As [`Topology::new`].
    pub fn new(
        name: &str,
        control_plane: u32,
        workers: u32,
        image: &str,
        kubernetes: &str,
    ) -> Result<Self, TopologyError> {
        Topology::new(name, control_plane, workers, Subnet::new(1))?;
        Ok(Self {
            name: name.to_owned(),
            control_plane,
            workers,
            image: image.to_owned(),
            kubernetes: kubernetes.to_owned(),
        })
    }

    /// The cluster's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The node image.
    pub fn image(&self) -> &str {
        &self.image
    }

    /// The minor version of Kubernetes, such as `1.34`.
    pub fn kubernetes(&self) -> &str {
        &self.kubernetes
    }

    /// The nodes, at addresses of `subnet`.
    pub fn topology(&self, subnet: Subnet) -> Topology {
        Topology::new(&self.name, self.control_plane, self.workers, subnet)
            .expect("a specification is checked when it is made")
    }
}
