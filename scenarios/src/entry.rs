//! Entries of a timeline, checked: what a runner carries out, one after another.

use serde::{Deserialize, Serialize};
use terms::{Actor, Fault, Milliseconds, Moment, Selectors, StepName};

/// One entry of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// An operation of the installer is started.
    Operation(Operation),
    /// Faults at a named moment of the open operation.
    At(At),
    /// Faults at once.
    Inject(Vec<Fault>),
    /// Time passes.
    Wait(Milliseconds),
    /// Lasting faults are undone.
    Heal(Heal),
    /// The cluster is watched until it has settled.
    Settle(Settle),
}

/// An operation of the installer, and who waits for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Which one.
    pub kind: OperationKind,
    /// Who waits for its end.
    pub joined: Joined,
}

/// What an installer can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// Make the cluster, from nothing to the handed-over control plane.
    Bootstrap,
    /// Start the operation again that was killed.
    Resume,
    /// Bootstrap another cluster on the same machines, which must be refused.
    ForeignBootstrap,
    /// Take a snapshot of etcd, and keep it off the cluster.
    Snapshot,
    /// Bring the cluster back after a loss, and every node that lost its disk.
    Recover {
        /// What there is of etcd.
        from: RecoverFrom,
        /// Whether somebody begins the same on another control-plane node meanwhile.
        rival: bool,
    },
}

/// What a recovery begins from.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RecoverFrom {
    /// What the living members hold.
    #[default]
    Etcd,
    /// The latest snapshot.
    Snapshot,
}

impl OperationKind {
    /// The key that a scenario writes, and the name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bootstrap | Self::ForeignBootstrap => "bootstrap",
            Self::Resume => "resume",
            Self::Snapshot => "snapshot",
            Self::Recover { .. } => "recover",
        }
    }

    /// The entry as a scenario writes it.
    pub fn written(self) -> String {
        let options = match self {
            Self::Bootstrap | Self::Resume | Self::Snapshot => "{}".to_owned(),
            Self::ForeignBootstrap => "{ foreign: true }".to_owned(),
            Self::Recover { from, rival } => {
                let from = match from {
                    RecoverFrom::Etcd => "etcd",
                    RecoverFrom::Snapshot => "snapshot",
                };
                let rival = if rival { ", rival: true" } else { "" };
                format!("{{ from: {from}{rival} }}")
            }
        };
        format!("{}: {options}", self.name())
    }

    /// Whether it is a recovery, which announces steps of its own.
    pub const fn is_recovery(self) -> bool {
        matches!(self, Self::Recover { .. })
    }
}

/// Who waits for the end of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Joined {
    /// Its own entry: nothing else happens until it has ended.
    ByItself,
    /// The entry with this index (a `settle` or the next operation); until then it stays in the background.
    ByEntry(u32),
    /// The end of the timeline; until then it stays in the background.
    ByTheEnd,
}

/// Faults at a named moment: the actor is held at the step, the faults are injected, it is released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// The step.
    pub step: StepName,
    /// Which side of it.
    pub moment: Moment,
    /// Which time the actor comes by, from 1; counted per case, across restarts.
    pub occurrence: u32,
    /// The machine that announces the step.
    pub actor: Actor,
    /// How long to wait for the address.
    pub within: Milliseconds,
    /// What happens there, together.
    pub inject: Vec<Fault>,
}

/// Which lasting faults are undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heal {
    /// Every open one.
    Everything,
    /// Those of these nodes.
    Nodes(Selectors),
}

/// How long, and how steadily, the cluster must have settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    /// The time-out, which is a finding.
    pub within: Milliseconds,
    /// For how long everything must hold at once.
    pub stable_for: Milliseconds,
}
