//! Tasks against a real node and a real cluster.

use std::sync::Arc;
use std::time::Duration;

use pivot::{Facts, Task, Why};
use tokio::sync::watch;

use super::{Answer, Tasks, apply, canary, chain, destroy, label, local, verify};
use crate::assets::Assets;
use crate::claims::{self, Claim};
use crate::clients::Clients;
use crate::layout::Layout;

/// How long a canary may take before another is made.
const CANARY_WITHIN: Duration = Duration::from_secs(45);

/// Performs tasks on this node and in the cluster.
pub(crate) struct ClusterTasks {
    layout: Layout,
    assets: Arc<Assets>,
    clients: Clients,
    newest: watch::Receiver<Option<Facts>>,
    least_apiservers: usize,
}

impl ClusterTasks {
    /// Tasks for these assets. `newest` tells which nodes and pods are alive; a verification needs
    /// `least_apiservers` of them.
    pub(crate) fn new(
        layout: Layout,
        assets: Arc<Assets>,
        clients: Clients,
        newest: watch::Receiver<Option<Facts>>,
        least_apiservers: usize,
    ) -> Self {
        Self {
            layout,
            assets,
            clients,
            newest,
            least_apiservers,
        }
    }

    async fn verify(&self) -> Answer {
        let facts = *self.newest.borrow();
        let expected = facts
            .map(|facts| verify::expected(&facts))
            .unwrap_or_default();
        if (expected.count() as usize) < self.least_apiservers {
            let detail = format!(
                "{} self-hosted apiservers are ready on nodes that are alive, {} are needed",
                expected.count(),
                self.least_apiservers
            );
            return Answer::failed(Why::VerificationFailed, detail);
        }
        verify::verify(&self.assets, &self.clients, expected).await
    }

    async fn claim_cluster(&self) -> Answer {
        if let Some(foreign) = local::foreign_files(&self.layout) {
            return foreign;
        }
        match claims::claim(&self.assets.etcd, &self.assets.cluster_id).await {
            Ok(Claim::Ours) => Answer::done(),
            Ok(Claim::Foreign(how)) => Answer::refused(Why::ForeignCluster, how),
            Err(error) => Answer::failed(Why::ApiUnreachable, chain(&error)),
        }
    }

    async fn label_node(&self, index: u8) -> Answer {
        match self.assets.control_plane().get(usize::from(index)) {
            Some(machine) => label::label(&self.clients.current(), &machine.name).await,
            None => Answer::refused(
                Why::ObjectRefused,
                format!("there is no control-plane node {index}"),
            ),
        }
    }
}

impl Tasks for ClusterTasks {
    // File tasks have no await in them: once begun, they are not given up half way.
    async fn perform(&self, task: Task) -> Answer {
        let layout = &self.layout;
        match task {
            Task::ClaimCluster => self.claim_cluster().await,
            Task::StageSecrets => local::stage_secrets(layout),
            Task::PlaceManifest(component) => local::place_manifest(layout, component),
            Task::StashManifest(component) => local::stash_manifest(layout, component),
            Task::DeleteManifest(component) => local::delete_manifest(layout, component),
            Task::StashSecrets => local::stash_secrets(layout),
            Task::DeleteSecrets => local::delete_secrets(layout),
            Task::Apply(group) => apply::apply(&self.assets, &self.clients.current(), group).await,
            Task::LabelNode(index) => self.label_node(index).await,
            Task::Canary => canary::canary(&self.clients.current(), CANARY_WITHIN).await,
            Task::VerifyApi => self.verify().await,
            Task::DestroyStash => destroy::destroy_stash(layout),
        }
    }
}
