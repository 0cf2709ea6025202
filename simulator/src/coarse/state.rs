//! The coarse world at one instant.

use pivot::Durable;
use terms::Component;

use super::config::{Budgets, Config};

/// The world at one instant: small, `Copy`, and exactly what [`super::World`] packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The installer's machine, its attempts forgotten. While the process is down it means nothing and is the first state.
    pub machine: pivot::State,
    /// What the installer wrote down and synced.
    pub marker: Option<Durable>,
    /// Whether the installer's process runs.
    pub status: Status,
    /// Control-plane nodes in order; those beyond the cluster's number stay as they begin.
    pub nodes: [Node; Config::MOST_NODES as usize],
    /// Bootstrap processes of apiserver, controller manager and scheduler, on the first node.
    pub bootstrap: [Process; 3],
    /// What lies on the first node's disk.
    pub disk: Disk,
    /// The DaemonSets of the control plane are in the API.
    pub applied: bool,
    /// Leases of controller manager and scheduler.
    pub leases: [Lease; 2],
    /// How far the removal of the bootstrap apiserver has come, as the judge sees it.
    pub teardown: Teardown,
    /// How many apiservers served when a failure was decided, plus one; 0 without such a decision.
    pub served_at_failure: u8,
    /// An installer of another cluster changed something.
    pub foreign_changed: bool,
    /// How much may still go wrong.
    pub left: Budgets,
}

/// Whether the installer's process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    /// It runs.
    Running,
    /// It was killed, or its node was; its unit starts it again.
    Down,
    /// It said that it is done or holds, and ended.
    Ended,
}

/// What lies on the bootstrap node's disk. Component sets are bits: apiserver 1, controller manager 2, scheduler 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    /// Bootstrap manifests in the kubelet's directory.
    pub manifests: u8,
    /// Bootstrap manifests in the stash.
    pub stashed: u8,
    /// The bootstrap secrets are in their place.
    pub secrets: bool,
    /// The bootstrap secrets are in the stash.
    pub stashed_secrets: bool,
    /// The rendered assets, with the administrator's kubeconfig, are there.
    pub assets: bool,
    /// The node was claimed for the cluster.
    pub claimed: bool,
}

/// A control-plane node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Its power, and what the API still believes of it.
    pub power: Power,
    /// How the API knows it.
    pub joined: Joined,
    /// Its pods of apiserver, controller manager and scheduler.
    pub pods: [Pod; 3],
    /// The load balancer lists the self-hosted apiserver's port (1), the bootstrap and checkpoint copies' (2).
    pub listed: u8,
}

/// A node's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Power {
    /// It has power, and its lease is fresh whenever the API answers.
    On,
    /// It lost its power; its lease is still fresh.
    OffFresh,
    /// It lost its power, and its lease is old.
    OffStale,
}

/// How the API knows a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Joined {
    /// Not at all.
    No,
    /// It registered.
    Registered,
    /// It registered, and bears the control plane's label.
    Labelled,
}

/// A self-hosted pod of one component on one node, and its checkpoint there. On a node without power
/// it is what the API remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Pod {
    /// There is none.
    None,
    /// It exists and is bound to no node.
    Created,
    /// It is bound; the kubelet does not know of it.
    Bound,
    /// As `Bound`, and a checkpoint of it lies on the node.
    BoundSaved,
    /// The kubelet starts it, or starts it again: phase Running, not ready.
    Starting,
    /// As `Starting`, and a checkpoint lies on the node.
    StartingSaved,
    /// It runs and is ready.
    Ready,
    /// As `Ready`, and a checkpoint lies on the node.
    ReadySaved,
    /// The kubelet does not know of it; its checkpoint runs in its place.
    Copy,
}

impl Pod {
    /// Every value at the place of its number.
    pub(crate) const ALL: [Self; 9] = [
        Self::None,
        Self::Created,
        Self::Bound,
        Self::BoundSaved,
        Self::Starting,
        Self::StartingSaved,
        Self::Ready,
        Self::ReadySaved,
        Self::Copy,
    ];

