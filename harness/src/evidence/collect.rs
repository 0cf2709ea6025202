//! Evidence of every node, dead ones too: journals, pod logs, manifests, the installer's log.
//! Capped, with truncation marked; secrets are taken out. What cannot be collected is said in the
//! place where it would have been.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;

use super::redact::redact;
use crate::cluster::{Cluster, Node};
use crate::console::lines::tell;
use crate::installer::{LOG, STEPS, checkpoint_agent, recovery};

/// How long one command of the collection may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// The most that is kept of one text.
const MOST_BYTES: usize = 4 << 20;
/// Lines of a dead node's console.
const CONSOLE_LINES: u32 = 2_000;

/// What is asked of a living node: file name and shell command.
const QUESTIONS: [(&str, &str); 7] = [
    (
        "journal.txt",
        "journalctl --no-pager --boot --lines=20000 --output=short-precise",
    ),
    (
        "containers.txt",
        "ctr --namespace k8s.io containers list; ctr --namespace k8s.io tasks list",
    ),
    (
        "processes.txt",
        "ps -eo pid,ppid,stat,lstart,rss,args --width 400",
    ),
    ("network.txt", "ip address; ip route; ss -ltn"),
    (
        "manifests.txt",
        "cd /etc/kubernetes/manifests && tail -n +1 *",
    ),
    (
        "pod-logs.txt",
        "cd /var/log/pods && find . -name '*.log' | sort | while read -r log; do echo \"==> $log\"; tail -n 1500 \"$log\"; done",
    ),
    ("etcd.txt", "ls -lR /var/lib/etcd/member 2>/dev/null"),
];

/// Collects from all nodes side by side into `<folder>/<node>/`.
pub async fn collect(cluster: &Cluster, folder: &Path) {
    let nodes = cluster.nodes().iter().chain([cluster.load_balancer()]);
    join_all(nodes.map(|node| collect_node(node, folder.join(node.name())))).await;
}

async fn collect_node(node: &Node, folder: PathBuf) {
    if let Err(error) = std::fs::create_dir_all(&folder) {
        tell!(
            "cannot keep evidence of {} in {}: {error}",
            node.name(),
            folder.display()
        );
        return;
    }
    let console = node.logs(CONSOLE_LINES).await;
    write(
        &folder,
        "console.txt",
        &console.unwrap_or_else(|error| missing(&error)),
    );
    if !node.is_running().await.unwrap_or(false) {
        write(
            &folder,
            "off.txt",
            "the node was off when evidence was taken\n",
        );
        return;
    }
    if node.role() == crate::docker::Role::LoadBalancer {
        return;
    }
    for (file, command) in QUESTIONS {
        let answer = node.exec(["sh", "-c", command], DEADLINE).await;
        let text = answer.map_or_else(|error| missing(&error), |output| output.text());
        write(&folder, file, &text);
    }
    let mut whole = Vec::new();
    if node.name() == "cp-1" {
        whole.extend([
            ("installer-log.ndjson", LOG),
            ("installer-steps.ndjson", STEPS),
        ]);
    }
    if node.role() == crate::docker::Role::ControlPlane {
        whole.extend([
            ("agent-log.ndjson", checkpoint_agent::LOG),
            ("agent-steps.ndjson", checkpoint_agent::STEPS),
        ]);
        let recovered = node.exec(["test", "-e", recovery::LOG], DEADLINE).await;
        if recovered.is_ok_and(|asked| asked.success()) {
            whole.extend([
                ("recovery-log.ndjson", recovery::LOG),
                ("recovery-steps.ndjson", recovery::STEPS),
            ]);
        }
    }
    for (file, path) in whole {
        let answer = node.exec(["cat", path], DEADLINE).await;
        let text = answer.map_or_else(|error| missing(&error), |output| output.text());
        // Complete or not at all: a replay needs every line, and there are no secrets in it.
        let _ = std::fs::write(folder.join(file), text);
    }
}

fn missing(error: &dyn std::error::Error) -> String {
    format!("not collected: {error}\n")
}

fn write(folder: &Path, file: &str, text: &str) {
    let mut kept = redact(text);
    if kept.len() > MOST_BYTES {
        let mut begin = kept.len() - MOST_BYTES;
        while !kept.is_char_boundary(begin) {
            begin += 1;
        }
        kept = format!(
            "[{begin} bytes before this were left out]\n{}",
            &kept[begin..]
        );
    }
    if let Err(error) = std::fs::write(folder.join(file), kept) {
        tell!("cannot keep {file} in {}: {error}", folder.display());
    }
}
