//! What all claims need: a client, the version, and which nodes are there.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Node;
use kube::api::ListParams;
use kube::{Api, Client};
use terms::NodeId;

use super::reason::reason;
use crate::kubernetes;

/// Where claims are checked.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) client: Client,
    /// A name that no other check uses, for the namespace and objects outside it.
    pub(super) name: String,
    /// The image of pods.
    pub(super) image: String,
    /// Nodes that can run pods.
    pub(super) present: BTreeSet<String>,
    /// Nodes that are switched off or not Ready.
    pub(super) absent: BTreeSet<String>,
}

impl Stage {
    pub(super) async fn new(kubeconfig: &str, off: &[NodeId]) -> Result<Self, String> {
        let client = kubernetes::client(kubeconfig)
            .await
            .map_err(|error| error.to_string())?;
        let version = client.apiserver_version().await.map_err(reason)?;
        let nodes = Api::<Node>::all(client.clone())
            .list(&ListParams::default())
            .await;
        let (present, absent) = sort_out(nodes.map_err(reason)?.items, off);
        if present.is_empty() {
            return Err("no node is Ready".to_owned());
        }
        let name = format!("chrysalis-claims-{}", observer::line::boot_us());
        Ok(Self {
            client,
            name,
            image: image(&version.git_version),
            present,
            absent,
        })
    }
}

/// The image of kube-proxy, which each node has. A tag has no `+`, which versions may have.
fn image(git_version: &str) -> String {
    format!(
        "registry.k8s.io/kube-proxy:{}",
        git_version.replace('+', "_")
    )
}

fn sort_out(nodes: Vec<Node>, off: &[NodeId]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (present, absent): (Vec<Node>, Vec<Node>) = nodes.into_iter().partition(|node| {
        let name = node.metadata.name.as_deref();
        ready(node) && !off.iter().any(|off| Some(off.as_str()) == name)
    });
    let names = |nodes: Vec<Node>| {
        nodes
            .into_iter()
            .filter_map(|node| node.metadata.name)
            .collect()
    };
    (names(present), names(absent))
}

fn ready(node: &Node) -> bool {
    let conditions = node
        .status
        .iter()
        .filter_map(|status| status.conditions.as_ref())
        .flatten();
    conditions
        .into_iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(name: &str, ready: &str) -> Node {
        serde_json::from_value(json!({
            "metadata": { "name": name },
            "status": { "conditions": [
                { "type": "MemoryPressure", "status": "True" },
                { "type": "Ready", "status": ready },
            ] },
        }))
        .unwrap()
    }

    #[test]
    fn nodes_that_are_off_or_not_ready_are_absent() {
        let nodes = vec![
            node("cp-1", "True"),
            node("cp-2", "Unknown"),
            node("cp-3", "True"),
        ];
        let (present, absent) = sort_out(nodes, &[NodeId::new("cp-3")]);
        assert_eq!(present, BTreeSet::from(["cp-1".to_owned()]));
        assert_eq!(
            absent,
            BTreeSet::from(["cp-2".to_owned(), "cp-3".to_owned()])
        );
    }

    #[test]
    fn the_image_has_the_version_of_the_apiserver() {
        assert_eq!(image("v1.34.4"), "registry.k8s.io/kube-proxy:v1.34.4");
        assert_eq!(image("v1.34.4+x"), "registry.k8s.io/kube-proxy:v1.34.4_x");
    }
}
