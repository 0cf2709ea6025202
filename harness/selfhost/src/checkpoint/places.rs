//! Where everything of the agent lies on its node.

use std::path::{Path, PathBuf};

use terms::Component;

use crate::render::checkpoint_agent;

/// The agent's directories and the kubelet's.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// Versions, a directory for each component; and the lock.
    pub(crate) checkpoints: PathBuf,
    /// Steps, log, hold points and the control FIFO.
    pub(crate) state: PathBuf,
    /// The kubelet's directory of static pods.
    pub(crate) manifests: PathBuf,
    /// On the file system of `manifests`: a prepared manifest is renamed into it in one go.
    pub(crate) staging: PathBuf,
    /// What keeps the agent and an operator apart when they place instances; both see it here.
    pub(crate) fence: PathBuf,
    /// Where the temporary control plane has its credentials while it is there.
    pub(crate) temporary_secrets: PathBuf,
    /// Credentials of the agent.
    pub(crate) kubeconfig: PathBuf,
    /// The container runtime's socket.
    pub(crate) runtime: PathBuf,
    /// The processes of the node.
    pub(crate) processes: PathBuf,
}

impl Places {
    /// The places of a real node, with `/` for the root; tests use a temporary directory.
    pub(crate) fn below(root: &Path) -> Self {
        let kubernetes = root.join("etc/kubernetes");
        let agent = checkpoint_agent::DIRECTORY.trim_start_matches('/');
        Self {
            checkpoints: root.join("var/lib/selfhost/checkpoints"),
            state: root.join("var/lib/selfhost/checkpoint-agent"),
            manifests: kubernetes.join("manifests"),
            fence: root.join("var/lib/selfhost/fence"),
            temporary_secrets: kubernetes.join("bootstrap-secrets"),
            staging: kubernetes.join("selfhost-staging"),
            kubeconfig: root.join(agent).join("kubeconfig"),
            runtime: root.join("run/containerd/containerd.sock"),
            processes: root.join("proc"),
        }
    }

    /// Where a component's versions lie.
    pub(crate) fn versions(&self, component: Component) -> PathBuf {
        self.checkpoints.join(component.name())
    }

    /// Name of the file of a component's copy, prepared or active.
    pub(crate) fn manifest_name(component: Component) -> String {
        format!("checkpoint-{component}.json")
    }

    /// Name of the file of the agent's static copy.
    pub(crate) fn own_manifest_name() -> String {
        format!("{}.json", checkpoint_agent::NAME)
    }

    /// The file by which a component's copy is active.
    pub(crate) fn active(&self, component: Component) -> PathBuf {
        self.manifests.join(Self::manifest_name(component))
    }

    /// The file from which a component's copy is activated.
    pub(crate) fn prepared(&self, component: Component) -> PathBuf {
        self.staging.join(Self::manifest_name(component))
    }
}
