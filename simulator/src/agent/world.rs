//! The agent's world as a model that an explorer can try.

use pivot::checkpoint::{self, begin};

use super::action::Action;
use super::config::{Config, Faults};
use super::judge::INVARIANTS;
use super::pack;
use super::state::{Base, Copied, Node, Part, Pending, Pod, Process, State};
use crate::explore::Model;

/// A world around checkpoint agents: the bounds, with what follows from them.
#[derive(Clone, Debug)]
pub struct World {
    config: Config,
}

impl World {
    /// The world within these bounds.
    ///
    /// # Panics
    /// When the plan cannot be followed.
    pub fn new(config: Config) -> Self {
        config
            .plan
            .check()
            .expect("an explored plan can be followed");
        Self { config }
    }

    /// Its bounds.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) const fn control_planes(&self) -> u8 {
        self.config.control_planes
    }

    /// Before the first checkpoint: everything is self-hosted and ready, the bootstrap control plane is
    /// still there, and the agents are about to start.
    fn beginning(&self) -> State {
        let part = Part {
            pod: Pod::Bound {
                bad: false,
                ready: true,
            },
            process: Process::Runs {
                bad: false,
                ready: true,
            },
            ..Part::NOTHING
        };
        let node = Node {
            on: true,
            synced: true,
            parts: [part; 2],
            ..NO_NODE
        };
        let Faults { most, .. } = self.config.faults;
        let mut state = State {
            nodes: [NO_NODE; 2],
            bootstrap: true,
            bad: [false; 2],
            unled: false,
            unarmed: false,
            doubtful: false,
            left: most,
        };
        for place in state
            .nodes
            .iter_mut()
            .take(usize::from(self.control_planes()))
        {
            *place = node;
        }
        state
    }
}

/// A node that is not there.
pub(crate) const NO_NODE: Node = Node {
    on: false,
    synced: false,
    agent: false,
    guarded: false,
    rolled: false,
    runtime_error: false,
    parts: [Part::NOTHING; 2],
};

impl Model for World {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![self.beginning()]
    }

    fn actions(&self, state: &State, into: &mut Vec<Action>) {
        self.list_actions(state, into);
    }

    fn apply(&self, state: &State, action: Action) -> State {
        self.after(state, action)
    }

    fn pack(&self, state: &State, symmetric: bool) -> u128 {
        pack::pack(state, symmetric && self.control_planes() == 2)
    }

    fn unpack(&self, key: u128) -> State {
        let mut state = pack::unpack(key);
        self.recall_parents(&mut state);
        state
    }

    fn invariants(&self) -> &'static [&'static str] {
        &INVARIANTS
    }

    fn violated(&self, state: &State) -> u64 {
        self.wrong(state)
    }

    fn decided(&self, state: &State) -> u64 {
        self.judged(state)
    }

    /// Every node has power, everything is self-hosted, ready and of a good revision, no copy is left,
    /// and what the plan covers could be started from every disk.
    fn healthy(&self, state: &State) -> bool {
        let good = Process::Runs {
            bad: false,
            ready: true,
        };
        let nodes = state.nodes.iter().take(usize::from(self.control_planes()));
        !state.bootstrap
            && state.bad == [false; 2]
            && !state.unled
            && nodes.into_iter().all(|node| {
                node.on
                    && node.synced
                    && node.agent
                    && node.guarded
                    && !node.runtime_error
                    && (0..2).all(|place| {
                        let part = &node.parts[place];
                        part.process == good
                            && part.copy == Copied::Inactive
                            && (!self.covers(place)
                                || part.base == Base::Good && part.pending == Pending::None)
                    })
            })
    }

    fn is_outside(&self, action: Action) -> bool {
        action.is_outside()
    }

    fn kind(&self, action: Action) -> usize {
        action.kind()
    }

    fn kinds(&self) -> &'static [&'static str] {
        &Action::KINDS
    }
}

impl World {
    /// A machine knows the parent that it was last told of, which is the present one.
    fn recall_parents(&self, state: &mut State) {
        for node in 0..usize::from(self.control_planes()) {
            if !state.nodes[node].agent {
                continue;
            }
            for place in 0..2 {
                let parent = self.facts(state, node, place).parent;
                let machine = &mut state.nodes[node].parts[place].machine;
                let bits = machine.to_bits() & 0x00ff_ffff | u32::from(parent) << 24;
                *machine = checkpoint::State::from_bits(bits).unwrap_or(begin());
            }
        }
    }
}
