//! A node: what lies on its disk and what runs on it.

use std::collections::{BTreeMap, BTreeSet};

use pivot::{ComponentSet, Durable};
use terms::{Component, Incarnation};

use super::kept::Kept;

/// A node.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node {
    /// It has power.
    pub(crate) on: bool,
    /// From when on its services run, if it has power.
    pub(crate) up_ms: u64,
    /// When its power was last lost, until when the installer then calls it fresh, and until when it is Ready.
    pub(crate) lost: Option<Lost>,
    /// The kubelet's process and its start; while it is down, when it will be back.
    pub(crate) kubelet: Kubelet,
    /// The kubelet was stopped, and does not start until somebody starts it or the node boots.
    pub(crate) kubelet_stopped: bool,
    /// Since when the container runtime is stopped; a boot starts it.
    pub(crate) runtime_stopped_ms: Option<u64>,
    /// Containers that ended: how often in a row, and when the next may start.
    pub(crate) back_offs: BTreeMap<(Component, Option<Incarnation>), BackOff>,
    /// Components whose bootstrap manifest lies in the kubelet's directory.
    pub(crate) manifests: BTreeSet<Component>,
    /// The bootstrap secrets are in their place.
    pub(crate) secrets: bool,
    /// Bootstrap manifests in the stash.
    pub(crate) stashed: BTreeSet<Component>,
    /// The bootstrap secrets are in the stash.
    pub(crate) stashed_secrets: bool,
    /// The rendered assets, with the administrator's kubeconfig, are there.
    pub(crate) assets: bool,
    /// The node was claimed for the cluster.
    pub(crate) claimed: bool,
    /// The installer's marker.
    pub(crate) marker: Option<Durable>,
    /// The installer's unit starts with the node.
    pub(crate) unit: bool,
    /// Self-hosted components whose pod on this node the kubelet has learnt of since it started.
    pub(crate) known_pods: ComponentSet,
    /// The kubelet has learnt since it started that an agent's pod is bound to its node.
    pub(crate) knows_agent: bool,
    /// What the checkpoint agent keeps on the disk.
    pub(crate) kept: Kept,
    /// What runs.
    pub(crate) processes: Vec<Process>,
}

/// When a node lost its power, and for how long others do not know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lost {
    pub(crate) fresh_until_ms: u64,
    pub(crate) ready_until_ms: u64,
}

/// A kubelet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Kubelet {
    pub(crate) pid: u32,
    /// From when on it runs; later than now while it is down.
    pub(crate) started_ms: u64,
}

/// A container that ended and may have to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BackOff {
    pub(crate) ends: u32,
    /// When it may start again.
    pub(crate) until_ms: u64,
}

/// A process of a component.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Process {
    pub(crate) component: Component,
    /// Who started it; none for etcd.
    pub(crate) incarnation: Option<Incarnation>,
    pub(crate) pid: u32,
    pub(crate) started_ms: u64,
    pub(crate) ready_ms: u64,
    /// It was asked to end, and is gone at this time.
    pub(crate) gone_ms: Option<u64>,
}

impl Process {
    /// Whether it does its work: it is ready, and goes on until it is gone.
    pub(crate) fn works(&self, now_ms: u64) -> bool {
        self.ready_ms <= now_ms
    }

    /// Whether it says that it is ready: not any more once it was asked to end.
    pub(crate) fn is_ready(&self, now_ms: u64) -> bool {
        self.works(now_ms) && self.gone_ms.is_none()
    }
}

impl Node {
    /// Whether it has power and its services run.
    pub(crate) const fn is_up(&self, now_ms: u64) -> bool {
        self.on && self.up_ms <= now_ms
    }

    /// Whether its kubelet runs.
    pub(crate) const fn has_kubelet(&self, now_ms: u64) -> bool {
        self.is_up(now_ms) && !self.kubelet_stopped && self.kubelet.started_ms <= now_ms
    }

    pub(crate) fn process(
        &self,
        component: Component,
        incarnation: Option<Incarnation>,
    ) -> Option<&Process> {
        let found = |process: &&Process| {
            process.component == component && process.incarnation == incarnation
        };
        self.processes.iter().find(found)
    }

    /// Files that only a bootstrap needs, as the observer names them.
    pub(crate) fn bootstrap_files(&self) -> BTreeSet<String> {
        let mut files = BTreeSet::new();
        if self.secrets {
            files.extend(SECRETS.map(str::to_owned));
        }
        if self.stashed_secrets {
            files.insert("/var/lib/selfhost/stash/bootstrap-secrets/apiserver.key".to_owned());
        }
        files.extend(
            self.stashed
                .iter()
                .map(|component| format!("/var/lib/selfhost/stash/{}", manifest(*component))),
        );
        if self.assets {
            files.insert("/var/lib/selfhost/assets/auth/admin.kubeconfig".to_owned());
        }
        files
    }
}

/// Files that the bootstrap processes' command lines name.
pub(crate) const SECRETS: [&str; 2] = [
    "/etc/kubernetes/bootstrap-secrets/apiserver.key",
    "/etc/kubernetes/bootstrap-secrets/ca.crt",
];

/// Name of a component's bootstrap manifest.
pub(crate) fn manifest(component: Component) -> String {
    format!("bootstrap-{component}.yaml")
}
