//! The files of one node, as a tree to unpack at its root.

use pivot::checkpoint::AgentPlan;
use terms::Incarnation;

use super::authority::Credential;
use super::identities::Identities;
use super::output::Output;
use super::release::Release;
use super::{RenderError, apiserver, checkpoint_agent, etcd, kubelet};
use crate::cluster_file::{ClusterFile, Node, Role};

/// Writes `nodes/<node>/…` for every node.
pub(super) fn write_all(
    output: &Output,
    cluster: &ClusterFile,
    release: Release,
    identities: &Identities<'_>,
    agent: Option<&AgentPlan>,
) -> Result<(), RenderError> {
    for node in &cluster.nodes {
        let tree = NodeTree {
            output,
            root: format!("nodes/{}", node.name),
        };
        tree.write_kubelet(cluster, node, identities)?;
        if node.role == Role::ControlPlane {
            tree.write_control_plane(cluster, release, node, identities)?;
            if let Some(plan) = agent {
                tree.write_checkpoint_agent(node, identities, plan)?;
            }
        }
    }
    Ok(())
}

struct NodeTree<'a> {
    output: &'a Output,
    root: String,
}

impl NodeTree<'_> {
    fn write_kubelet(
        &self,
        cluster: &ClusterFile,
        node: &Node,
        identities: &Identities<'_>,
    ) -> Result<(), RenderError> {
        self.file(
            kubelet::CLUSTER_AUTHORITY,
            &identities.cluster.certificate(),
        )?;
        self.file(kubelet::KUBECONFIG, &identities.kubelet_kubeconfig(node)?)?;
        self.pair(kubelet::SERVING, &identities.kubelet_serving(node)?)?;
        self.file(kubelet::RESOLVER, kubelet::RESOLVER_CONTENT)?;
        let configuration = kubelet::configuration(cluster, node);
        self.file(kubelet::CONFIGURATION, &format!("{configuration:#}\n"))?;
        self.file(kubelet::DROP_IN, &kubelet::drop_in(cluster, node))?;
        Ok(self.output.directory(&self.path(kubelet::MANIFESTS))?)
    }

    fn write_control_plane(
        &self,
        cluster: &ClusterFile,
        release: Release,
        node: &Node,
        identities: &Identities<'_>,
    ) -> Result<(), RenderError> {
        let manifest = etcd::static_pod(cluster, release, node);
        self.file(
            &format!("{}/etcd.yaml", kubelet::MANIFESTS),
            &format!("{manifest:#}\n"),
        )?;
        self.file(
            &format!("{}/ca.crt", etcd::CERTIFICATES),
            &identities.etcd.certificate(),
        )?;
        for name in ["server", "peer"] {
            let path = format!("{}/{name}", etcd::CERTIFICATES);
            self.pair(&path, &identities.etcd_member(node)?)?;
        }
        self.output.directory(&self.path(etcd::DATA))?;
        for incarnation in [Incarnation::SelfHosted, Incarnation::Checkpoint] {
            let path = format!("{}/{incarnation}", apiserver::SERVING_PAIRS);
            self.pair(&path, &identities.apiserver_serving(node, incarnation)?)?;
        }
        Ok(())
    }

    fn write_checkpoint_agent(
        &self,
        node: &Node,
        identities: &Identities<'_>,
        plan: &AgentPlan,
    ) -> Result<(), RenderError> {
        let directory = checkpoint_agent::DIRECTORY;
        let kubeconfig = identities.checkpoint_agent_kubeconfig(node)?;
        self.file(&format!("{directory}/kubeconfig"), &kubeconfig)?;
        let plan = serde_json::to_value(plan).expect("a plan is plain data");
        self.file(&format!("{directory}/plan.json"), &format!("{plan:#}\n"))
    }

    fn pair(&self, path: &str, pair: &Credential) -> Result<(), RenderError> {
        self.file(&format!("{path}.crt"), &pair.certificate)?;
        self.file(&format!("{path}.key"), &pair.key)
    }

    fn file(&self, path: &str, content: &str) -> Result<(), RenderError> {
        Ok(self.output.file(&self.path(path), content)?)
    }

    /// A node's absolute path inside the output.
    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }
}
