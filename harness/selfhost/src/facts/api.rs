//! What the API tells: nodes, leases and pods, by one round of requests made together.

use std::future::Future;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Client;
use kube::api::{Api, ListParams, ObjectList};

use super::pods::SELECTOR;

/// How long each request may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// One round of answers; `None` where there was none.
pub(super) struct Round {
    pub(super) nodes: Option<Vec<Node>>,
    pub(super) node_leases: Option<Vec<Lease>>,
    pub(super) locks: Option<Vec<Lease>>,
    pub(super) pods: Option<Vec<Pod>>,
}

/// Asks for everything at once.
pub(super) async fn ask(client: &Client) -> Round {
    let all = ListParams::default();
    let pods = ListParams::default().labels(SELECTOR);
    let nodes: Api<Node> = Api::all(client.clone());
    let node_leases: Api<Lease> = Api::namespaced(client.clone(), "kube-node-lease");
    let locks: Api<Lease> = Api::namespaced(client.clone(), "kube-system");
    let control_plane: Api<Pod> = Api::namespaced(client.clone(), "kube-system");
    let (nodes, node_leases, locks, pods) = tokio::join!(
        items(nodes.list(&all)),
        items(node_leases.list(&all)),
        items(locks.list(&all)),
        items(control_plane.list(&pods)),
    );
    Round {
        nodes,
        node_leases,
        locks,
        pods,
    }
}

async fn items<T: Clone>(
    request: impl Future<Output = Result<ObjectList<T>, kube::Error>>,
) -> Option<Vec<T>> {
    let answer = tokio::time::timeout(DEADLINE, request).await.ok()?;
    Some(answer.ok()?.items)
}
