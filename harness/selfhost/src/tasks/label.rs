//! The label that makes a node one of the control plane. Kubelets may not give it to themselves.

use k8s_openapi::api::core::v1::Node;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::Answer;
use super::apply::FIELD_MANAGER;

/// Labels a node; one that has not registered yet is a failure that may pass.
pub(crate) async fn label(client: &Client, name: &str) -> Answer {
    let nodes: Api<Node> = Api::all(client.clone());
    let labels =
        json!({ "metadata": { "labels": { "node-role.kubernetes.io/control-plane": "" } } });
    let parameters = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    match nodes.patch(name, &parameters, &Patch::Merge(&labels)).await {
        Ok(_) => Answer::done(),
        Err(error) => Answer::of_api_error(&format!("labelling node {name}"), &error),
    }
}
