//! Any small graph as a world, to compare the explorer with a plain reference on many of them.

use std::fmt;

use proptest::prelude::*;
use simulator::explore::Model;

/// A world whose states are numbers.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    /// By state: what can happen there.
    pub(crate) edges: Vec<Vec<Edge>>,
    /// Initial states.
    pub(crate) initial: Vec<u8>,
    /// By state: bits of violated invariants.
    pub(crate) violated: Vec<u64>,
    /// By state.
    pub(crate) healthy: Vec<bool>,
}

/// Something that can happen: where it leads, and what kind it is. Kind 0 comes from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) struct Edge {
    pub(crate) to: u8,
    pub(crate) kind: u8,
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kind-{} to {}", self.kind, self.to)
    }
}

/// Graphs of up to 24 states, thin enough that some states cannot return.
pub(crate) fn graphs() -> impl Strategy<Value = Graph> {
    (2u8..24).prop_flat_map(|states| {
        let edge = (0..states, 0u8..4).prop_map(|(to, kind)| Edge { to, kind });
        let many = usize::from(states);
        (
            prop::collection::vec(prop::collection::vec(edge, 0..4), many),
            prop::collection::vec(0..states, 1..3),
            prop::collection::vec(prop_oneof![5 => Just(0u64), 1 => 1u64..4], many),
            prop::collection::vec(prop::bool::weighted(0.2), many),
        )
            .prop_map(|(edges, initial, violated, healthy)| Graph {
                edges,
                initial,
                violated,
                healthy,
            })
    })
}

impl Model for Graph {
    type State = u8;
    type Action = Edge;

    fn initial(&self) -> Vec<u8> {
        self.initial.clone()
    }

    fn actions(&self, state: &u8, into: &mut Vec<Edge>) {
        into.extend(&self.edges[usize::from(*state)]);
    }

    fn apply(&self, _: &u8, action: Edge) -> u8 {
        action.to
    }

    /// Under symmetry each odd state is called the mirror of the even one below it, true or not.
    fn pack(&self, state: &u8, symmetric: bool) -> u128 {
        u128::from(state & !u8::from(symmetric)) << 77
    }

    fn unpack(&self, key: u128) -> u8 {
        (key >> 77) as u8
    }

    fn invariants(&self) -> &'static [&'static str] {
        &["even", "odd"]
    }

    fn violated(&self, state: &u8) -> u64 {
        self.violated[usize::from(*state)]
    }

    fn decided(&self, _: &u8) -> u64 {
        3
    }

    fn healthy(&self, state: &u8) -> bool {
        self.healthy[usize::from(*state)]
    }

    fn is_outside(&self, action: Edge) -> bool {
        action.kind == 0
    }

    fn kind(&self, action: Edge) -> usize {
        usize::from(action.kind)
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["outside", "one", "two", "three"]
    }
}
