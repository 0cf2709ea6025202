//! The agent's world at one instant.

use pivot::checkpoint::{self, begin};

use super::config::Config;

/// Place of the apiserver among a node's parts.
pub(crate) const APISERVER: usize = 0;
/// Place of the controller.
pub(crate) const CONTROLLER: usize = 1;

/// The world at one instant: small, `Copy`, and exactly what [`super::World`] packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Control-plane nodes; those beyond the cluster's number have no power and nothing on them.
    pub nodes: [Node; Config::MOST_NODES as usize],
    /// The bootstrap control plane is still there, on the first node.
    pub bootstrap: bool,
    /// The DaemonSet's template of apiserver and controller is a bad revision.
    pub bad: [bool; 2],
    /// The controller's Lease was not renewed for thirty seconds.
    pub unled: bool,
    /// The bootstrap control plane was removed while a node with a self-hosted apiserver had no complete checkpoint of it.
    pub unarmed: bool,
    /// A removal began although the API had not said throughout that the parent is gone.
    pub doubtful: bool,
    /// How many faults may still come.
    pub left: u8,
}

/// A control-plane node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// It has power.
    pub on: bool,
    /// Its kubelet has talked to an apiserver since it was started, so that it knows its pods.
    pub synced: bool,
    /// The agent's process runs.
    pub agent: bool,
    /// The agent's static copy lies in the kubelet's directory.
    pub guarded: bool,
    /// The agent's pod was replaced by another: what does not protect itself has lost its static copy.
    pub rolled: bool,
    /// The runtime does not answer the agent.
    pub runtime_error: bool,
    /// Apiserver and controller.
    pub parts: [Part; 2],
}

/// One component on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What the API says of its self-hosted pod here.
    pub pod: Pod,
    /// The self-hosted process.
    pub process: Process,
    /// The checkpoint's copy.
    pub copy: Copied,
    /// The newest version that can be activated.
    pub base: Base,
    /// The version that is being written.
    pub pending: Pending,
    /// The agent's machine, its attempt and parent forgotten: facts tell the parent at once.
    pub machine: checkpoint::State,
    /// While a grace period runs: there was an instant at which the API did not say that the parent is gone.
    pub doubted: bool,
}

/// What the API says of a self-hosted pod bound to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pod {
    /// There is none.
    None,
    /// It is there, of this revision, and ready or not as was last told.
    Bound {
        /// It is of a bad revision.
        bad: bool,
        /// It was last told to be ready.
        ready: bool,
    },
}

/// A self-hosted process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// None runs.
    None,
    /// One runs, of this revision.
    Runs {
        /// It is of a bad revision.
        bad: bool,
        /// It is ready.
        ready: bool,
    },
}

/// What a version holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Content {
    /// A good revision, complete.
    Good,
    /// A bad revision, complete.
    Bad,
    /// Something that lacks files.
    Torn,
}

/// How far a copy's process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// It does not run: the node has no power.
    Down,
    /// It starts, or never gets further.
    Starting,
    /// It is ready.
    Ready,
}

/// A checkpoint's copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// Its manifest does not lie in the kubelet's directory.
    Inactive,
    /// It does.
    Active(Content, Stage),
}

/// The newest version on a disk that can be activated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Base {
    /// None.
    Nothing,
    /// One whose manifest is there and whose files are not: only a plan that writes the manifest first has it.
    Torn,
    /// A complete one of a good revision.
    Good,
    /// A complete one of a bad revision.
    Bad,
}

/// A version that is being written and does not count yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Pending {
    /// None.
    None,
    /// Some of its files.
    Partial,
    /// All files of a good revision.
    Good,
    /// All files of a bad revision.
    Bad,
}

impl Pod {
    /// Whether it is there and was last told to be ready.
    pub(crate) const fn is_ready(self) -> bool {
        matches!(self, Self::Bound { ready: true, .. })
    }
}

impl Process {
    /// Whether it is ready.
    pub(crate) const fn is_ready(self) -> bool {
        matches!(self, Self::Runs { ready: true, .. })
    }
}

impl Copied {
    /// Whether its manifest lies in the kubelet's directory.
    pub(crate) const fn is_active(self) -> bool {
        matches!(self, Self::Active(..))
    }

    /// Whether its process runs, ready or not.
    pub(crate) const fn runs(self) -> bool {
        matches!(self, Self::Active(_, Stage::Starting | Stage::Ready))
    }

    /// Whether it is ready.
    pub(crate) const fn is_ready(self) -> bool {
        matches!(self, Self::Active(_, Stage::Ready))
    }
}

impl Base {
    /// Whether it can be activated and has all its files.
    pub(crate) const fn is_complete(self) -> bool {
        matches!(self, Self::Good | Self::Bad)
    }
}

impl Part {
    /// Nothing at all.
    pub(crate) const NOTHING: Self = Self {
        pod: Pod::None,
        process: Process::None,
        copy: Copied::Inactive,
        base: Base::Nothing,
        pending: Pending::None,
        machine: begin(),
        doubted: false,
    };

    /// Whether its self-hosted process or its copy does its work.
    pub(crate) const fn works(&self) -> bool {
        self.process.is_ready() || self.copy.is_ready()
    }
}

impl State {
    /// Whether a majority of the nodes has power.
    pub(crate) fn has_quorum(&self, control_planes: u8) -> bool {
        let on = self.nodes.iter().filter(|node| node.on).count();
        on * 2 > usize::from(control_planes)
    }

    fn has_bootstrap(&self) -> bool {
        self.bootstrap && self.nodes[0].on
    }

    fn any_works(&self, part: usize) -> bool {
        self.has_bootstrap()
            || self
                .nodes
                .iter()
                .any(|node| node.on && node.parts[part].works())
    }

    /// Whether the API answers.
    pub(crate) fn is_reachable(&self, control_planes: u8) -> bool {
        self.has_quorum(control_planes) && self.any_works(APISERVER)
    }

    /// Whether a controller acts.
    pub(crate) fn is_led(&self, control_planes: u8) -> bool {
        self.is_reachable(control_planes) && self.any_works(CONTROLLER)
    }
}
