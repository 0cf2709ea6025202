//! Where everything lies on the node.

use std::path::{Path, PathBuf};

use terms::Component;

/// The installer's own directories and the kubelet's, on the node that bootstraps.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// What `selfhost render` made for the installer; destroyed at the end.
    pub(crate) assets: PathBuf,
    /// Marker, events and log; outlives the procedure and holds no secrets.
    pub(crate) state: PathBuf,
    /// Where removed bootstrap files wait for the verification, mode 0700, out of the kubelet's sight.
    pub(crate) stash: PathBuf,
    /// The kubelet's directory of static pods.
    pub(crate) manifests: PathBuf,
    /// Where the bootstrap manifests expect their credentials.
    pub(crate) secrets: PathBuf,
    /// On the file system of `manifests`, so that a finished file can be renamed into it in one go.
    /// Outside of it, because the kubelet parses every file there, whatever its extension.
    pub(crate) staging: PathBuf,
    /// The data of this node's etcd member.
    pub(crate) etcd_data: PathBuf,
    /// The directory that whoever changes this node's control plane locks, whatever its state directory.
    pub(crate) node_lock: PathBuf,
}

impl Layout {
    /// The layout of a real node.
    pub(crate) fn of_node(assets: &Path, state: &Path) -> Self {
        Self::below(Path::new("/"), assets, state)
    }

    /// The layout with the node's own directories below `root`: tests use a temporary directory.
    pub(crate) fn below(root: &Path, assets: &Path, state: &Path) -> Self {
        let kubernetes = root.join("etc/kubernetes");
        Self {
            assets: assets.to_owned(),
            state: state.to_owned(),
            stash: root.join("var/lib/selfhost/stash"),
            manifests: kubernetes.join("manifests"),
            secrets: kubernetes.join("bootstrap-secrets"),
            staging: kubernetes.join("installer-staging"),
            etcd_data: root.join("var/lib/etcd"),
            node_lock: root.join("var/lib/selfhost/operation"),
        }
    }

    /// Beginning of a component's bootstrap manifest's name, without its extension.
    pub(crate) fn manifest_stem(component: Component) -> String {
        format!("bootstrap-{component}")
    }

    /// The marker.
    pub(crate) fn marker(&self) -> PathBuf {
        self.state.join("marker.json")
    }

    /// The breadcrumb that says that everything was verified and credentials are being destroyed.
    pub(crate) fn destroying(&self) -> PathBuf {
        self.state.join("destroying")
    }

    /// The events, unless another place was asked for.
    pub(crate) fn events(&self) -> PathBuf {
        self.state.join("events.ndjson")
    }

    /// The log of inputs and effects, unless another place was asked for.
    pub(crate) fn log(&self) -> PathBuf {
        self.state.join("log.ndjson")
    }

    /// The secrets' place in the stash.
    pub(crate) fn stashed_secrets(&self) -> PathBuf {
        self.stash.join("bootstrap-secrets")
    }
}
