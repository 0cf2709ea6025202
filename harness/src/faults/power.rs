//! Power: lost, and lost for a moment.

use futures::future::join_all;

use super::Effect;
use crate::cluster::Node;

/// Powers nodes off together; proven by the engine's own state before and after.
pub(super) async fn off(nodes: &[&Node]) -> Effect {
    let results = join_all(nodes.iter().map(|node| async {
        let effect = node.power_off().await.map_err(|error| error.to_string())?;
        Ok(format!("{}: {}", node.name(), effect.power()))
    }))
    .await;
    together(nodes, results)
}

/// Takes nodes' power and gives it back at once; proven by a new start.
pub(super) async fn reboot(nodes: &[&Node]) -> Effect {
    let results = join_all(nodes.iter().map(|node| async {
        let effect = node.reboot().await.map_err(|error| error.to_string())?;
        let (before, after) = (&effect.before.started_at, &effect.after.started_at);
        if before == after {
            return Err(format!("{} was not started anew", node.name()));
        }
        Ok(format!("{}: started {before}, then {after}", node.name()))
    }))
    .await;
    together(nodes, results)
}

/// Freezes nodes together; proven by the engine's own state before and after.
pub(super) async fn freeze(nodes: &[&Node]) -> Effect {
    let results = join_all(nodes.iter().map(|node| async {
        let effect = node.freeze().await.map_err(|error| error.to_string())?;
        Ok(format!("{}: {}", node.name(), effect.power()))
    }))
    .await;
    together(nodes, results)
}

/// All effects as one: it counts only if every target was hit.
pub(super) fn together(nodes: &[&Node], results: Vec<Result<String, String>>) -> Effect {
    let objects = nodes
        .iter()
        .map(|node| node.container_name().to_owned())
        .collect();
    let proofs: Result<Vec<String>, String> = results.into_iter().collect();
    (objects, proofs.map(|proofs| proofs.join("; ")))
}
