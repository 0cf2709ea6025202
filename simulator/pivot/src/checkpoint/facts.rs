//! What the agent knows of one component on its node: fixed width, and unknown is not absent.

use serde::{Deserialize, Serialize};

/// A Lease that was not renewed for so long has no holder that acts: twice what a holder may take.
pub const UNLED_AFTER_MS: u32 = 30_000;
/// How long the API must not have answered before nobody is taken to lead. An apiserver's copy answers 7 to 17 s after a power cut
/// of all nodes (measured), and a few seconds later kubelets start the controllers that belong there: copies of them, started
/// at once, only take the processors that the apiservers need. Where it takes longer, kubelets may not know of any.
pub const UNLED_IN_SILENCE_AFTER_MS: u32 = 20_000;

/// The answer to a question that cannot always be asked.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// Nobody could be asked.
    #[default]
    Unknown,
    /// No.
    No,
    /// Yes.
    Yes,
}

impl From<bool> for Known {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// What lies on the disk.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Saved {
    /// No version at all.
    #[default]
    Nothing,
    /// Versions, but none whose commit mark matches its files.
    Torn,
    /// A version whose commit mark matches its files.
    Complete,
}

/// Everything the agent knows of one component at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Some apiserver answered through the load balancer just now.
    pub api: bool,
    /// Whether the API says that a self-hosted pod of the component is bound to this node; unknown when it does not answer.
    pub bound: Known,
    /// That pod is Ready by the API, and proven: owned by the DaemonSet, not terminating.
    pub parent_ready: bool,
    /// Which parent that is (0 while none is known): a number that changes whenever the pod (its UID) or what a version of it
    /// would be made of (its own spec, its Secrets and ConfigMaps) is another than before.
    #[serde(default)]
    pub parent: u8,
    /// Whether a process of the self-hosted instance runs here; unknown when the runtime cannot be asked.
    pub parent_runs: Known,
    /// Whether a process of the checkpoint's copy runs here; unknown when the runtime cannot be asked.
    pub copy_runs: Known,
    /// For controllers: whether their Lease was renewed within [`UNLED_AFTER_MS`]. Unknown as long as that cannot be told, and while
    /// the API does not answer; no, once it has not answered for [`UNLED_IN_SILENCE_AFTER_MS`]. For the apiserver: yes.
    pub led: Known,
    /// The newest usable version on this disk.
    pub saved: Saved,
    /// The newest complete version is made of what the parent is made of now: the pod's own spec, not
    /// its DaemonSet's, and its Secrets and ConfigMaps.
    pub current: bool,
    /// The copy's manifest lies in the kubelet's directory.
    pub active: bool,
}

impl Facts {
    /// Whether the component counts as armed on this node: the present parent could be started from the disk.
    pub fn is_armed(&self) -> bool {
        self.saved == Saved::Complete && self.current
    }
}
