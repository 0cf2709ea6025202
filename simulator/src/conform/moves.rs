//! What can happen to a node of the belief, and what follows.

use std::fmt;

use pivot::Timer;
use terms::{Component, Incarnation};

use super::change::{Strike, Track, Value};
use super::layer::{Cost, Layer, Node, insert};
use super::shown::{is_installers, may_restart, takes};
use crate::coarse::{Action, State};
use crate::explore::Model;

/// A controller that gives up may have released its lease so long before its process is gone.
const GIVING_UP_US: u64 = 3_000_000;

/// Something that can happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    /// In the world.
    Action(Action),
    /// A process that only starts is started anew, which the world does not tell apart.
    Restart(Track),
    /// From outside, for the record says so.
    Strike(Strike),
}

/// What follows a move: a node, or the track that it contradicts.
pub(super) type Next = Result<(Node, Cost), Track>;

impl fmt::Display for Move {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(action) => write!(formatter, "{action}"),
            Self::Restart(track) => write!(formatter, "restart of the {track}"),
            Self::Strike(strike) => write!(formatter, "{strike}"),
        }
    }
}

impl Layer<'_> {
    /// Everything that can happen, with what follows.
    pub(super) fn follow(
        &self,
        (node, cost): (&Node, Cost),
        actions: &mut Vec<Action>,
        into: &mut Vec<(Move, Next)>,
    ) {
        let mut state = self.world.unpack(node.key);
        let unusual = self.unusual().saturating_sub(cost.unusual);
        state.left.timing = unusual;
        state.left.lost_answers = unusual;
        let costs = |after: &State| {
            let left = after.left.timing.min(after.left.lost_answers);
            Cost {
                unusual: cost.unusual + unusual.saturating_sub(left),
                silent: cost.silent + 1,
            }
        };
        actions.clear();
        self.world.actions(&state, actions);
        for action in actions.iter() {
            if let Some(before) = self.before(node, &state, *action) {
                let next = self.after(node, &before, *action);
                let next = next.map(|(node, after)| (node, costs(&after)));
                into.push((Move::Action(*action), next));
            }
        }
        self.shown(node, &state, |what, after, next| {
            into.push((what, next.map(|node| (node, costs(after)))));
        });
    }

    /// What is no action of the world by itself, and that the record shows.
    fn shown(
        &self,
        node: &Node,
        state: &State,
        mut tell: impl FnMut(Move, &State, Result<Node, Track>),
    ) {
        for track in self.tracks.keys() {
            let Some(place) = self
                .next_of(*track, &node.ahead)
                .filter(|place| self.has_begun(*place, &node.ahead))
            else {
                continue;
            };
            let mut ahead = node.ahead.clone();
            insert(&mut ahead, place);
            match self.changes[place as usize].value {
                Value::Process(None) if may_restart(state, *track) => {
                    let next = self.arrive(state, *state, node.owes, ahead);
                    tell(Move::Restart(*track), state, next);
                }
                Value::Strike(strike) => {
                    for after in self.struck(*state, strike) {
                        let next = self.arrive(state, after, node.owes, ahead.clone());
                        tell(Move::Strike(strike), &after, next);
                    }
                }
                _ => {}
            }
        }
    }

    /// The state in which an action happens by itself, if it does.
    fn before(&self, node: &Node, state: &State, action: Action) -> Option<State> {
        match action {
            Action::Kill(component, incarnation, number) => {
                self.gives_up(node, state, Track::Process(component, incarnation, number))
            }
            _ if is_outside(action) => None,
            _ => Some(*state),
        }
    }

    /// The state in which a controller ends by itself because it could not renew its lease, if the record
    /// shows that its process ends: as a matter of course when no apiserver answers, otherwise from the
    /// budget of unusual timing.
    fn gives_up(&self, node: &Node, state: &State, track: Track) -> Option<State> {
        // The timed world's controllers never do.
        let is_told = self.tracks.contains_key(&Track::Installer);
        let is_controller =
            !is_told && !matches!(track, Track::Process(Component::KubeApiserver, ..));
        let ends = |place: &u32| {
            let change = &self.changes[*place as usize];
            let soon_us = self.change().until_us.saturating_add(GIVING_UP_US);
            change.value == Value::Process(None) && change.since_us <= soon_us
        };
        self.next_of(track, &node.ahead)
            .filter(ends)
            .filter(|_| is_controller)?;
        let mut before = *state;
        if state.is_reachable(state.has_quorum(self.world.config().control_planes)) {
            before.left.timing = before.left.timing.checked_sub(1)?;
        }
        Some(before)
    }

    fn after(&self, node: &Node, state: &State, action: Action) -> Result<(Node, State), Track> {
        if node.owes && is_installers(action) {
            return Err(Track::Steps);
        }
        let after = self.world.apply(state, action);
        let mut ahead = node.ahead.clone();
        if let Some(track) = told_of(action)
            && self.tracks.contains_key(&track)
        {
            let place = self.next_of(track, &ahead).ok_or(track)?;
            if !(self.has_begun(place, &ahead)
                && tells(&after, action, &self.changes[place as usize].value))
            {
                return Err(track);
            }
            insert(&mut ahead, place);
        }
        let node = self.arrive(state, after, node.owes, ahead)?;
        Ok((node, after))
    }

    /// The states after something was done: the same if there was nothing to hit. A record does not say
    /// which incarnations of a component a kill hit.
    fn struck(&self, state: State, strike: Strike) -> Vec<State> {
        let hit = |state: State, action: Action| {
            let mut listed = Vec::new();
            self.world.actions(&state, &mut listed);
            let is_listed = listed.contains(&action);
            is_listed.then(|| self.world.apply(&state, action))
        };
        let action = match strike {
            Strike::PowerOff(node) => Action::CutPower(node),
            Strike::PowerOn(node) => Action::PowerOn(node),
            Strike::KillInstaller => Action::KillInstaller,
            Strike::StartAgain => Action::StartAgain,
            Strike::Kill(component, node) => {
                let mut states = vec![state];
                for incarnation in [
                    Incarnation::Bootstrap,
                    Incarnation::SelfHosted,
                    Incarnation::Checkpoint,
                ] {
                    let kill = Action::Kill(component, incarnation, node);
                    let more: Vec<State> = states
                        .iter()
                        .filter_map(|state| hit(*state, kill))
                        .collect();
                    states.extend(more);
                }
                if states.len() > 1 {
                    states.remove(0);
                }
                return states;
            }
        };
        vec![hit(state, action).unwrap_or(state)]
    }
}

/// The track, if it is told, that has a change for each such action.
const fn told_of(action: Action) -> Option<Track> {
    match action {
        Action::TakeLease(lock, _) => Some(Track::Lease(lock)),
        Action::Done(_) => Some(Track::Tasks),
        Action::Stable | Action::StableUnseen | Action::Overdue | Action::OverdueEarly => {
            Some(Track::Timers)
        }
        _ => None,
    }
}

/// Whether this change tells of the action that led to this state.
fn tells(after: &State, action: Action, value: &Value) -> bool {
    match (action, value) {
        (Action::TakeLease(lock, _), _) => takes(after, lock, value),
        (Action::Done(task), Value::Done(done)) => task == *done,
        (Action::Stable | Action::StableUnseen, Value::Elapsed(timer)) => *timer == Timer::Stable,
        (Action::Overdue | Action::OverdueEarly, Value::Elapsed(timer)) => *timer == Timer::Stage,
        _ => false,
    }
}

/// Whether the record says when it happens.
const fn is_outside(action: Action) -> bool {
    matches!(
        action,
        Action::CutPower(_)
            | Action::PowerOn(_)
            | Action::Kill(..)
            | Action::KillInstaller
            | Action::StartAgain
            | Action::StartForeign
    )
}
