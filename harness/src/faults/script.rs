//! Scripts in nodes that do something and prove it.

use std::time::Duration;

use crate::cluster::Node;

/// Runs a shell script in the node; what it printed is the proof, behind the node's name.
///
/// # Errors
/// What it printed and complained of, when it did not end well or not within the deadline.
pub(super) async fn run_script(
    node: &Node,
    script: &str,
    deadline: Duration,
) -> Result<String, String> {
    let output = node.exec(["sh", "-c", script], deadline).await;
    let output = output.map_err(|error| error.to_string())?;
    let said = format!("{}: {}", node.name(), output.text().trim());
    if output.success() {
        Ok(said)
    } else {
        Err(format!("{said} {}", output.complaint()).trim().to_owned())
    }
}
