//! Follows a record through the world, change by change.

use std::collections::BTreeMap;

use super::change::{Change, Track};
use super::conformance::{Bounds, Conformance, Outcome};
use super::divergence::divergence;
use super::layer::{Belief, Cost, Layer, Node};
use super::linger::lingering;
use super::seen::Seen;
use super::written::Order;
use crate::coarse::World;

/// Follows what was seen through this world, whose announcements must wait
/// ([`crate::coarse::Config::announces`]).
pub(super) fn follow(world: &World, seen: &Seen, bounds: Bounds) -> Conformance {
    let order = Order::of(&seen.changes, &seen.writes);
    let changes = &order.changes;
    let mut tracks: BTreeMap<Track, Vec<u32>> = BTreeMap::new();
    for (place, change) in (0..).zip(changes) {
        tracks.entry(change.track).or_default().push(place);
    }
    let demanded = changes.partition_point(|change| change.until_us < u64::MAX);
    let mut found = Conformance {
        outcome: Outcome::Conforms,
        changes: demanded,
        explained: 0,
        belief_most: 1,
        capped: false,
        unusual: world.config().budgets.timing,
        uncovered: seen.uncovered.as_ref().map(|(_, reason)| reason.clone()),
    };
    let lingering = lingering(changes, &tracks);
    let mut belief = Belief::new();
    for (turn, _) in (0..).zip(&changes[..demanded]) {
        let layer = Layer::new(world, &order, &tracks, &lingering, turn);
        if turn == 0 {
            belief.insert(layer.beginning(), Cost::default());
        }
        let before = absorbed(&layer, belief);
        let (after, capped) = passed(&layer, &before, bounds);
        found.capped |= capped;
        if after.is_empty() {
            found.outcome = if found.capped {
                Outcome::Inconclusive
            } else {
                Outcome::Diverges(divergence(&layer, &before))
            };
            return found;
        }
        found.explained += 1;
        found.belief_most = found.belief_most.max(after.len());
        belief = after;
    }
    if found.capped {
        found.outcome = Outcome::Inconclusive;
    }
    found
}

fn absorbed(layer: &Layer<'_>, belief: Belief) -> Belief {
    let mut all = Belief::new();
    for (node, cost) in belief {
        keep(&mut all, layer.absorb(node), cost);
    }
    all
}

/// The belief once the change whose turn it is has happened, and whether states were left out.
fn passed(layer: &Layer<'_>, before: &Belief, bounds: Bounds) -> (Belief, bool) {
    let mut after = Belief::new();
    let mut known = Belief::new();
    let mut frontier: Vec<(Node, Cost)> = Vec::new();
    let sort = |node: Node, cost: Cost, known: &mut Belief, after: &mut Belief| {
        if let Some(node) = past(layer, &node) {
            keep(after, node, cost);
            return None;
        }
        keep(known, node.clone(), cost).then_some((node, cost))
    };
    for (node, cost) in before {
        frontier.extend(sort(node.clone(), *cost, &mut known, &mut after));
    }
    let (mut actions, mut found) = (Vec::new(), Vec::new());
    for _ in 0..bounds.silent_steps_max {
        if known.len() > bounds.tried_max {
            break;
        }
        let mut next = Vec::new();
        for (node, cost) in frontier {
            layer.follow((&node, cost), &mut actions, &mut found);
            for (node, cost) in found.drain(..).filter_map(|(_, next)| next.ok()) {
                next.extend(sort(node, cost, &mut known, &mut after));
            }
        }
        frontier = next;
    }
    let mut capped = !frontier.is_empty() && after.is_empty();
    if after.len() > bounds.belief_max {
        capped = true;
        let mut ranked: Vec<(Cost, Node)> =
            after.into_iter().map(|(node, cost)| (cost, node)).collect();
        ranked.sort_unstable();
        ranked.truncate(bounds.belief_max);
        after = ranked
            .into_iter()
            .map(|(cost, node)| (node, cost))
            .collect();
    }
    (after, capped)
}

/// The same node in the next turn, if the change whose turn it is has happened.
fn past(layer: &Layer<'_>, node: &Node) -> Option<Node> {
    let (first, rest) = node.ahead.split_first()?;
    (*first == layer.turn).then(|| Node {
        ahead: rest.to_vec(),
        ..node.clone()
    })
}

/// Keeps a node with its least cost; says whether it can do more than was known.
fn keep(belief: &mut Belief, node: Node, cost: Cost) -> bool {
    match belief.get_mut(&node) {
        Some(known) => {
            let can_more = cost.unusual < known.unusual;
            *known = cost.min(*known);
            can_more
        }
        None => belief.insert(node, cost).is_none(),
    }
}

/// The changes before this one that were explained last.
pub(super) fn lately(changes: &[Change], turn: u32) -> Vec<String> {
    const SHOWN: usize = 5;
    let turn = turn as usize;
    changes[turn.saturating_sub(SHOWN)..turn]
        .iter()
        .map(Change::to_string)
        .collect()
}
