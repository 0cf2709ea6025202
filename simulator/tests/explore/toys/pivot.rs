//! A pivot in miniature: a temporary control plane, apiservers, checkpoints, power losses.
//!
//! Node 0 is the bootstrap node; the others are interchangeable. Not faithful, but its answers are small
//! enough to be found by hand.

use std::fmt;

use simulator::explore::Model;

/// The world.
pub(crate) struct Pivot {
    /// Nodes, at most 8.
    pub(crate) nodes: u8,
    /// Power losses that may happen.
    pub(crate) power_losses: u8,
    /// What the installer does wrong.
    pub(crate) mistake: Mistake,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mistake {
    None,
    /// Tears down once an apiserver runs, whether or not there is a checkpoint of it.
    TearsDownEarly,
    /// Kubelets never start what is in a checkpoint.
    ForgetsCheckpoints,
}

/// Node sets have a bit for each node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) struct State {
    phase: Phase,
    /// The temporary apiserver serves.
    temporary: bool,
    running: u8,
    checkpoints: u8,
    losses_left: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
enum Phase {
    Begun,
    Serving,
    Applied,
    Removed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) enum Action {
    Serve,
    Apply,
    Remove,
    Start(u8),
    Checkpoint(u8),
    Restore(u8),
    PowerLoss(u8),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serve => write!(f, "serve-temporary"),
            Self::Apply => write!(f, "apply"),
            Self::Remove => write!(f, "remove-temporary"),
            Self::Start(node) => write!(f, "start node-{node}"),
            Self::Checkpoint(node) => write!(f, "checkpoint node-{node}"),
            Self::Restore(node) => write!(f, "restore node-{node}"),
            Self::PowerLoss(node) => write!(f, "power-loss node-{node}"),
        }
    }
}

const PHASES: [Phase; 4] = [Phase::Begun, Phase::Serving, Phase::Applied, Phase::Removed];

impl Pivot {
    pub(crate) fn new(nodes: u8, power_losses: u8, mistake: Mistake) -> Self {
        Self {
            nodes,
            power_losses,
            mistake,
        }
    }

    fn may_remove(&self, state: &State) -> bool {
        let enough = match self.mistake {
            Mistake::TearsDownEarly => state.running,
            Mistake::None | Mistake::ForgetsCheckpoints => state.checkpoints,
        };
        state.phase == Phase::Applied && enough != 0
    }

    fn all(&self) -> u8 {
        ((1u16 << self.nodes) - 1) as u8
    }
}

impl Model for Pivot {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        let losses_left = self.power_losses;
        vec![State {
            phase: Phase::Begun,
            temporary: false,
            running: 0,
            checkpoints: 0,
            losses_left,
        }]
    }

    fn actions(&self, state: &State, into: &mut Vec<Action>) {
        let api = state.temporary || state.running != 0;
        if state.phase < Phase::Removed && !state.temporary {
            into.push(Action::Serve);
        }
        if state.phase == Phase::Serving && state.temporary {
            into.push(Action::Apply);
        }
        if self.may_remove(state) {
            into.push(Action::Remove);
        }
        for node in 0..self.nodes {
            let bit = 1 << node;
            let (running, checkpoint) = (state.running & bit != 0, state.checkpoints & bit != 0);
            if api && !running && state.phase >= Phase::Applied {
                into.push(Action::Start(node));
            }
            if api && running && !checkpoint {
                into.push(Action::Checkpoint(node));
            }
            if checkpoint && !running && self.mistake != Mistake::ForgetsCheckpoints {
                into.push(Action::Restore(node));
            }
            if state.losses_left > 0 {
                into.push(Action::PowerLoss(node));
            }
        }
    }

    fn apply(&self, state: &State, action: Action) -> State {
        let mut next = *state;
        match action {
            Action::Serve => {
                next.temporary = true;
                next.phase = next.phase.max(Phase::Serving);
            }
            Action::Apply => next.phase = Phase::Applied,
            Action::Remove => {
                next.phase = Phase::Removed;
                next.temporary = false;
            }
            Action::Start(node) | Action::Restore(node) => next.running |= 1 << node,
            Action::Checkpoint(node) => next.checkpoints |= 1 << node,
            Action::PowerLoss(node) => {
                next.running &= !(1 << node);
                next.temporary &= node != 0;
                next.losses_left -= 1;
            }
        }
        next
    }

    fn pack(&self, state: &State, symmetric: bool) -> u128 {
        let State {
            phase,
            temporary,
            running,
            checkpoints,
            losses_left,
        } = *state;
        let mut nodes: Vec<u8> = (0..self.nodes)
            .map(|node| running >> node & 1 | (checkpoints >> node & 1) << 1)
            .collect();
        if symmetric {
            nodes[1..].sort_unstable();
        }
        let nodes = nodes
            .iter()
            .rev()
            .fold(0u128, |sum, node| sum << 2 | u128::from(*node));
        nodes << 16 | u128::from(losses_left) << 8 | u128::from(temporary) << 4 | phase as u128
    }

    fn unpack(&self, key: u128) -> State {
        let bits = |from: u32| {
            (0..self.nodes).fold(0, |sum, node| {
                sum | ((key >> (16 + 2 * u32::from(node) + from) & 1) as u8) << node
            })
        };
        State {
            phase: PHASES[(key & 15) as usize],
            temporary: key >> 4 & 1 == 1,
            running: bits(0),
            checkpoints: bits(1),
            losses_left: (key >> 8) as u8,
        }
    }

    fn invariants(&self) -> &'static [&'static str] {
        &[
            "somebody-can-start-an-apiserver",
            "temporary-gone-when-removed",
        ]
    }

    fn violated(&self, state: &State) -> u64 {
        let removed = state.phase == Phase::Removed;
        let restorable = state.checkpoints != 0 && self.mistake != Mistake::ForgetsCheckpoints;
        u64::from(removed && state.running == 0 && !restorable)
            | u64::from(removed && state.temporary) << 1
    }

    fn decided(&self, state: &State) -> u64 {
        1 | u64::from(state.phase == Phase::Removed) << 1
    }

    fn healthy(&self, state: &State) -> bool {
        state.phase == Phase::Removed && state.running == self.all()
    }

    fn is_outside(&self, action: Action) -> bool {
        matches!(action, Action::PowerLoss(_))
    }

    fn kind(&self, action: Action) -> usize {
        match action {
            Action::Serve => 0,
            Action::Apply => 1,
            Action::Remove => 2,
            Action::Start(_) => 3,
            Action::Checkpoint(_) => 4,
            Action::Restore(_) => 5,
            Action::PowerLoss(_) => 6,
        }
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            "serve-temporary",
            "apply",
            "remove-temporary",
            "start",
            "checkpoint",
            "restore",
            "power-loss",
        ]
    }
}
