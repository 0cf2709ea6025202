//! Tracks and their changes.

use std::fmt;

use oracle::observation::ProcessId;
use pivot::{Durable, Task, Timer};
use terms::{Component, Incarnation, Moment, NodeId, StepName};

use crate::coarse::Joined;

/// One thing that a record, or a timed run, shows over time. Nodes are indices of control-plane nodes.
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
    /// The installer's process; this and what follows is told by timed runs only.
    Installer,
    /// The installer's marker.
    Marker,
    /// What the installer's tasks did, one after another.
    Tasks,
    /// The installer's timers that ran out: those that can do more than try again.
    Timers,
    /// The first node bears the cluster's claim.
    Claimed,
    /// Whether the component's process on a node does its work.
    Works(Component, Incarnation, u8),
    /// How far the component's pod of a node has come in the API.
    Made(Component, u8),
    /// How the API knows a node.
    Joined(u8),
    /// Whether a node without power still counts as fresh.
    Fresh(u8),
    /// Whether the load balancer lists an apiserver of a node, by who started it.
    Listed(Incarnation, u8),
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
    /// The marker.
    Marker(Option<Durable>),
    /// This task did its work, and its driver heard of it.
    Done(Task),
    /// This timer ran out.
    Elapsed(Timer),
    /// The pod is made this far.
    Made(Made),
    /// The API knows the node so.
    Joined(Joined),
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

/// How far a pod has come in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// There is none.
    No,
    /// It exists, and is bound to no node.
    Created,
    /// It is bound to its node.
    Bound,
}

/// A lease's holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its identity, new with each process.
    pub identity: String,
    /// Its node; none for one that is no control-plane node's.
    pub node: Option<u8>,
    /// Who started it; records do not say.
    pub incarnation: Option<Incarnation>,
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
            Self::Installer => formatter.write_str("the installer's process"),
            Self::Marker => formatter.write_str("the installer's marker"),
            Self::Tasks => formatter.write_str("the installer's tasks"),
            Self::Timers => formatter.write_str("the installer's timers"),
            Self::Claimed => formatter.write_str("claim of the first node"),
            Self::Works(component, incarnation, node) => {
                write!(
                    formatter,
                    "work of the {incarnation} {component} on {}",
                    cp(node)
                )
            }
            Self::Made(component, node) => {
                write!(formatter, "{component} pod for {}", cp(node))
            }
            Self::Joined(node) => write!(formatter, "{} in the API", cp(node)),
            Self::Fresh(node) => write!(formatter, "freshness of {}", cp(node)),
            Self::Listed(incarnation, node) => write!(
                formatter,
                "load balancer's entry for the {incarnation} apiserver of {}",
                cp(node)
            ),
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
            Self::Marker(Some(durable)) => write!(formatter, "{durable:?}"),
            Self::Marker(None) => formatter.write_str("none"),
            Self::Done(task) => write!(formatter, "{task:?} is done"),
            Self::Elapsed(timer) => write!(formatter, "{timer:?} ran out"),
            Self::Made(made) => write!(formatter, "{made:?}"),
            Self::Joined(joined) => write!(formatter, "{joined:?}"),
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
