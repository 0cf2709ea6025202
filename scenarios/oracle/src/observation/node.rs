//! What is on a node.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use terms::{Component, Incarnation};

/// What a node's observer sees on its node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInventory {
    /// Control-plane processes.
    pub processes: Vec<Process>,
    /// Files in the kubelet's static manifest directory, by name.
    pub manifests: BTreeSet<String>,
    /// Files that only a bootstrap or recovery needs, by full path.
    pub bootstrap_files: BTreeSet<String>,
    /// Listening TCP ports, with the owner's pid where known.
    pub ports: BTreeMap<u16, Option<u32>>,
    /// The kubelet's process, when it runs.
    pub kubelet: Option<ProcessId>,
    /// Versions of the control plane that a checkpoint agent keeps on the node's disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checkpoints: Vec<CheckpointSeen>,
    /// The observer could not look for them, so that one that is not listed may lie there all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind_to_checkpoints: bool,
    /// Processes of the checkpoint agent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentSeen>,
    /// A user's workload, where the observer was told to look for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadSeen>,
}

/// What a node shows of a user's workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadSeen {
    /// The containers of its pods.
    pub containers: Vec<ContainerSeen>,
    /// What its Service says to somebody on this node.
    pub service: Answering,
}

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContainerSeen {
    /// The pod's UID.
    pub pod: String,
    /// The container's name.
    pub name: String,
    /// How often it was started.
    pub starts: u32,
}

/// Whether somebody who goes on asking is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answering {
    /// Nobody has ever answered.
    NotYet,
    /// Answers come.
    Answers,
    /// No answer has come for five seconds, though there were some before.
    Silent,
}

/// A version of a component on a node's disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointSeen {
    /// The component.
    pub component: Component,
    /// Its generation, by the name of its directory; empty where a manifest refers to none that lies there.
    pub generation: String,
    /// Its commit mark is there and matches its files, as the observer found by itself.
    pub complete: bool,
    /// A manifest that lies ready for the kubelet, or in its directory, refers to it.
    pub prepared: bool,
    /// Its manifest refers to files of another version too.
    #[serde(default)]
    pub mixed: bool,
    /// API objects and scheduling constraints that its manifest mentions.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub references: BTreeSet<String>,
}

/// A process of the checkpoint agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSeen {
    /// Which process.
    pub id: ProcessId,
    /// Whether Kubernetes started it or the kubelet, from the agent's own static manifest.
    pub incarnation: Option<Incarnation>,
    /// It holds the lock that one agent on a node can hold.
    pub acting: bool,
}

/// A process of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The component.
    pub component: Component,
    /// Who started it; none for what is not handed over, such as etcd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<Incarnation>,
    /// Which process.
    pub id: ProcessId,
    /// Files that its command line names and that are gone, by full path on the node.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing_files: BTreeSet<String>,
}

/// A process: a pid alone is reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessId {
    /// Process id as seen in the node.
    pub pid: u32,
    /// Start time in clock ticks since boot.
    pub start_ticks: u64,
}

impl NodeInventory {
    /// Manifests of apiservers, by the component's name in the file's name.
    pub fn apiserver_manifests(&self) -> impl Iterator<Item = &String> {
        let component = Component::KubeApiserver.name();
        self.manifests
            .iter()
            .filter(move |name| name.contains(component))
    }

    /// Whether the component's manifest, made from a checkpoint, lies in the kubelet's directory.
    pub fn has_copy(&self, component: Component) -> bool {
        let name = format!("{}-{component}", Incarnation::Checkpoint.name());
        self.manifests.iter().any(|manifest| stem(manifest) == name)
    }

    /// Whether the agent's own static manifest lies in the kubelet's directory.
    pub fn has_static_agent(&self) -> bool {
        let name = Component::CheckpointAgent.name();
        self.manifests.iter().any(|manifest| stem(manifest) == name)
    }

    /// Whether what is not listed of checkpoints is not there.
    pub fn sees_checkpoints(&self) -> bool {
        !self.blind_to_checkpoints
    }

    /// The versions of a component.
    pub fn versions(&self, component: Component) -> impl Iterator<Item = &CheckpointSeen> {
        let is_it = move |version: &&CheckpointSeen| version.component == component;
        self.checkpoints.iter().filter(is_it)
    }

    /// Manifests of the temporary apiserver: of apiservers, other than checkpoints.
    pub fn temporary_manifests(&self) -> impl Iterator<Item = &String> {
        self.apiserver_manifests()
            .filter(|name| !name.contains(Incarnation::Checkpoint.name()))
    }

    /// Whether a checkpoint of the component could be started here: it is complete, and an agent runs or will.
    pub fn can_activate(&self, component: Component) -> bool {
        let complete = self.versions(component).any(|version| version.complete);
        complete && (self.has_static_agent() || !self.agents.is_empty())
    }

    /// Whether a process of this component and incarnation runs.
    pub fn runs(&self, component: Component, incarnation: Incarnation) -> bool {
        let is_it = |process: &&Process| {
            process.component == component && process.incarnation == Some(incarnation)
        };
        self.processes.iter().any(|process| is_it(&process))
    }
}

/// A manifest's name without its extension.
fn stem(manifest: &str) -> &str {
    manifest.rsplit_once('.').map_or(manifest, |(stem, _)| stem)
}
