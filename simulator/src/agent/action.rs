//! What can happen in the agent's world.

use std::fmt;

use pivot::checkpoint::{Task, Timer};
use terms::Component;

use super::state::APISERVER;

/// Something that happens, on a node by index, to a part by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The agent's task for a part does its work, or finds that it cannot.
    TaskEnds(u8, usize, Task),
    /// A timer of the agent runs out.
    Elapses(u8, usize, Timer),
    /// The agent's process starts.
    AgentStarts(u8),
    /// The agent's static copy is written again.
    Guards(u8),
    /// A kubelet talks to an apiserver for the first time since it was started.
    Syncs(u8),
    /// A kubelet starts the self-hosted process, or starts it again.
    Starts(u8, usize),
    /// A self-hosted process becomes ready.
    Ready(u8, usize),
    /// A process of a bad revision ends.
    Crashes(u8, usize),
    /// The checkpoint's copy becomes ready.
    CopyReady(u8, usize),
    /// The controller makes a pod and binds it.
    Creates(u8, usize),
    /// The controller deletes a pod of another revision than its template's.
    Replaces(u8, usize),
    /// Nobody has led for thirty seconds.
    LeaseExpires,
    /// The installer removes the bootstrap control plane.
    RemovesBootstrap,
    /// A person undoes a bad revision.
    Undoes(usize),
    /// A node gets its power back.
    PowerOn(u8),
    /// The runtime answers the agent again.
    RuntimeHeals(u8),
    /// A node loses its power.
    CutPower(u8),
    /// Every node loses its power.
    Blackout,
    /// The self-hosted process is killed.
    KillParent(u8, usize),
    /// The copy's process is killed.
    KillCopy(u8, usize),
    /// The agent's process is killed.
    KillAgent(u8),
    /// A kubelet is restarted.
    RestartKubelet(u8),
    /// All pods of a component are deleted.
    DeletePods(usize),
    /// The runtime does not answer the agent.
    RuntimeFails(u8),
    /// A version that is not committed yet is torn.
    Tear(u8, usize),
    /// A bad revision is rolled out.
    RollOutBad(usize),
}

impl Action {
    /// Names of the kinds of action, by [`Action::kind`].
    pub(crate) const KINDS: [&'static str; 26] = [
        "task-ends",
        "elapses",
        "agent-starts",
        "guards",
        "syncs",
        "starts",
        "ready",
        "crashes",
        "copy-ready",
        "creates",
        "replaces",
        "lease-expires",
        "removes-bootstrap",
        "undoes",
        "power-on",
        "runtime-heals",
        "cut-power",
        "blackout",
        "kill",
        "kill-copy",
        "kill-agent",
        "restart-kubelet",
        "delete-pods",
        "runtime-fails",
        "tear",
        "roll-out-bad",
    ];

    /// Index of the action's kind.
    pub(crate) const fn kind(self) -> usize {
        match self {
            Self::TaskEnds(..) => 0,
            Self::Elapses(..) => 1,
            Self::AgentStarts(_) => 2,
            Self::Guards(_) => 3,
            Self::Syncs(_) => 4,
            Self::Starts(..) => 5,
            Self::Ready(..) => 6,
            Self::Crashes(..) => 7,
            Self::CopyReady(..) => 8,
            Self::Creates(..) => 9,
            Self::Replaces(..) => 10,
            Self::LeaseExpires => 11,
            Self::RemovesBootstrap => 12,
            Self::Undoes(_) => 13,
            Self::PowerOn(_) => 14,
            Self::RuntimeHeals(_) => 15,
            Self::CutPower(_) => 16,
            Self::Blackout => 17,
            Self::KillParent(..) => 18,
            Self::KillCopy(..) => 19,
            Self::KillAgent(_) => 20,
            Self::RestartKubelet(_) => 21,
            Self::DeletePods(_) => 22,
            Self::RuntimeFails(_) => 23,
            Self::Tear(..) => 24,
            Self::RollOutBad(_) => 25,
        }
    }

    /// Whether somebody from outside does it. That power comes back, a runtime recovers, or a person
    /// undoes what was wrong is not: what is asked of a world is asked once its faults are healed.
    pub(crate) const fn is_outside(self) -> bool {
        self.kind() >= 16
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = Self::KINDS[self.kind()];
        let cp = |node: &u8| u16::from(*node) + 1;
        let name = |part: &usize| {
            if *part == APISERVER {
                Component::KubeApiserver.name()
            } else {
                "controller"
            }
        };
        match self {
            Self::Elapses(node, part, timer) => {
                write!(formatter, "{kind} {timer:?} {} cp-{}", name(part), cp(node))
            }
            Self::TaskEnds(node, part, task) => {
                write!(formatter, "{kind} {task:?} {} cp-{}", name(part), cp(node))
            }
            Self::Starts(node, part)
            | Self::Ready(node, part)
            | Self::Crashes(node, part)
            | Self::CopyReady(node, part)
            | Self::Creates(node, part)
            | Self::Replaces(node, part)
            | Self::KillParent(node, part)
            | Self::KillCopy(node, part)
            | Self::Tear(node, part) => {
                write!(formatter, "{kind} {} cp-{}", name(part), cp(node))
            }
            Self::AgentStarts(node)
            | Self::Guards(node)
            | Self::Syncs(node)
            | Self::PowerOn(node)
            | Self::RuntimeHeals(node)
            | Self::CutPower(node)
            | Self::KillAgent(node)
            | Self::RestartKubelet(node)
            | Self::RuntimeFails(node) => write!(formatter, "{kind} cp-{}", cp(node)),
            Self::Undoes(part) | Self::DeletePods(part) | Self::RollOutBad(part) => {
                write!(formatter, "{kind} {}", name(part))
            }
            Self::LeaseExpires | Self::RemovesBootstrap | Self::Blackout => {
                formatter.write_str(kind)
            }
        }
    }
}
