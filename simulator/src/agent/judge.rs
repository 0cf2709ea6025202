//! What is wrong with a state: the meaning that the oracle gives its invariants, where one state decides them.

use pivot::checkpoint::Step;

use super::state::{APISERVER, Base, Content, Copied, Node, Part, Pod, State};
use super::world::World;

/// Slugs of the invariants that a state decides, in the order of their bits.
pub const INVARIANTS: [&str; 7] = [
    "somebody-can-start-an-apiserver",
    "checkpoints-armed-before-teardown",
    "checkpoints-are-complete",
    "checkpoints-outlive-ignorance",
    "one-checkpoint-agent",
    "handover-is-bounded",
    "last-known-good",
];

impl World {
    /// Which invariants the state violates, by bit.
    pub(crate) fn wrong(&self, state: &State) -> u64 {
        let nodes = || state.nodes.iter().take(usize::from(self.control_planes()));
        let any_part = |is: &dyn Fn(&Part) -> bool| nodes().any(|node| node.parts.iter().any(is));
        let verdicts = [
            self.judges_start(state) && !self.can_start(state),
            state.unarmed,
            any_part(&|part| part.base == Base::Torn),
            state.doubtful,
            nodes().any(|node| node.agent && !node.guarded),
            self.any_coexists(state) && self.is_quiet(state),
            any_part(&|part| {
                part.base == Base::Bad || matches!(part.copy, Copied::Active(Content::Bad, _))
            }),
        ];
        bits(verdicts)
    }

    /// Which invariants the state decides, by bit.
    pub(crate) fn judged(&self, state: &State) -> u64 {
        let nodes = || state.nodes.iter().take(usize::from(self.control_planes()));
        let any_saved = nodes().any(|node| {
            let saved = |part: &Part| part.base != Base::Nothing;
            node.parts.iter().any(saved)
        });
        let any_in_grace = nodes().any(|node| {
            let in_grace = |part: &Part| part.machine.step() == Some(Step::Removed);
            node.parts.iter().any(in_grace)
        });
        bits([
            self.judges_start(state),
            !state.bootstrap,
            any_saved,
            any_in_grace || state.doubtful,
            nodes().any(|node| node.agent),
            self.any_coexists(state),
            any_saved,
        ])
    }

    /// As the oracle: while a majority of etcd's nodes has power, and no node without power could start one.
    fn judges_start(&self, state: &State) -> bool {
        let waits = state
            .nodes
            .iter()
            .enumerate()
            .any(|(number, node)| !node.on && self.has_startable(state, number, node));
        state.has_quorum(self.control_planes()) && (self.can_start(state) || !waits)
    }

    fn can_start(&self, state: &State) -> bool {
        state.is_reachable(self.control_planes())
            || state.nodes.iter().enumerate().any(|(number, node)| {
                let knows = node.synced && node.parts[APISERVER].pod != Pod::None;
                node.on && (knows || self.has_startable(state, number, node))
            })
    }

    /// Whether the node has an apiserver's manifest with all its files, in the kubelet's directory or
    /// where an agent finds it.
    fn has_startable(&self, state: &State, number: usize, node: &Node) -> bool {
        let part = &node.parts[APISERVER];
        part.base.is_complete()
            || matches!(part.copy, Copied::Active(Content::Good | Content::Bad, _))
            || number == 0 && state.bootstrap
    }

    /// Whether a copy runs beside its parent, which the API says is ready, and an agent could see it.
    fn any_coexists(&self, state: &State) -> bool {
        state.is_reachable(self.control_planes())
            && state.nodes.iter().any(|node| {
                let both = |part: &Part| part.copy.runs() && part.process.is_ready();
                node.on && node.synced && node.parts.iter().any(both)
            })
    }
}

fn bits(verdicts: [bool; INVARIANTS.len()]) -> u64 {
    verdicts
        .iter()
        .enumerate()
        .fold(0, |bits, (place, is)| bits | u64::from(*is) << place)
}
