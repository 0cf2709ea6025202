//! Parts of a cluster, who started them, and what an installer claims to be able to do.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the control plane, or of what carries it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// The store of the cluster's state.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// The controller manager.
    KubeControllerManager,
    /// The scheduler.
    KubeScheduler,
    /// The agent that keeps a startable copy of the control plane on a node's disk.
    CheckpointAgent,
    /// The Service proxy of a node.
    KubeProxy,
    /// The agent that connects pods across nodes.
    PodNetwork,
    /// The cluster's name service.
    Dns,
    /// The node agent.
    Kubelet,
    /// The container runtime of a node.
    ContainerRuntime,
}

impl Component {
    /// Every component, in the order in which people list them.
    pub const ALL: [Self; 10] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeScheduler,
        Self::CheckpointAgent,
        Self::KubeProxy,
        Self::PodNetwork,
        Self::Dns,
        Self::Kubelet,
        Self::ContainerRuntime,
    ];

    /// The three components that hand over to themselves.
    pub const SELF_HOSTED: [Self; 3] = [
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeScheduler,
    ];

    /// The name as it is written in scenarios and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
            Self::CheckpointAgent => "checkpoint-agent",
            Self::KubeProxy => "kube-proxy",
            Self::PodNetwork => "pod-network",
            Self::Dns => "dns",
            Self::Kubelet => "kubelet",
            Self::ContainerRuntime => "container-runtime",
        }
    }

    /// The component with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|component| component.name() == name)
    }
}

impl fmt::Display for Component {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Who started an instance of a component.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Incarnation {
    /// The installer, as part of the temporary control plane.
    Bootstrap,
    /// Kubernetes itself.
    SelfHosted,
    /// The checkpoint agent, from a copy on disk.
    Checkpoint,
}

impl Incarnation {
    /// Every incarnation.
    pub const ALL: [Self; 3] = [Self::Bootstrap, Self::SelfHosted, Self::Checkpoint];

    /// The name as it is written in records and in certificates.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::SelfHosted => "self-hosted",
            Self::Checkpoint => "checkpoint",
        }
    }

    /// The incarnation with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|incarnation| incarnation.name() == name)
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What an installer claims to do. Claims arm invariants; policies never do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// The control plane runs as pods that Kubernetes manages.
    SelfHosted,
    /// The control plane survives the reboot of every control-plane node.
    Checkpoints,
    /// The loss of one control-plane node is survived; armed from two control-plane nodes on.
    Ha,
    /// The control plane can be upgraded in place.
    Upgrade,
    /// Control-plane nodes can join and leave.
    Join,
    /// The control plane can be recovered from etcd or from a snapshot.
    Recover,
}
