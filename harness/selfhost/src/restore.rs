//! etcd's data out of a snapshot, on a node whose own etcd holds nothing.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::assets::{Assets, ETCD_PORT, Machine};
use crate::cluster_file::ClusterFile;
use crate::durable_file::{self, FileError};
use crate::layout::Layout;
use crate::members::Members;
use crate::snapshot::{self, SnapshotError};
use crate::tool::{self, ToolError};

/// By how much revisions are raised, so that no client ever sees one lower than it has seen: more than
/// a busy cluster writes between two snapshots.
const BUMP_REVISION: &str = "1000000000";
/// How long etcd may take to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(60);
/// etcd's manifest, as it was rendered.
pub(crate) const MANIFEST: &str = "etcd.yaml";

/// The data was not restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    /// The snapshot cannot be used.
    #[error("the snapshot cannot be used")]
    Snapshot(#[from] SnapshotError),
    /// The snapshot is of another cluster.
    #[error("{} is of another cluster than the escrow; nothing was changed", .0.display())]
    Foreign(PathBuf),
    /// There is something that would be lost.
    #[error("this node is not clean, and nothing was changed: {0}")]
    Dirty(String),
    /// Another node has etcd already.
    #[error(
        "nothing was changed: etcd of {0} answers with a majority, so a second cluster would be made here; make this node a member of that one with --join"
    )]
    LivesElsewhere(String),
    /// etcd goes on.
    #[error(
        "etcd still runs {STOPS_WITHIN:?} after its manifest was taken away; look at the kubelet"
    )]
    StillRuns,
    /// A file cannot be used.
    #[error("a file cannot be used")]
    File(#[from] FileError),
    /// etcdutl refused.
    #[error("etcd's data was not restored")]
    Tool(#[from] ToolError),
}

impl RestoreError {
    /// Whether something that is there forbids it (exit code 4).
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Dirty(_) | Self::Foreign(_) | Self::LivesElsewhere(_)
        )
    }
}

/// Puts the snapshot in the place of this node's empty etcd, as its only member. `rendered` is etcd's
/// manifest in the escrow: a new machine need not have one, and had better not. `others` are all other
/// control-plane nodes, lost ones too: whoever restored on one of them was first.
///
/// Killed anywhere, it can be done again: a breadcrumb says that the data was found empty, a second one
/// that the restored data is in its place.
///
/// # Errors
/// When the snapshot is damaged, the node is not clean, or etcd does not stop.
pub(crate) async fn restore(
    file: &Path,
    cluster: &ClusterFile,
    assets: &Assets,
    layout: &Layout,
    rendered: &Path,
    others: &[Machine],
) -> Result<(), RestoreError> {
    let record = snapshot::verify(file).await?;
    if !record.cluster.is_empty() && record.cluster != assets.cluster_id {
        return Err(RestoreError::Foreign(file.to_owned()));
    }
    let (begun, restored) = breadcrumbs(layout);
    let is = |path: &Path| -> Result<bool, FileError> {
        let found = durable_file::read_if_present(path)?;
        Ok(found.as_deref() == Some(record.sha256.as_bytes()))
    };
    if !is(&restored)? {
        if !is(&begun)? {
            clean(assets, layout).await?;
            if let Some(name) = lives_elsewhere(assets, others).await {
                return Err(RestoreError::LivesElsewhere(name));
            }
            leave(layout, &begun, &record.sha256)?;
        }
        stop_etcd(layout).await?;
        replace(file, cluster, layout).await?;
        leave(layout, &restored, &record.sha256)?;
    }
    start_etcd(layout, rendered)?;
    eprintln!(
        "etcd restored from {} at revision {}",
        file.display(),
        record.revision
    );
    Ok(())
}

