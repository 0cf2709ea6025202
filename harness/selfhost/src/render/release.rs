//! Which versions belong together: one row for each Kubernetes minor.

/// The versions that make up one Kubernetes minor, as the node image carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Release {
    /// The minor as cluster files name it.
    pub(crate) minor: &'static str,
    /// Full version of the Kubernetes components, with its `v`.
    pub(crate) kubernetes: &'static str,
    /// Tag of the etcd image.
    pub(crate) etcd: &'static str,
    /// Tag of the CoreDNS image.
    pub(crate) coredns: &'static str,
    /// Tag of the pod network agent's image.
    pub(crate) pod_network: &'static str,
}

/// Reference of the image of the checkpoint agent, which is this program.
pub(crate) const AGENT_IMAGE: &str = "chrysalis/selfhost:v1";

/// Every minor that can be rendered. The etcd and CoreDNS versions are kubeadm's for that minor.
pub(crate) const RELEASES: &[Release] = &[Release {
    minor: "1.34",
    kubernetes: "v1.34.4",
    etcd: "3.6.5-0",
    coredns: "v1.12.4",
    pod_network: "v1",
}];

impl Release {
    /// The release of this minor, if it is known.
    pub(crate) fn of_minor(minor: &str) -> Option<Self> {
        RELEASES
            .iter()
            .copied()
            .find(|release| release.minor == minor)
    }

    /// Reference of the image of a Kubernetes component.
    pub(crate) fn component_image(self, component: &str) -> String {
        format!("registry.k8s.io/{component}:{}", self.kubernetes)
    }

    /// Reference of the etcd image.
    pub(crate) fn etcd_image(self) -> String {
        format!("registry.k8s.io/etcd:{}", self.etcd)
    }

    /// Reference of the CoreDNS image.
    pub(crate) fn coredns_image(self) -> String {
        format!("registry.k8s.io/coredns/coredns:{}", self.coredns)
    }

    /// Reference of the pod network agent's image.
    pub(crate) fn pod_network_image(self) -> String {
        format!("chrysalis/pod-network:{}", self.pod_network)
    }
}
