//! Images that a node's container runtime has no more, as after a collection or a new disk for images.

use std::time::Duration;

use futures::future::join_all;
use terms::Component;

use super::Effect;
use super::power::together;
use super::script::run_script;
use crate::cluster::Node;

/// How long a command in a node may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// An image has several names (by tag, by digest, by its configuration): all that share its digest go, or the
/// kubelet would find it under another one. What the runtime's kubelet side remembers follows the
/// runtime's events, so it is looked again a moment later.
const SCRIPT: &str = "\
list() { ctr -n k8s.io images list | tail -n +2; }
digests=$(list | awk -v of=\"$name\" '{ split($1, parts, /[:@]/); if (parts[1] == of) print $3 }' | sort -u)
[ -n \"$digests\" ] || { echo \"there is no image of $name\"; exit 3; }
named() { for digest in $digests; do list | awk -v of=\"$digest\" '$3 == of { print $1 }'; done; }
before=$(named)
ctr -n k8s.io images remove --sync $before >/dev/null || exit 4
sleep 1
after=$(named)
[ -z \"$after\" ] || { echo \"still there:\" $after; exit 5; }
echo \"gone from the runtime:\" $before";

/// Removes the component's image from each node; proven by the runtime's list, which has none of its names any more.
pub(super) async fn remove(nodes: &[&Node], component: Component) -> Effect {
    let script = format!("name={}\n{SCRIPT}", name(component));
    let scripts = nodes.iter().map(|node| run_script(node, &script, DEADLINE));
    let results = join_all(scripts).await;
    together(nodes, results)
}

/// The image's name without its tag, as nodes keep it.
fn name(component: Component) -> String {
    match component {
        // The agent is the installer's own program. A name without a registry is completed when it is imported.
        Component::CheckpointAgent => "docker.io/chrysalis/selfhost".to_owned(),
        other => format!("registry.k8s.io/{other}"),
    }
}
