//! API objects deleted, as a person with `kubectl` would.

use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod, Secret};
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleBinding};
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams};
use kube::{Api, Client};
use terms::{Delete, Resource};
use tokio::time::{sleep, timeout};

use super::Effect;
use crate::kubernetes;

/// How long all of it may take, graceful ends of pods included.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often it is looked whether an object is gone.
const INTERVAL: Duration = Duration::from_millis(200);

/// Deletes what is named; proven when each object's UID is marked for deletion or gone.
pub(super) async fn objects(delete: &Delete, kubeconfig: &str) -> Effect {
    match timeout(DEADLINE, attempt(delete, kubeconfig)).await {
        Ok(Ok(names)) => {
            let proof = format!("{} marked for deletion or gone", names.join(", "));
            (names, Ok(proof))
        }
        Ok(Err(reason)) => (Vec::new(), Err(reason)),
        Err(_) => (
            Vec::new(),
            Err(format!("not deleted within {} s", DEADLINE.as_secs())),
        ),
    }
}

async fn attempt(delete: &Delete, kubeconfig: &str) -> Result<Vec<String>, String> {
    let client = kubernetes::client(kubeconfig)
        .await
        .map_err(|error| error.to_string())?;
    let objects = api(client, delete);
    let mut targets = match &delete.name {
        Some(name) => vec![
            objects
                .get(name)
                .await
                .map_err(|error| format!("{}: {error}", name))?,
        ],
        None => {
            let selector = delete.selector.as_deref().unwrap_or_default();
            let list = objects.list(&ListParams::default().labels(selector)).await;
            list.map_err(|error| format!("{selector}: {error}"))?.items
        }
    };
    targets.sort_by_key(|object| object.metadata.name.clone());
    if let Some(limit) = delete.limit {
        targets.truncate(limit as usize);
    }
    if targets.is_empty() {
        return Err("no such object".to_owned());
    }
    let mut names = Vec::new();
    for target in targets {
        let name = target.metadata.name.unwrap_or_default();
        let parameters = DeleteParams::default();
        objects
            .delete(&name, &parameters)
            .await
            .map_err(|error| format!("{name}: {error}"))?;
        await_mark(&objects, &name, target.metadata.uid.as_deref()).await?;
        names.push(name);
    }
    Ok(names)
}

async fn await_mark(
    objects: &Api<DynamicObject>,
    name: &str,
    uid: Option<&str>,
) -> Result<(), String> {
    loop {
        let found = objects
            .get_opt(name)
            .await
            .map_err(|error| format!("{name}: {error}"))?;
        let lives = found.is_some_and(|object| {
            object.metadata.uid.as_deref() == uid && object.metadata.deletion_timestamp.is_none()
        });
        if !lives {
            return Ok(());
        }
        sleep(INTERVAL).await;
    }
}

fn api(client: Client, delete: &Delete) -> Api<DynamicObject> {
    let kind = match delete.kind {
        Resource::Pod => ApiResource::erase::<Pod>(&()),
        Resource::DaemonSet => ApiResource::erase::<DaemonSet>(&()),
        Resource::Deployment => ApiResource::erase::<Deployment>(&()),
        Resource::ConfigMap => ApiResource::erase::<ConfigMap>(&()),
        Resource::Secret => ApiResource::erase::<Secret>(&()),
        Resource::Lease => ApiResource::erase::<Lease>(&()),
        Resource::Node => ApiResource::erase::<Node>(&()),
        Resource::RoleBinding => ApiResource::erase::<RoleBinding>(&()),
        Resource::ClusterRoleBinding => ApiResource::erase::<ClusterRoleBinding>(&()),
    };
    match &delete.namespace {
        Some(namespace) if delete.kind.is_namespaced() => {
            Api::namespaced_with(client, namespace, &kind)
        }
        _ => Api::all_with(client, &kind),
    }
}
