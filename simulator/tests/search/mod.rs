//! The plainest breadth-first search: what the coarse world is tried with where no explorer is wanted.
#![allow(dead_code)]

use std::collections::{BTreeMap, HashMap, VecDeque};

use simulator::coarse::{Action, Config, State, World};
use simulator::explore::Model;

/// What a complete search found.
pub(crate) struct Found {
    pub(crate) world: World,
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    /// How often each kind of action was applied.
    pub(crate) fired: Vec<usize>,
    /// The shortest path to each violated invariant.
    pub(crate) violated: BTreeMap<&'static str, Vec<Action>>,
    /// Invariants that some state decides.
    pub(crate) decided: u64,
    /// The shortest path to a state that is as it should be.
    pub(crate) healthy: Option<Vec<Action>>,
    /// The shortest path to a state from which no such state can be reached without anybody's help.
    pub(crate) lost: Option<Vec<Action>>,
    /// Whether the search came to its end.
    pub(crate) complete: bool,
}

/// How a state was reached: the state before, and the action.
type Reached = HashMap<u128, Option<(u128, Action)>>;

/// Tries every interleaving, up to so many states.
pub(crate) fn search(config: Config, symmetric: bool, most_states: usize) -> Found {
    let world = World::new(config);
    let mut found = Found {
        states: 0,
        transitions: 0,
        fired: vec![0; world.kinds().len()],
        violated: BTreeMap::new(),
        decided: 0,
        healthy: None,
        lost: None,
        complete: true,
        world,
    };
    let mut reached: Reached = HashMap::new();
    let mut queue = VecDeque::new();
    // For the way back: of each state, those that lead to it without anybody's help.
    let mut before: HashMap<u128, Vec<u128>> = HashMap::new();
    let mut well = Vec::new();
    for state in found.world.initial() {
        let key = found.world.pack(&state, symmetric);
        reached.insert(key, None);
        queue.push_back(key);
    }
    let mut actions = Vec::new();
    while let Some(key) = queue.pop_front() {
        let state = found.world.unpack(key);
        note(&mut found, &reached, key, &state);
        if found.world.healthy(&state) {
            well.push(key);
        }
        actions.clear();
        found.world.actions(&state, &mut actions);
        for action in &actions {
            let next = found
                .world
                .pack(&found.world.apply(&state, *action), symmetric);
            found.transitions += 1;
            found.fired[found.world.kind(*action)] += 1;
            if !found.world.is_outside(*action) {
                before.entry(next).or_default().push(key);
            }
            reached.entry(next).or_insert_with(|| {
                queue.push_back(next);
                Some((key, *action))
            });
        }
        if reached.len() > most_states {
            found.complete = false;
            break;
        }
    }
    found.states = reached.len();
    if found.complete {
        found.lost = first_lost(&reached, &before, well);
    }
    found
}

fn note(found: &mut Found, reached: &Reached, key: u128, state: &State) {
    let violated = found.world.violated(state);
    for (bit, slug) in found.world.invariants().iter().enumerate() {
        if violated >> bit & 1 == 1 {
            found
                .violated
                .entry(slug)
                .or_insert_with(|| path(reached, key));
        }
    }
    found.decided |= found.world.decided(state);
    if found.healthy.is_none() && found.world.healthy(state) {
        found.healthy = Some(path(reached, key));
    }
}

fn path(reached: &Reached, mut key: u128) -> Vec<Action> {
    let mut path = Vec::new();
    while let Some(Some((before, action))) = reached.get(&key) {
        path.push(*action);
        key = *before;
    }
    path.reverse();
    path
}

fn first_lost(
    reached: &Reached,
    before: &HashMap<u128, Vec<u128>>,
    mut todo: Vec<u128>,
) -> Option<Vec<Action>> {
    let mut saved: std::collections::HashSet<u128> = todo.iter().copied().collect();
    while let Some(key) = todo.pop() {
        for earlier in before.get(&key).into_iter().flatten() {
            if saved.insert(*earlier) {
                todo.push(*earlier);
            }
        }
    }
    let lost = reached.keys().filter(|key| !saved.contains(key));
    lost.map(|key| path(reached, *key))
        .min_by_key(|path| (path.len(), format!("{path:?}")))
}

/// A path as text, one action a line.
pub(crate) fn words(path: &[Action]) -> String {
    path.iter().map(|action| format!("  {action}\n")).collect()
}
