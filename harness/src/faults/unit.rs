//! Units of systemd: stopped, started again, and restarted.
//!
//! A stopped unit may be started by another that wants it, as the kubelet's unit wants the runtime's. So a
//! stop leaves a condition behind that no start meets; it lies in memory, and so does not survive a boot.

use std::time::Duration;

use futures::future::join_all;
use terms::Unit;

use super::Effect;
use super::power::together;
use super::script::run_script;
use crate::cluster::Node;

/// How long a command in a node may take. A unit has ten seconds to end, and is given thirty to be ready.
const DEADLINE: Duration = Duration::from_secs(50);

/// The unit's main process, or nothing.
const MAIN: &str = "main() { systemctl show --property=MainPID --value \"$unit\"; }\n\
    runs() { [ \"$(systemctl is-active \"$unit\")\" = active ] && [ \"$(main)\" -gt 0 ]; }\n\
    ready() { for _ in $(seq 300); do runs && return 0; sleep 0.1; done; echo \"$unit does not run: $(systemctl is-active \"$unit\")\"; return 1; }\n\
    gate=/run/systemd/system/$unit.service.d/50-stopped-on-purpose.conf\n";

/// Stops a unit on nodes; proven by its state and the end of its main process, which must have run.
pub(super) async fn stop(nodes: &[&Node], unit: Unit) -> Effect {
    let script = "runs || { echo \"$unit does not run\"; exit 3; }\n\
        before=$(main)\n\
        mkdir -p \"${gate%/*}\" && printf '[Unit]\\nConditionPathExists=/run/nobody-starts-this\\n' > \"$gate\" || exit 4\n\
        systemctl daemon-reload && timeout 30 systemctl stop \"$unit\" || { echo 'systemd did not stop it'; exit 5; }\n\
        runs && { echo \"$unit runs on\"; exit 6; }\n\
        [ -e \"/proc/$before\" ] && { echo \"process $before lives on\"; exit 7; }\n\
        echo \"process $before of $unit is gone, the unit is stopped\"";
    on_all(nodes, unit, script).await
}

/// Stops and starts a unit on nodes; proven by another main process.
pub(super) async fn restart(nodes: &[&Node], unit: Unit) -> Effect {
    let script = "runs || { echo \"$unit does not run\"; exit 3; }\n\
        before=$(main)\n\
        timeout 40 systemctl restart \"$unit\" || { echo 'systemd did not restart it'; exit 5; }\n\
        ready || exit 6\n\
        [ \"$(main)\" != \"$before\" ] || { echo \"process $before lives on\"; exit 7; }\n\
        echo \"$unit: process $before, then $(main)\"";
    on_all(nodes, unit, script).await
}

/// Starts a unit that was stopped; says which process it is now.
///
/// # Errors
/// When it does not run half a minute later.
pub(super) async fn start(node: &Node, unit: Unit) -> Result<String, String> {
    let script = "rm -f \"$gate\"; systemctl daemon-reload && systemctl start --no-block \"$unit\" || exit 5\n\
        ready && echo \"$unit runs as process $(main)\"";
    in_node(node, unit, script).await
}

async fn on_all(nodes: &[&Node], unit: Unit, script: &str) -> Effect {
    let results = join_all(nodes.iter().map(|node| in_node(node, unit, script))).await;
    together(nodes, results)
}

async fn in_node(node: &Node, unit: Unit, script: &str) -> Result<String, String> {
    let script = format!("unit={}\n{MAIN}{script}", unit.name());
    run_script(node, &script, DEADLINE).await
}
