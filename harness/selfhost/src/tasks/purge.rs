//! Deletes Node objects that nobody renews the lease of, and the pods that are bound to them.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams};

use super::Answer;
use crate::facts::{Stale, renewal};

/// Deletes what is stale: pods first, so that a kill in between leaves the node that shows them.
pub(super) async fn purge(client: &Client, stale: &Stale) -> Answer {
    match all(client, stale).await {
        Ok(()) => Answer::done(),
        Err((doing, error)) => Answer::of_api_error(&doing, &error),
    }
}

type Failure = (String, kube::Error);

async fn all(client: &Client, stale: &Stale) -> Result<(), Failure> {
    let nodes: Api<Node> = Api::all(client.clone());
    let pods: Api<Pod> = Api::all(client.clone());
    let during = |doing: &str| {
        let doing = doing.to_owned();
        move |error| (doing, error)
    };
    let listed = nodes.list(&ListParams::default()).await;
    let listed = listed.map_err(during("listing nodes"))?;
    let mut gone = Vec::new();
    for (name, renewed) in &stale.nodes {
        if is_still_silent(client, name, renewed.as_ref()).await? {
            gone.push(name.as_str());
        } else {
            eprintln!("node {name} renewed its lease just now; it stays");
        }
    }
    let stays = |node: &str| {
        let named = |known: &Node| known.metadata.name.as_deref() == Some(node);
        listed.items.iter().any(named) && !gone.contains(&node)
    };
    let bound = pods.list(&ListParams::default()).await;
    for pod in bound.map_err(during("listing pods"))?.items {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        let Some(node) = node.filter(|node| !stays(node)) else {
            continue;
        };
        let name = pod.metadata.name.clone().unwrap_or_default();
        let space = pod.metadata.namespace.as_deref().unwrap_or("default");
        eprintln!("deleting pod {space}/{name}: its node {node} is gone");
        let own: Api<Pod> = Api::namespaced(client.clone(), space);
        // Nobody is left to end it gracefully.
        let at_once = DeleteParams::default().grace_period(0);
        missing_is_fine(own.delete(&name, &at_once).await.map(drop))
            .map_err(during(&format!("deleting pod {space}/{name}")))?;
    }
    for name in gone {
        eprintln!("deleting node {name}: nobody renews its lease");
        missing_is_fine(nodes.delete(name, &DeleteParams::default()).await.map(drop))
            .map_err(during(&format!("deleting node {name}")))?;
    }
    Ok(())
}

/// Looks once more just before: a kubelet that came back meanwhile must not lose its node.
async fn is_still_silent(
    client: &Client,
    node: &str,
    renewed: Option<&String>,
) -> Result<bool, Failure> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), "kube-node-lease");
    let now = leases
        .get_opt(node)
        .await
        .map_err(|error| (format!("reading the lease of node {node}"), error))?;
    Ok(now.as_ref().map(renewal).as_ref() == renewed)
}

fn missing_is_fine(result: Result<(), kube::Error>) -> Result<(), kube::Error> {
    match result {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => other,
    }
}
