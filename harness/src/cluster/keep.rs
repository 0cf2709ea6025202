//! The mark of a cluster that is meant to outlive its maker.

use super::{Cluster, ClusterError};
use crate::docker::{Role, RunLabels};

impl Cluster {
    /// Marks the cluster as one that outlives the process which made it, until the labels'
    /// deadline. Before that, a killed `cluster up` leaves nothing that `reap` would spare.
    ///
    /// The mark is an empty volume, because labels of things that exist cannot be changed.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn keep(&self, labels: &RunLabels) -> Result<(), ClusterError> {
        let name = &self.topology.name;
        let labels = labels.of(name, None, Role::Keep);
        let mark = self.topology.container("keep");
        let making = self.engine.create_volume(&mark, labels);
        making
            .await
            .map(|_| ())
            .map_err(ClusterError::engine(name, "mark it as kept"))
    }
}
