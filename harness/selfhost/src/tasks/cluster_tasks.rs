//! Tasks against a real node and a real cluster.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pivot::{Facts, Outcome, Task, Why};
use terms::Component;
use tokio::sync::watch;

use super::{Answer, Tasks, apply, canary, chain, destroy, label, local, purge, reclaim, verify};
use crate::assets::Assets;
use crate::checkpoint::Places;
use crate::claims::{self, Claim};
use crate::clients::Clients;
use crate::facts::{Poller, StaleNodes};
use crate::fence::{Fence, FenceError};
use crate::layout::Layout;
use crate::operator::{OperatorLock, Turn};

/// How long a canary may take before another is made.
const CANARY_WITHIN: Duration = Duration::from_secs(45);

/// Performs tasks on this node and in the cluster.
pub(crate) struct ClusterTasks {
    layout: Layout,
    places: Places,
    assets: Arc<Assets>,
    clients: Clients,
    newest: watch::Receiver<Option<Facts>>,
    stale: StaleNodes,
    operator: Arc<OperatorLock>,
    least_apiservers: usize,
    placing: tokio::sync::Mutex<()>,
}

impl ClusterTasks {
    /// Tasks for these assets. `facts` tell which nodes and pods are alive; a verification needs
    /// `least_apiservers` of them. `operator` is taken before anything is changed.
    pub(crate) fn new(
        layout: Layout,
        assets: Arc<Assets>,
        clients: Clients,
        facts: &Poller,
        operator: Arc<OperatorLock>,
        least_apiservers: usize,
    ) -> Self {
        Self {
            places: Places::below(Path::new("/")),
            layout,
            assets,
            clients,
            newest: facts.newest(),
            stale: facts.stale_nodes(),
            operator,
            least_apiservers,
            placing: tokio::sync::Mutex::default(),
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
            Ok(Claim::Ours) => self.take_turn().await,
            Ok(Claim::Foreign(how)) => Answer::refused(Why::ForeignCluster, how),
            Err(error) => Answer::failed(Why::ApiUnreachable, chain(&error)),
        }
    }

    async fn claim_existing(&self) -> Answer {
        let reclaimed = reclaim::reclaim(&self.assets, &self.layout).await;
        if reclaimed.outcome == Outcome::Done {
            self.take_turn().await
        } else {
            reclaimed
        }
    }

    async fn take_turn(&self) -> Answer {
        match self.operator.take().await {
            Ok(Turn::Ours) => Answer::done(),
            Ok(Turn::Taken(by)) => Answer::refused(Why::AnotherOperator, by),
            Err(error) => Answer::failed(Why::ApiUnreachable, chain(&error)),
        }
    }

    /// Places a temporary instance, after a copy on the same port has given way: a copy that serves is a sign of
    /// life, for which a recovery does not get this far.
    async fn place(&self, component: Component) -> Answer {
        let fenced = async {
            // Several are placed side by side: they take turns, and only others are a reason to fail.
            let _turn = self.placing.lock().await;
            let fence = Fence::enter(&self.places.fence)?;
            fence.supersede_copy(&self.places, component).await?;
            Ok::<Answer, FenceError>(local::place_manifest(&self.layout, component))
        };
        fenced
            .await
            .unwrap_or_else(|error| Answer::failed(Why::Disk, chain(&error)))
    }

    async fn purge_stale(&self) -> Answer {
        match self.stale.now() {
            Some(stale) => purge::purge(&self.clients.current(), &stale).await,
            None => Answer::failed(Why::ApiUnreachable, "what is stale is not known just now"),
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
            Task::ClaimExisting => self.claim_existing().await,
            Task::PurgeStale => self.purge_stale().await,
            Task::StageSecrets => local::stage_secrets(layout),
            Task::PlaceManifest(component) => self.place(component).await,
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