/// Forgets that a snapshot was restored, once the procedure is done.
///
/// # Errors
/// Names the file.
pub(crate) fn forget(layout: &Layout) -> Result<(), FileError> {
    let (begun, restored) = breadcrumbs(layout);
    durable_file::remove_if_present(&begun)?;
    durable_file::remove_if_present(&restored)
}

fn breadcrumbs(layout: &Layout) -> (PathBuf, PathBuf) {
    (
        layout.state.join("restoring"),
        layout.state.join("restored"),
    )
}

fn leave(layout: &Layout, breadcrumb: &Path, sha256: &str) -> Result<(), FileError> {
    let name = breadcrumb.file_name().unwrap_or_default().to_string_lossy();
    durable_file::place(&layout.state, &layout.state, &name, sha256.as_bytes())
}

/// Makes sure that nothing is lost: there is no data, or etcd itself says that it holds no key.
///
/// # Errors
/// A refusal that says what to move away.
pub(crate) async fn clean(assets: &Assets, layout: &Layout) -> Result<(), RestoreError> {
    let member = layout.etcd_data.join("member");
    if !member.exists() {
        return Ok(());
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ETCD_PORT));
    let everything = json!({ "key": "AA==", "range_end": "AA==", "count_only": true });
    let reply = assets.etcd.post(address, "/v3/kv/range", &everything).await;
    let away = layout.etcd_data.with_extension("before-recovery");
    let way_out = format!(
        "move {} out of the way and {} to {}, and run this again",
        layout.manifests.join(MANIFEST).display(),
        member.display(),
        away.display()
    );
    let reply = reply.map_err(|error| {
        RestoreError::Dirty(format!(
            "{} is there and its etcd does not say that it is empty ({error}); {way_out}",
            member.display()
        ))
    })?;
    match count(reply.status, &reply.body) {
        Some(0) => Ok(()),
        Some(keys) => Err(RestoreError::Dirty(format!(
            "etcd on this node holds {keys} keys; recover from it without --snapshot, or {way_out}"
        ))),
        None => Err(RestoreError::Dirty(format!(
            "etcd on this node does not say whether it is empty; {way_out}"
        ))),
    }
}

/// How many keys etcd says that there are; it leaves zeros out.
fn count(status: u16, body: &[u8]) -> Option<u64> {
    let answer: Value = serde_json::from_slice(body)
        .ok()
        .filter(|_| status == 200)?;
    answer.get("header")?;
    match answer.get("count") {
        None => Some(0),
        Some(count) => count.as_str()?.parse().ok(),
    }
}

/// The node whose etcd answers with a majority, if there is one.
async fn lives_elsewhere(assets: &Assets, others: &[Machine]) -> Option<String> {
    let looks = others.iter().map(|machine| async {
        let members = Members::at(assets.etcd.clone(), machine.port(ETCD_PORT));
        members.list().await.is_ok().then(|| machine.name.clone())
    });
    join_all(looks).await.into_iter().flatten().next()
}

