//! Processes killed: exactly the one that was aimed at, which its start time proves, for a pid
//! alone is reused.

use std::time::Duration;

use futures::future::join_all;
use oracle::observation::ProcessId;
use terms::{Component, Kill, NodeId, Signal};

use super::Effect;
use super::power::together;
use crate::cluster::{Cluster, Node};
use crate::installer::{UNIT_NAME, recovery::COMMAND as RECOVERY};
use crate::stream::{Picture, Stream};

/// How long a command in a node may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// How long a signalled process may live on. SIGTERM begins a graceful end of some seconds.
const GONE_WITHIN_S: u64 = 15;

/// Kills every process of a component on these nodes.
pub(super) async fn component(nodes: &[&Node], kill: &Kill, stream: &Stream) -> Effect {
    let aims: Vec<(&Node, Vec<ProcessId>)> = {
        let picture = stream.picture();
        let picture = picture.borrow();
        nodes
            .iter()
            .map(|node| (*node, processes(&picture, node, kill.component)))
            .collect()
    };
    let results = join_all(aims.iter().map(|(node, processes)| async move {
        if processes.is_empty() {
            return Err(format!("no {} runs on {}", kill.component, node.name()));
        }
        let mut proofs = Vec::new();
        for process in processes {
            proofs.push(end(node, *process, kill.signal).await?);
        }
        Ok(proofs.join("; "))
    }))
    .await;
    together(nodes, results)
}

fn processes(picture: &Picture, node: &Node, component: Component) -> Vec<ProcessId> {
    let Some(seen) = picture.inventories.get(&NodeId::new(node.name())) else {
        return Vec::new();
    };
    if component == Component::Kubelet {
        return seen.value.kubelet.into_iter().collect();
    }
    if component == Component::CheckpointAgent {
        // Those that wait for the lock too: otherwise the next one would act at once.
        return seen.value.agents.iter().map(|agent| agent.id).collect();
    }
    seen.value
        .processes
        .iter()
        .filter(|process| process.component == component)
        .map(|process| process.id)
        .collect()
}

/// Sends the signal if, and only if, the process is still the one that was aimed at; then waits
/// until it is gone.
async fn end(node: &Node, process: ProcessId, signal: Signal) -> Result<String, String> {
    let ProcessId { pid, start_ticks } = process;
    let alive = format!(
        "[ \"$(sed 's/.*) //' /proc/{pid}/stat 2>/dev/null | cut -d' ' -f20)\" = {start_ticks} ]"
    );
    let script = format!(
        "{alive} || {{ echo 'the process was gone before impact'; exit 3; }}\n\
         kill -s {signal} {pid} || exit 4\n\
         for _ in $(seq {turns}); do {alive} || exit 0; sleep 0.1; done\n\
         echo 'the process lives on'; exit 5",
        signal = signal.name().trim_start_matches("SIG"),
        turns = GONE_WITHIN_S * 10,
    );
    let output = node
        .exec(["sh", "-c", &script], DEADLINE)
        .await
        .map_err(|error| error.to_string())?;
    if output.success() {
        Ok(format!(
            "{}: process {pid} got {} and is gone",
            node.name(),
            signal.name()
        ))
    } else {
        Err(format!(
            "{}: process {pid}: {} {}",
            node.name(),
            output.text().trim(),
            output.complaint()
        ))
    }
}

/// Kills the installer's process on the bootstrap node, or that of a recovery that is under way there.
pub(super) async fn installer(cluster: &Cluster) -> Effect {
    let node = match cluster.node("cp-1") {
        Ok(node) => node,
        Err(error) => return (Vec::new(), Err(error.to_string())),
    };
    let script = format!(
        "what={UNIT_NAME}; pid=$(systemctl show --property=MainPID --value {UNIT_NAME})\n\
         [ \"$pid\" -gt 0 ] || {{ what='a recovery'; pid=$(pgrep -o -f '^{RECOVERY} '); }} \
         || {{ echo 'the installer does not run'; exit 3; }}\n\
         kill -s KILL \"$pid\" || exit 4\n\
         for _ in $(seq 50); do\n\
           [ -e \"/proc/$pid\" ] || [ \"$(systemctl is-active {UNIT_NAME})\" = active ] \
           || {{ echo \"process $pid of $what\"; exit 0; }}\n\
           sleep 0.1\n\
         done\n\
         echo 'the installer lives on'; exit 5"
    );
    let proof = match node.exec(["sh", "-c", &script], DEADLINE).await {
        Ok(output) if output.success() => {
            Ok(format!("{} got SIGKILL and is gone", output.text().trim()))
        }
        Ok(output) => Err(output.text().trim().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    (vec![format!("the installer on {}", node.name())], proof)
}
