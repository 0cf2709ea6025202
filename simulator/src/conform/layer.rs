//! One turn of the belief: everything that may have happened until one change did.

use std::collections::BTreeMap;

use super::change::{Change, Track, Value};
use super::shown::{announcement, fits_new, fits_still, holds};
use crate::coarse::{Budgets, State, Status, Teardown, World};
use crate::explore::Model;
use terms::Component;

/// A state that explains the changes so far.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    /// The state, packed.
    pub(super) key: u128,
    /// Its announcement was not seen yet.
    pub(super) owes: bool,
    /// Changes that were taken ahead of their turn, by place, in order.
    pub(super) ahead: Vec<u32>,
}

/// Nodes, each with the least that leads to it. Whoever used less of what is unusual can do all that
/// others can, so that the others need not be kept.
pub(super) type Belief = BTreeMap<Node, Cost>;

/// What an explanation takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    /// Unusual things.
    pub(super) unusual: u8,
    /// Actions that nothing shows.
    pub(super) silent: u32,
}

/// What was compared so far, and what comes next.
pub(super) struct Layer<'a> {
    pub(super) world: &'a World,
    pub(super) changes: &'a [Change],
    /// Places of each track's changes, in order.
    pub(super) tracks: &'a BTreeMap<Track, Vec<u32>>,
    /// Whether the steps of the plan's stages are announced in this record, not only the ends.
    stages_seen: bool,
    /// The change whose turn it is.
    pub(super) turn: u32,
}

impl<'a> Layer<'a> {
    pub(super) fn new(
        world: &'a World,
        changes: &'a [Change],
        tracks: &'a BTreeMap<Track, Vec<u32>>,
        turn: u32,
    ) -> Self {
        let is_stage = |change: &Change| {
            let stages = &world.config().plan.stages;
            matches!(&change.value, Value::Step(step, _) if stages.iter().any(|stage| stage.step == *step))
        };
        Self {
            world,
            changes,
            tracks,
            stages_seen: changes.iter().any(is_stage),
            turn,
        }
    }

    /// The node of the beginning.
    pub(super) fn beginning(&self) -> Node {
        let state = self.world.initial()[0];
        self.node(state, self.is_told(&state), Vec::new())
    }

    fn node(&self, state: State, owes: bool, ahead: Vec<u32>) -> Node {
        let mut state = state;
        // What only judges remember, and what the record rations.
        state.teardown = Teardown::None;
        state.served_at_failure = 0;
        state.left.power_cuts = Budgets::MOST;
        state.left.kills = Budgets::MOST;
        state.left.installer_kills = Budgets::MOST;
        state.left.restarts = Budgets::MOST;
        // What is left of the unusual stands in the cost.
        state.left.timing = 0;
        state.left.lost_answers = 0;
        let key = self.world.pack(&state, false);
        Node { key, owes, ahead }
    }

    /// How much that is unusual an explanation may use.
    pub(super) fn unusual(&self) -> u8 {
        self.world.config().budgets.timing
    }

    /// The change whose turn it is.
    pub(super) fn change(&self) -> &Change {
        &self.changes[self.turn as usize]
    }

    /// Whether a change may have happened by now.
    pub(super) fn has_begun(&self, place: u32) -> bool {
        self.changes[place as usize].since_us <= self.change().until_us
    }

    /// The places of a track's last change and of its next one.
    fn around(&self, places: &[u32], ahead: &[u32]) -> (Option<u32>, Option<u32>) {
        let mut next = places.partition_point(|place| *place < self.turn);
        while next < places.len() && ahead.contains(&places[next]) {
            next += 1;
        }
        let last = next.checked_sub(1).map(|last| places[last]);
        (last, places.get(next).copied())
    }

    pub(super) fn next_of(&self, track: Track, ahead: &[u32]) -> Option<u32> {
        self.around(self.tracks.get(&track)?, ahead).1
    }

    /// Whether the record would show the state's announcement.
    fn is_told(&self, state: &State) -> bool {
        let is_stage = state.machine.announced().is_some();
        self.tracks.contains_key(&Track::Steps)
            && announcement(self.world, state).is_some()
            && (self.stages_seen || !is_stage)
    }

    /// Takes every change that the state shows and that may have happened by now.
    pub(super) fn absorb(&self, mut node: Node) -> Node {
        let state = self.world.unpack(node.key);
        if node.owes
            && let Some(place) = self.next_of(Track::Steps, &node.ahead)
            && self.has_begun(place)
            && self.is_announced(&state, place)
        {
            node.owes = false;
            insert(&mut node.ahead, place);
        }
        for (track, places) in self.tracks {
            while let (_, Some(place)) = self.around(places, &node.ahead)
                && self.has_begun(place)
                && fits_new(
                    &state,
                    *track,
                    &self.changes[place as usize].value,
                    self.lags(&state, *track, &node.ahead),
                )
            {
                insert(&mut node.ahead, place);
            }
        }
        node
    }

    fn is_announced(&self, state: &State, place: u32) -> bool {
        match (
            &self.changes[place as usize].value,
            announcement(self.world, state),
        ) {
            (Value::Step(step, moment), Some(said)) => (step.as_str(), *moment) == said,
            _ => false,
        }
    }

    /// The node of a state that was reached, unless it contradicts what is seen.
    pub(super) fn arrive(
        &self,
        before: &State,
        after: State,
        owed: bool,
        ahead: Vec<u32>,
    ) -> Result<Node, Track> {
        let said = announcement(self.world, &after);
        let is_new = said != announcement(self.world, before)
            || before.status != Status::Running && after.status == Status::Running;
        let owes = self.is_told(&after) && (is_new || owed);
        let node = self.absorb(self.node(after, owes, ahead));
        for (track, places) in self.tracks {
            let (Some(last), next) = self.around(places, &node.ahead) else {
                continue;
            };
            let changes_now = next.is_some_and(|next| self.has_begun(next));
            let value = &self.changes[last as usize].value;
            if !changes_now
                && !fits_still(
                    &after,
                    *track,
                    value,
                    self.lags(&after, *track, &node.ahead),
                )
            {
                return Err(*track);
            }
        }
        Ok(node)
    }

    /// Whether a pod's component may work before the API calls the pod ready: an apiserver, which tells the
    /// installer itself, and whoever takes or holds the component's lease.
    fn lags(&self, state: &State, track: Track, ahead: &[u32]) -> bool {
        let (component, node) = match track {
            Track::Pod(Component::KubeApiserver, _) => return true,
            Track::Pod(component, node) => (component, node),
            _ => return false,
        };
        let takes = |place: u32| {
            let value = &self.changes[place as usize].value;
            matches!(value, Value::Holder(Some(holder)) if holder.node == Some(node))
        };
        let next = self.next_of(Track::Lease(component), ahead);
        holds(state, component, node)
            || next.is_some_and(|next| self.has_begun(next) && takes(next))
    }
}

pub(super) fn insert(ahead: &mut Vec<u32>, place: u32) {
    if let Err(at) = ahead.binary_search(&place) {
        ahead.insert(at, place);
    }
}