    /// Whether it is bound to its node.
    pub const fn is_bound(self) -> bool {
        !matches!(self, Self::None | Self::Created)
    }

    /// Whether its kubelet would start it as soon as it knew of it.
    pub(crate) const fn awaits_kubelet(self) -> bool {
        matches!(self, Self::Bound | Self::BoundSaved)
    }

    /// Whether its containers were started.
    pub const fn is_running(self) -> bool {
        matches!(
            self,
            Self::Starting | Self::StartingSaved | Self::Ready | Self::ReadySaved
        )
    }

    /// Whether it is ready.
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Ready | Self::ReadySaved)
    }

    /// Whether a checkpoint of it lies on the node.
    pub const fn is_saved(self) -> bool {
        matches!(
            self,
            Self::BoundSaved | Self::StartingSaved | Self::ReadySaved | Self::Copy
        )
    }

    /// The same pod, forgotten by its kubelet.
    #[must_use]
    pub const fn forgotten(self) -> Self {
        match self {
            Self::Starting | Self::Ready => Self::Bound,
            Self::StartingSaved | Self::ReadySaved | Self::Copy => Self::BoundSaved,
            other => other,
        }
    }

    /// The same pod, started by its kubelet.
    #[must_use]
    pub const fn started(self) -> Self {
        match self {
            Self::Bound | Self::Ready => Self::Starting,
            Self::BoundSaved | Self::ReadySaved | Self::Copy => Self::StartingSaved,
            other => other,
        }
    }
}

/// A bootstrap process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Process {
    /// None.
    Gone,
    /// It starts.
    Starting,
    /// It is ready.
    Ready,
    /// It was asked to end: it works, and says that it is not ready.
    Stopping,
}

impl Process {
    /// Whether it does its work.
    pub const fn works(self) -> bool {
        matches!(self, Self::Ready | Self::Stopping)
    }
}

/// A lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Lease {
    /// Nobody ever held it.
    Never,
    /// The bootstrap process holds it.
    Bootstrap,
    /// A bootstrap process held it last, and is gone.
    BootstrapGone,
    /// A self-hosted process held it last, and is gone.
    SelfHostedGone,
    /// The self-hosted process (or its checkpoint) of the first node holds it.
    First,
    /// That of the second node.
    Second,
    /// That of the third node.
    Third,
}

impl Lease {
    /// Every value at the place of its number.
    pub(crate) const ALL: [Self; 7] = [
        Self::Never,
        Self::Bootstrap,
        Self::BootstrapGone,
        Self::SelfHostedGone,
        Self::First,
        Self::Second,
        Self::Third,
    ];

    /// The lease of the self-hosted process on a node.
    pub(crate) const fn of(node: usize) -> Self {
        match node {
            0 => Self::First,
            1 => Self::Second,
            _ => Self::Third,
        }
    }

    /// The node of the self-hosted holder.
    pub const fn node(self) -> Option<usize> {
        match self {
            Self::First => Some(0),
            Self::Second => Some(1),
            Self::Third => Some(2),
            _ => None,
        }
    }

    /// Whether nobody holds it.
    pub const fn is_free(self) -> bool {
        matches!(
            self,
            Self::Never | Self::BootstrapGone | Self::SelfHostedGone
        )
    }

    /// Whether somebody self-hosted renewed it last.
    pub const fn is_in_new_hands(self) -> bool {
        !matches!(self, Self::Never | Self::Bootstrap | Self::BootstrapGone)
    }
}

/// How far the removal of the bootstrap apiserver has come, as the judge sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Teardown {
    /// Nothing of it.
    None,
    /// The task that removes its manifest was started while the guard held.
    Guarded,
    /// The manifest is gone although the guard did not hold; the process still runs.
    Unguarded,
    /// Manifest and process are gone although the guard did not hold.
    Violated,
}

/// The place of a component that hands over: apiserver 0, controller manager 1, scheduler 2.
pub(crate) const fn index(component: Component) -> usize {
    match component {
        Component::KubeApiserver => 0,
        Component::KubeControllerManager => 1,
        _ => 2,
    }
}

/// The place of the apiserver among the components that hand over.
pub(crate) const APISERVER: usize = 0;
