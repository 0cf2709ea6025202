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

    /// Manifests of the temporary apiserver: of apiservers, other than checkpoints.
    pub fn temporary_manifests(&self) -> impl Iterator<Item = &String> {
        self.apiserver_manifests()
            .filter(|name| !name.contains(Incarnation::Checkpoint.name()))
    }

    /// Whether a process of this component and incarnation runs.
    pub fn runs(&self, component: Component, incarnation: Incarnation) -> bool {
        let is_it = |process: &&Process| {
            process.component == component && process.incarnation == Some(incarnation)
        };
        self.processes.iter().any(|process| is_it(&process))
    }
}
