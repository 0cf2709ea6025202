//! Tracks and their changes.

use std::fmt;

use oracle::observation::ProcessId;
use terms::{Component, Incarnation, Moment, NodeId, StepName};

/// One thing that a record shows over time. Nodes are indices of control-plane nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// What the installer announces.
    Steps,
    /// The component's bootstrap manifest in the kubelet's directory of the first node.
    Manifest(Component),
    /// The bootstrap secrets in their place.
    Secrets,
    /// The bootstrap secrets in the stash.
    StashedSecrets,
    /// The component's bootstrap manifest in the stash.
    Stashed(Component),
    /// The rendered assets.
    Assets,
    /// The component's process on a node.
    Process(Component, Incarnation, u8),
    /// The component's self-hosted pod of a node, as the API gives it.
    Pod(Component, u8),
    /// The component's lease.
    Lease(Component),
    /// The control plane's DaemonSets in etcd.
    Applied,
    /// Something that was done to the cluster, by its place in the record.
    Outside(u32),
}

/// What a track shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The installer announced this.
    Step(StepName, Moment),
    /// It is there, or not.
    There(bool),
    /// This process runs, or none.
    Process(Option<ProcessId>),
    /// The pod.
    Pod(PodSeen),
    /// This holds the lease; nobody after a release.
    Holder(Option<Holder>),
    /// This was done.
    Strike(Strike),
    /// Nobody looks any more.
    Unknown,
}

/// A pod as the API gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodSeen {
    /// None is bound to the node.
    Absent,
    /// Bound, not ready.
    Bound,
    /// Ready.
    Ready,
}

/// A lease's holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its identity, new with each process.
    pub identity: String,
    /// Its node; none for one that is no control-plane node's.
    pub node: Option<u8>,
}

/// Something that is done to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strike {
    /// The node loses its power.
    PowerOff(u8),
    /// The node gets its power back.
    PowerOn(u8),
    /// The component's processes on the node are killed.
    Kill(Component, u8),
    /// The installer's process is killed.
    KillInstaller,
    /// A person starts the procedure again.
    StartAgain,
}

/// A track takes a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The track.
    pub track: Track,
    /// What it shows from then on.
    pub value: Value,
    /// Earliest time, in microseconds of the record.
    pub since_us: u64,
    /// Latest time; `u64::MAX` when nobody looked.
    pub until_us: u64,
}

impl fmt::Display for Track {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cp = |node: &u8| NodeId::control_plane(usize::from(*node) + 1);
        match self {
            Self::Steps => formatter.write_str("the installer's steps"),
            Self::Manifest(component) => write!(formatter, "bootstrap manifest of {component}"),
            Self::Secrets => formatter.write_str("bootstrap secrets"),
            Self::StashedSecrets => formatter.write_str("stashed bootstrap secrets"),
            Self::Stashed(component) => write!(formatter, "stashed manifest of {component}"),
            Self::Assets => formatter.write_str("rendered assets"),
            Self::Process(component, incarnation, node) => {
                write!(
                    formatter,
                    "{incarnation} {component} process on {}",
                    cp(node)
                )
            }
            Self::Pod(component, node) => write!(formatter, "{component} pod of {}", cp(node)),
            Self::Lease(component) => write!(formatter, "lease of {component}"),
            Self::Applied => formatter.write_str("DaemonSets of the control plane"),
            Self::Outside(_) => formatter.write_str("from outside"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step, moment) => write!(formatter, "{step} {moment}"),
            Self::There(true) => formatter.write_str("there"),
            Self::There(false) | Self::Pod(PodSeen::Absent) => formatter.write_str("absent"),
            Self::Process(Some(id)) => write!(formatter, "runs as {}", id.pid),
            Self::Process(None) => formatter.write_str("does not run"),
            Self::Pod(PodSeen::Bound) => formatter.write_str("bound, not ready"),
            Self::Pod(PodSeen::Ready) => formatter.write_str("ready"),
            Self::Holder(Some(holder)) => write!(formatter, "held by {}", holder.identity),
            Self::Holder(None) => formatter.write_str("released"),
            Self::Strike(strike) => write!(formatter, "{strike}"),
            Self::Unknown => formatter.write_str("unknown"),
        }
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cp = |node: &u8| NodeId::control_plane(usize::from(*node) + 1);
        match self {
            Self::PowerOff(node) => write!(formatter, "{} loses its power", cp(node)),
            Self::PowerOn(node) => write!(formatter, "{} gets its power back", cp(node)),
            Self::Kill(component, node) => {
                write!(formatter, "{component} on {} is killed", cp(node))
            }
            Self::KillInstaller => formatter.write_str("the installer is killed"),
            Self::StartAgain => formatter.write_str("the procedure is started again"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.track, self.value)
    }
}
