//! One turn of the belief: everything that may have happened until one change did.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, PodSeen, Track, Value};
use super::shown::{announcement, fits_new, fits_still, holds, is_bound, said_at_the_end};
use super::written::Order;
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
    order: &'a Order,
    /// Places of each track's changes, in order.
    pub(super) tracks: &'a BTreeMap<Track, Vec<u32>>,
    /// Places of changes that a kubelet explains which acts on a manifest that it read a moment ago.
    lingering: &'a BTreeSet<u32>,
    /// Whether the steps of the plan's stages are announced in this record, not only the ends.
    stages_seen: bool,
    /// The change whose turn it is.
    pub(super) turn: u32,
}

impl<'a> Layer<'a> {
    pub(super) fn new(
        world: &'a World,
        order: &'a Order,
        tracks: &'a BTreeMap<Track, Vec<u32>>,
        lingering: &'a BTreeSet<u32>,
        turn: u32,
    ) -> Self {
        let changes = &order.changes;
        let is_stage = |change: &Change| {
            let stages = &world.config().plan.stages;
            matches!(&change.value, Value::Step(step, _) if stages.iter().any(|stage| stage.step == *step))
        };
        Self {
            world,
            changes,
            order,
            tracks,
            lingering,
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
        state.left.restarts = Budgets::ANY_NUMBER;
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

    /// Whether a change may have happened by now: its time has come, and whatever was written before it
    /// has been.
    pub(super) fn has_begun(&self, place: u32, ahead: &[u32]) -> bool {
        let was = |first: &u32| *first < self.turn || ahead.contains(first);
        self.changes[place as usize].since_us <= self.change().until_us
            && !self.order.impossible.contains_key(&place)
            && self.order.firsts[place as usize].iter().all(was)
    }

    /// Why the change whose turn it is did not happen, if that is known without the world.
    pub(super) fn impossible(&self) -> Option<&'static str> {
        self.order.impossible.get(&self.turn).copied()
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
            && self.has_begun(place, &node.ahead)
            && self.is_announced(&state, place)
        {
            node.owes = false;
            insert(&mut node.ahead, place);
        }
        if let Some(place) = self.next_of(Track::Steps, &node.ahead)
            && self.has_begun(place, &node.ahead)
            && self.is_said_again(&state, place, &node.ahead)
        {
            insert(&mut node.ahead, place);
        }
        // What was written before something else may show it on a later track.
        loop {
            let known = node.ahead.len();
            for (track, places) in self.tracks {
                while let (_, Some(place)) = self.around(places, &node.ahead)
                    && self.has_begun(place, &node.ahead)
                    && fits_new(
                        &state,
                        *track,
                        &self.changes[place as usize].value,
                        self.lags(&state, *track, place, &node.ahead),
                    )
                {
                    insert(&mut node.ahead, place);
                }
            }
            if node.ahead.len() == known {
                return node;
            }
        }
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

    /// Whether an installer whose procedure is over was started with its node, and says so again. The coarse
    /// world does not start it, for nothing else comes of it.
    fn is_said_again(&self, state: &State, place: u32, ahead: &[u32]) -> bool {
        let Some(places) = self.tracks.get(&Track::Installer) else {
            return false;
        };
        let (last, next) = self.around(places, ahead);
        let runs = |place: u32| self.changes[place as usize].value == Value::There(true);
        let started = last.is_some_and(runs)
            || next.is_some_and(|next| self.has_begun(next, ahead) && runs(next));
        match (&self.changes[place as usize].value, said_at_the_end(state)) {
            (Value::Step(step, moment), Some(said)) => {
                started && state.status == Status::Ended && (step.as_str(), *moment) == said
            }
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
            let changes_now = next.is_some_and(|next| self.has_begun(next, &node.ahead));
            let value = &self.changes[last as usize].value;
            if changes_now {
                continue;
            }
            let lags = self.lags(&after, *track, last, &node.ahead);
            let behind = self.is_left_behind(&after, *track, value, &node.ahead);
            if behind || !fits_still(&after, *track, value, lags) {
                return Err(*track);
            }
        }
        Ok(node)
    }

    /// Whether a pod is shown as unbound although it is bound, and so are others of its component. In the
    /// world pods of all components are bound at once; in a cluster one DaemonSet's may come long after
    /// another's, but soon after each other.
    fn is_left_behind(&self, state: &State, track: Track, value: &Value, ahead: &[u32]) -> bool {
        let (Track::Pod(component, node), Value::Pod(PodSeen::Absent)) = (track, value) else {
            return false;
        };
        let is_other = |track: &&Track| matches!(track, Track::Pod(other, number) if *other == component && *number != node);
        let is_seen_bound = |track: &Track| {
            let last = self
                .tracks
                .get(track)
                .and_then(|places| self.around(places, ahead).0);
            last.is_some_and(|last| {
                let value = &self.changes[last as usize].value;
                matches!(value, Value::Pod(PodSeen::Bound | PodSeen::Ready))
            })
        };
        is_bound(state, component, node) && self.tracks.keys().filter(is_other).any(is_seen_bound)
    }

    /// Whether what is seen may lag behind what is. A pod's component may work before the API calls the pod
    /// ready: an apiserver, which tells the installer itself, and whoever takes or holds the component's
    /// lease. A container may run although its manifest is gone.
    fn lags(&self, state: &State, track: Track, place: u32, ahead: &[u32]) -> bool {
        let (component, node) = match track {
            Track::Process(..) => return self.lingering.contains(&place),
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
            || next.is_some_and(|next| self.has_begun(next, ahead) && takes(next))
    }
}

pub(super) fn insert(ahead: &mut Vec<u32>, place: u32) {
    if let Err(at) = ahead.binary_search(&place) {
        ahead.insert(at, place);
    }
}
