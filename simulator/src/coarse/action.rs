//! What can happen in a coarse world.

use std::fmt;

use pivot::Task;
use terms::{Component, Incarnation};

/// Who takes a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The bootstrap process.
    Bootstrap,
    /// The self-hosted process, or its checkpoint, of this node.
    Node(u8),
}

/// A port of an apiserver that the load balancer may list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The self-hosted apiserver's.
    SelfHosted,
    /// The bootstrap apiserver's, on other nodes and later the checkpoint's.
    Bootstrap,
}

impl Port {
    /// Its bit in [`super::Node::listed`].
    pub(crate) const fn bit(self) -> u8 {
        match self {
            Self::SelfHosted => 1,
            Self::Bootstrap => 2,
        }
    }
}

/// Something that happens. Nodes are indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A task does its work, and its driver hears of it.
    Done(Task),
    /// A task finds that it cannot do its work.
    Fails(Task),
    /// A task does its work, and its driver does not hear of it yet.
    Lands(Task),
    /// The answer to a task is lost.
    AnswerLost(Task),
    /// The installer looks at the cluster.
    Look,
    /// It is time to try failed tasks again.
    Retry,
    /// What is asked for has held for long enough.
    Stable,
    /// What is asked for seemed to have held for long enough, for the installer did not look again.
    StableUnseen,
    /// The stage took too long: nothing moves any more.
    Overdue,
    /// The stage took too long although something still moves.
    OverdueEarly,
    /// An announcement is released.
    Release,
    /// The installer says that it is done or holds, and ends.
    End,
    /// The installer's unit starts it again.
    Resume,
    /// A bootstrap process becomes ready.
    BootstrapReady(Component),
    /// A bootstrap process that was asked to end is gone.
    BootstrapGone(Component),
    /// A self-hosted pod becomes ready.
    PodReady(Component, u8),
    /// The DaemonSet controller makes the missing pods.
    CreatePods,
    /// The scheduler binds pods.
    BindPods,
    /// The load balancer's check finds another state than it has listed.
    Check(Port, u8),
    /// A lease is taken.
    TakeLease(Component, Holder),
    /// The lease of a node without power grows old.
    GoesStale(u8),
    /// The checkpoint agent writes a copy.
    Save(Component, u8),
    /// The checkpoint agent starts a copy.
    StartCopy(Component, u8),
    /// A copy makes room for its parent.
    RetireCopy(Component, u8),
    /// A node gets its power back.
    PowerOn(u8),
    /// A node loses its power.
    CutPower(u8),
    /// A component's process is killed.
    Kill(Component, Incarnation, u8),
    /// The installer's process is killed.
    KillInstaller,
    /// A person starts the procedure again.
    StartAgain,
    /// Another cluster's installer is started.
    StartForeign,
}

impl Action {
    /// Names of the kinds of action, by [`Action::kind`].
    pub(crate) const KINDS: [&'static str; 30] = [
        "task-done",
        "task-fails",
        "task-lands",
        "answer-lost",
        "look",
        "retry",
        "stable",
        "stable-unseen",
        "overdue",
        "overdue-early",
        "release",
        "end",
        "resume",
        "bootstrap-ready",
        "bootstrap-gone",
        "pod-ready",
        "create-pods",
        "bind-pods",
        "check",
        "take-lease",
        "goes-stale",
        "save",
        "start-copy",
        "retire-copy",
        "power-on",
        "cut-power",
        "kill",
        "kill-installer",
        "start-again",
        "start-foreign",
    ];

    /// Index of the action's kind.
    pub(crate) const fn kind(self) -> usize {
        match self {
            Self::Done(_) => 0,
            Self::Fails(_) => 1,
            Self::Lands(_) => 2,
            Self::AnswerLost(_) => 3,
            Self::Look => 4,
            Self::Retry => 5,
            Self::Stable => 6,
            Self::StableUnseen => 7,
            Self::Overdue => 8,
            Self::OverdueEarly => 9,
            Self::Release => 10,
            Self::End => 11,
            Self::Resume => 12,
            Self::BootstrapReady(_) => 13,
            Self::BootstrapGone(_) => 14,
            Self::PodReady(..) => 15,
            Self::CreatePods => 16,
            Self::BindPods => 17,
            Self::Check(..) => 18,
            Self::TakeLease(..) => 19,
            Self::GoesStale(_) => 20,
            Self::Save(..) => 21,
            Self::StartCopy(..) => 22,
            Self::RetireCopy(..) => 23,
            Self::PowerOn(_) => 24,
            Self::CutPower(_) => 25,
            Self::Kill(..) => 26,
            Self::KillInstaller => 27,
            Self::StartAgain => 28,
            Self::StartForeign => 29,
        }
    }

    /// Whether somebody from outside does it, or a clock that only an unusual host explains. That a
    /// node gets its power back is not: what is asked of a world is asked once its faults are healed.
    pub(crate) const fn is_outside(self) -> bool {
        matches!(
            self,
            Self::AnswerLost(_)
                | Self::StableUnseen
                | Self::OverdueEarly
                | Self::CutPower(_)
                | Self::Kill(..)
                | Self::KillInstaller
                | Self::StartAgain
                | Self::StartForeign
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = Self::KINDS[self.kind()];
        let cp = |node: &u8| u16::from(*node) + 1;
        match self {
            Self::Done(task) | Self::Fails(task) | Self::Lands(task) | Self::AnswerLost(task) => {
                write!(formatter, "{kind} {task:?}")
            }
            Self::BootstrapReady(component) | Self::BootstrapGone(component) => {
                write!(formatter, "{kind} {component}")
            }
            Self::TakeLease(component, Holder::Bootstrap) => {
                write!(formatter, "{kind} {component} bootstrap")
            }
            Self::PodReady(component, node)
            | Self::TakeLease(component, Holder::Node(node))
            | Self::Save(component, node)
            | Self::StartCopy(component, node)
            | Self::RetireCopy(component, node) => {
                write!(formatter, "{kind} {component} cp-{}", cp(node))
            }
            Self::Check(Port::SelfHosted, node) => {
                write!(formatter, "{kind} self-hosted cp-{}", cp(node))
            }
            Self::Check(Port::Bootstrap, node) => {
                write!(formatter, "{kind} bootstrap cp-{}", cp(node))
            }
            Self::GoesStale(node) | Self::PowerOn(node) | Self::CutPower(node) => {
                write!(formatter, "{kind} cp-{}", cp(node))
            }
            Self::Kill(component, incarnation, node) => {
                write!(
                    formatter,
                    "{kind} {incarnation} {component} cp-{}",
                    cp(node)
                )
            }
            _ => formatter.write_str(kind),
        }
    }
}
