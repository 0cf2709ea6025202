//! What the agent's world is about: the plan, the nodes, and how much may go wrong.

use pivot::ComponentSet;
use pivot::checkpoint::AgentPlan;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A node loses its power.
    PowerCut,
    /// Every node loses its power at once.
    Blackout,
    /// A component's process is killed.
    Kill,
    /// The agent's process is killed, as by a roll of its DaemonSet.
    KillAgent,
    /// A kubelet is restarted, and forgets the pods that it knew from the API.
    RestartKubelet,
    /// All apiserver pods are deleted through the API.
    DeleteApiservers,
    /// All controller pods are deleted through the API.
    DeleteControllers,
    /// A node's runtime does not answer the agent.
    RuntimeError,
    /// A file of a version that is written and not yet committed is torn.
    Tear,
    /// A revision that cannot work is rolled out.
    BadRevision,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::PowerCut,
        Self::Blackout,
        Self::Kill,
        Self::KillAgent,
        Self::RestartKubelet,
        Self::DeleteApiservers,
        Self::DeleteControllers,
        Self::RuntimeError,
        Self::Tear,
        Self::BadRevision,
    ];

    /// Its name in commands and pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PowerCut => "power-cut",
            Self::Blackout => "blackout",
            Self::Kill => "kill",
            Self::KillAgent => "kill-agent",
            Self::RestartKubelet => "restart-kubelet",
            Self::DeleteApiservers => "delete-apiservers",
            Self::DeleteControllers => "delete-controllers",
            Self::RuntimeError => "runtime-error",
            Self::Tear => "tear",
            Self::BadRevision => "bad-revision",
        }
    }
}

/// A set of kinds of fault, and how many faults of these kinds there may be in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    kinds: u16,
    /// How many, of whichever kind.
    pub most: u8,
}

impl Faults {
    /// The most faults that the packed state can count.
    pub const MOST: u8 = 3;

    /// At most so many faults of any kind.
    pub const fn any(most: u8) -> Self {
        Self {
            kinds: (1 << Fault::ALL.len()) - 1,
            most,
        }
    }

    /// At most so many faults of these kinds.
    pub fn of(kinds: &[Fault], most: u8) -> Self {
        Self {
            kinds: kinds.iter().fold(0, |set, kind| set | 1 << *kind as u16),
            most,
        }
    }

    /// Whether the kind is among them.
    pub const fn contain(self, kind: Fault) -> bool {
        self.kinds >> kind as u16 & 1 == 1
    }

    /// The kinds.
    pub fn kinds(self) -> impl Iterator<Item = Fault> {
        Fault::ALL
            .into_iter()
            .filter(move |kind| self.contain(*kind))
    }
}

/// The bounds of an agent's world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The plan that the agents follow.
    pub plan: AgentPlan,
    /// Of which components the installer waits for checkpoints before it removes the bootstrap control
    /// plane; none for an installer that does not wait.
    pub arms: ComponentSet,
    /// Control-plane nodes, 1 or 2.
    pub control_planes: u8,
    /// How much may go wrong.
    pub faults: Faults,
}

impl Config {
    /// The most control-plane nodes that fit into the packed state.
    pub const MOST_NODES: u8 = 2;

    /// A world within these bounds.
    ///
    /// # Panics
    /// When there are no nodes, too many, or more faults than can be counted.
    pub fn new(plan: AgentPlan, arms: ComponentSet, control_planes: u8, faults: Faults) -> Self {
        assert!(
            (1..=Self::MOST_NODES).contains(&control_planes),
            "the agent's world has 1 or 2 control-plane nodes, not {control_planes}"
        );
        assert!(
            faults.most <= Faults::MOST,
            "the agent's world has at most {} faults, not {}",
            Faults::MOST,
            faults.most
        );
        Self {
            plan,
            arms,
            control_planes,
            faults,
        }
    }
}
