//! Explains a change that the world cannot.

use super::conformance::{Divergence, Survivor};
use super::follow::lately;
use super::layer::{Belief, Cost, Layer, Node};
use super::shown::{procedure, words};
use crate::explore::Model;

/// How many of the last states are shown.
const SURVIVORS: usize = 3;

/// What is known of the change whose turn it is, given the belief before it.
pub(super) fn divergence(layer: &Layer<'_>, before: &Belief) -> Divergence {
    let change = layer.change();
    let mut ranked: Vec<(Cost, &Node)> = before.iter().map(|(node, cost)| (*cost, node)).collect();
    ranked.sort_unstable();
    Divergence {
        change: match layer.impossible() {
            Some(why) => format!("{change} ({why})"),
            None => change.to_string(),
        },
        since_ms: change.since_us / 1_000,
        until_ms: change.until_us / 1_000,
        before: lately(layer.changes, layer.turn),
        survivors: ranked
            .iter()
            .take(SURVIVORS)
            .map(|(cost, node)| survivor(layer, node, *cost))
            .collect(),
    }
}

fn survivor(layer: &Layer<'_>, node: &Node, cost: Cost) -> Survivor {
    let state = layer.world.unpack(node.key);
    let mut found = Vec::new();
    layer.follow((node, cost), &mut Vec::new(), &mut found);
    let (mut admitted, mut contradicted) = (Vec::new(), Vec::new());
    for (what, next) in found {
        match next {
            Ok(_) => admitted.push(what.to_string()),
            Err(track) => contradicted.push(format!("{what} ({track})")),
        }
    }
    let told = if node.owes {
        ", not announced in the record"
    } else {
        ""
    };
    Survivor {
        shows: words(layer.world, &state, layer.change().track),
        procedure: format!("{}{told}", procedure(layer.world, &state)),
        admitted,
        contradicted,
    }
}
