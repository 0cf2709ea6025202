//! A workload that a user leaves running, and that nobody touches afterwards: on each worker a pod, and a Service
//! that leads to the pod of the node on which it is asked.

use std::time::Duration;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Namespace, Service};
use kube::Api;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::Claims;
use super::manifests::{self, PORT, SERVER};
use super::namespace::create;
use super::reason::reason;
use super::stage::Stage;

/// The workload's namespace.
pub(crate) const NAMESPACE: &str = "chrysalis-workload";
/// The Service's address, in the range of every cluster and chosen so that observers know it beforehand.
pub(crate) const ADDRESS: &str = "10.96.200.200";
/// How long its pods may take until they are ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);

/// Where observers ask the Service.
pub(crate) fn service_address() -> String {
    format!("{ADDRESS}:{PORT}")
}

impl Claims {
    /// Puts the workload there and waits until its pods are ready.
    ///
    /// # Errors
    /// Says what could not be done, or that they were not ready in time.
    pub(crate) async fn leave_workload(&self) -> Result<(), String> {
        let placing = timeout(READY_WITHIN, self.place_workload());
        placing
            .await
            .unwrap_or_else(|_| Err("its pods were not ready in time".to_owned()))
    }

    async fn place_workload(&self) -> Result<(), String> {
        let stage = Stage::new(&self.kubeconfig, &[]).await?;
        let client = stage.client.clone();
        create(&Api::<Namespace>::all(client.clone()), namespace()).await?;
        let services = Api::<Service>::namespaced(client.clone(), NAMESPACE);
        create(&services, service()).await?;
        let sets = Api::<DaemonSet>::namespaced(client, NAMESPACE);
        create(&sets, daemon_set(&stage)).await?;
        loop {
            let set = sets.get(SERVER).await.map_err(reason)?;
            let is_ready = set.status.is_some_and(|status| {
                status.number_ready > 0 && status.number_ready == status.desired_number_scheduled
            });
            if is_ready {
                return Ok(());
            }
            sleep(PAUSE).await;
        }
    }
}

fn namespace() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": NAMESPACE, "labels": { "app.kubernetes.io/managed-by": "chrysalis" } },
    })
}

/// Only the node's own pod is behind it: what befalls another node is not its affair.
fn service() -> Value {
    let mut service = manifests::service();
    service["spec"]["clusterIP"] = json!(ADDRESS);
    service["spec"]["internalTrafficPolicy"] = json!("Local");
    service
}

/// Without tolerations: control-plane nodes have a taint.
fn daemon_set(stage: &Stage) -> Value {
    let mut set = manifests::deployment(stage);
    set["kind"] = json!("DaemonSet");
    if let Some(spec) = set["spec"].as_object_mut() {
        spec.remove("replicas");
    }
    if let Some(pod) = set["spec"]["template"]["spec"].as_object_mut() {
        pod.remove("tolerations");
        pod.remove("topologySpreadConstraints");
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::manifests::tests::{assert_is, stage};

    #[tokio::test]
    async fn every_field_is_one_of_the_api() {
        assert_is::<Namespace>(namespace());
        assert_is::<Service>(service());
        let set = daemon_set(&stage(&[]));
        assert_eq!(set["spec"]["template"]["spec"].get("tolerations"), None);
        assert_is::<DaemonSet>(set);
    }
}