/// Takes etcd's manifest away from the kubelet, and waits until etcd has stopped.
///
/// # Errors
/// When it does not stop.
pub(crate) async fn stop_etcd(layout: &Layout) -> Result<(), RestoreError> {
    let (placed, parked) = (
        layout.manifests.join(MANIFEST),
        layout.staging.join(MANIFEST),
    );
    durable_file::private_directory(&layout.staging)?;
    if placed.exists() {
        fs::rename(&placed, &parked).map_err(FileError::when("move away", &placed))?;
        durable_file::sync_directory(&layout.manifests)?;
        durable_file::sync_directory(&layout.staging)?;
    }
    let until = Instant::now() + STOPS_WITHIN;
    while runs(Path::new("/proc")) {
        if Instant::now() >= until {
            return Err(RestoreError::StillRuns);
        }
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

fn start_etcd(layout: &Layout, rendered: &Path) -> Result<(), FileError> {
    let (placed, parked) = (
        layout.manifests.join(MANIFEST),
        layout.staging.join(MANIFEST),
    );
    if parked.exists() {
        fs::rename(&parked, &placed).map_err(FileError::when("put back", &placed))?;
        durable_file::sync_directory(&layout.manifests)?;
    } else if !placed.exists() {
        let manifest = fs::read(rendered).map_err(FileError::when("read", rendered))?;
        durable_file::private_directory(&layout.staging)?;
        durable_file::place(&layout.staging, &layout.manifests, MANIFEST, &manifest)?;
    }
    Ok(())
}

async fn replace(file: &Path, cluster: &ClusterFile, layout: &Layout) -> Result<(), RestoreError> {
    let node = cluster.bootstrap_node();
    let fresh = layout.etcd_data.with_extension("restoring");
    durable_file::remove_tree_if_present(&fresh)?;
    let (file, directory) = (file.display().to_string(), fresh.display().to_string());
    let peer = format!("https://{}:2380", node.address);
    let only = format!("{}={peer}", node.name);
    let arguments = [
        "snapshot",
        "restore",
        &file,
        "--data-dir",
        &directory,
        "--name",
        &node.name,
        "--initial-cluster",
        &only,
        "--initial-cluster-token",
        &cluster.name,
        "--initial-advertise-peer-urls",
        &peer,
        "--bump-revision",
        BUMP_REVISION,
        "--mark-compacted",
    ];
    tool::run("etcdutl", &arguments).await?;
    durable_file::private_directory(&layout.etcd_data)?;
    let member = layout.etcd_data.join("member");
    durable_file::remove_tree_if_present(&member)?;
    let made = fresh.join("member");
    fs::rename(&made, &member).map_err(FileError::when("rename into place", &member))?;
    durable_file::sync_directory(&layout.etcd_data)?;
    Ok(durable_file::remove_tree_if_present(&fresh)?)
}

/// Whether an etcd runs on this node. A process that ended while it was looked at is gone.
fn runs(proc: &Path) -> bool {
    let Ok(entries) = fs::read_dir(proc) else {
        return true;
    };
    entries
        .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
        .any(|command| {
            let program = command.split(|byte| *byte == 0).next().unwrap_or_default();
            program == b"etcd" || program.ends_with(b"/etcd")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_etcd_that_says_so_is_empty() {
        assert_eq!(count(200, br#"{"header":{"revision":"1"}}"#), Some(0));
        assert_eq!(count(200, br#"{"header":{},"count":"12"}"#), Some(12));
        assert_eq!(count(200, b"{}"), None);
        assert_eq!(count(503, br#"{"header":{}}"#), None);
        assert_eq!(count(200, b"torn"), None);
    }

    #[test]
    fn etcd_is_known_by_its_program() {
        let proc = tempfile::tempdir().unwrap();
        assert!(!runs(proc.path()));
        let process = |id: &str, command: &str| {
            fs::create_dir(proc.path().join(id)).unwrap();
            fs::write(proc.path().join(id).join("cmdline"), command).unwrap();
        };
        process("1", "etcdctl\0snapshot");
        assert!(!runs(proc.path()));
        process("2", "/usr/local/bin/etcd\0--name=cp-1");
        assert!(runs(proc.path()));
        assert!(runs(&proc.path().join("nowhere")), "unknown is not gone");
    }

    #[tokio::test]
    async fn data_that_nobody_vouches_for_is_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::below(
            root.path(),
            &root.path().join("assets"),
            &root.path().join("state"),
        );
        let assets = crate::assets::tests::assets(&layout.assets).await;
        clean(&assets, &layout).await.unwrap();
        fs::create_dir_all(layout.etcd_data.join("member")).unwrap();
        let refused = clean(&assets, &layout).await.unwrap_err();
        assert!(refused.is_refusal());
        let said = refused.to_string();
        assert!(said.contains("etcd.before-recovery"), "{said}");
        assert!(layout.etcd_data.join("member").exists());
    }
}
