//! The reference installer's checkpoint agents, as far as somebody outside deals with them: where
//! they say what they do, and how they are held and released.

use super::operation::HoldPoint;
use crate::cluster::{ClusterError, Node};
use crate::docker::NodeFile;

/// An agent's step stream.
pub const STEPS: &str = "/var/lib/selfhost/checkpoint-agent/events.ndjson";
/// An agent's log of inputs and effects.
pub const LOG: &str = "/var/lib/selfhost/checkpoint-agent/log.ndjson";
/// Hold points that an agent looks for at each announcement, one a line.
const HOLDS: &str = "/var/lib/selfhost/checkpoint-agent/holds";
/// The pipe over which an agent is released.
pub const CONTROL: &str = "/var/lib/selfhost/checkpoint-agent/control";

/// Writes where the node's agent is to be held, before it starts.
///
/// # Errors
/// When the node cannot be written to.
pub async fn write_holds(node: &Node, holds: &[HoldPoint]) -> Result<(), ClusterError> {
    let lines: String = holds
        .iter()
        .flat_map(|hold| [hold.argument(), "\n".to_owned()])
        .collect();
    let file = NodeFile::new(HOLDS, 0o600, lines.into_bytes());
    node.upload(&[file]).await
}
