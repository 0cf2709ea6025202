//! The reference installer's recovery, as `docs/recovery.md` has it: snapshots that are kept off the
//! cluster, new machines that get their files, `selfhost recover` and `selfhost recover --join`.

use std::time::Duration;

use oracle::observation::OperationEnd;
use scenarios::RecoverFrom;

use super::operation::{HoldPoint, exit_status};
use super::selfhost::{BINARY, binary};
use super::{InstallerError, Selfhost};
use crate::cluster::{Cluster, ClusterError, Node};
use crate::docker::ExecOutput;

/// How long a command in a node may take.
const COMMAND_DEADLINE: Duration = Duration::from_secs(60);
/// How long a recovery may take: its stages have deadlines of their own, far below this.
const RECOVERY_DEADLINE: Duration = Duration::from_secs(900);
/// Where a snapshot is taken to and restored from.
const SNAPSHOT: &str = "/root/etcd.snapshot";

/// A recovery's step stream, on the node where it was begun.
pub const STEPS: &str = "/var/lib/selfhost/recovery/events.ndjson";
/// A recovery's log of inputs and effects.
pub const LOG: &str = "/var/lib/selfhost/recovery/log.ndjson";

/// How the command of a recovery begins.
pub const COMMAND: &str = "/usr/local/bin/selfhost recover";
/// The pipe over which a recovery is released.
pub const CONTROL: &str = "/var/lib/selfhost/recovery/control";

/// Where the escrow lies while a node is recovered.
const ESCROW: &str = "/root/escrow";

/// A cluster's escrow, kept off the cluster: the directory `escrow` as a tar archive.
#[derive(Clone, Debug)]
pub struct Escrow(pub Vec<u8>);

/// A snapshot with its record, kept off the cluster: a tar archive.
#[derive(Clone, Debug)]
pub struct SnapshotFile(Vec<u8>);

/// How a command of the installer ended, and its last words.
pub type Ended = (OperationEnd, String);

impl Selfhost {
    /// Takes a snapshot on a node and fetches it, which leaves nothing on the node.
    ///
    /// # Errors
    /// When the node does not run, or what was taken cannot be fetched.
    pub async fn snapshot(
        &self,
        node: &Node,
    ) -> Result<(Ended, Option<SnapshotFile>), InstallerError> {
        let taken = node
            .exec([BINARY, "snapshot", "--out", SNAPSHOT], RECOVERY_DEADLINE)
            .await?;
        let ended = ended(&taken);
        if ended.0 != OperationEnd::Done {
            return Ok((ended, None));
        }
        let pack =
            format!("tar -C /root -cf - etcd.snapshot etcd.snapshot.json && rm -f {SNAPSHOT}*");
        let packed = node.exec(["sh", "-c", &pack], COMMAND_DEADLINE).await?;
        if !packed.success() {
            return Err(refused(node, "fetch the snapshot", &packed).into());
        }
        Ok((ended, Some(SnapshotFile(packed.stdout))))
    }

    /// Gives a node what a recovery needs: the program, the escrow, and the snapshot if there is one.
    ///
    /// # Errors
    /// When the node does not run.
    pub async fn equip(
        &self,
        node: &Node,
        escrow: &Escrow,
        snapshot: Option<&SnapshotFile>,
    ) -> Result<(), InstallerError> {
        node.upload(&[binary("selfhost", BINARY)?]).await?;
        let archives = [Some(&escrow.0), snapshot.map(|snapshot| &snapshot.0)];
        for archive in archives.into_iter().flatten() {
            let command = ["tar", "-C", "/root", "-xf", "-"];
            feed(node, "unpack what a recovery needs", command, archive).await?;
        }
        Ok(())
    }

    /// Gives an empty machine the files that belong to it, without etcd's manifest, and starts its kubelet.
    ///
    /// # Errors
    /// When the node does not run, or was not equipped.
    pub async fn replace(&self, node: &Node) -> Result<(), InstallerError> {
        let name = node.name();
        let script = format!(
            "tar -C {ESCROW}/nodes/{name} --exclude=./etc/kubernetes/manifests/etcd.yaml -cf - . | tar -C / --no-overwrite-dir -xf - \
             && systemctl daemon-reload && systemctl enable --now kubelet"
        );
        node.exec_ok(["sh", "-c", &script], COMMAND_DEADLINE)
            .await?;
        Ok(())
    }

    /// Brings the control plane back on this node; `lost` are left out. It waits at these hold points.
    ///
    /// # Errors
    /// When the node does not run.
    pub async fn recover(
        &self,
        node: &Node,
        from: RecoverFrom,
        lost: &[String],
        holds: &[HoldPoint],
    ) -> Result<Ended, InstallerError> {
        let mut command = words(&[BINARY, "recover", "--escrow", ESCROW]);
        if from == RecoverFrom::Snapshot {
            command.extend(words(&["--snapshot", SNAPSHOT]));
        }
        for name in lost {
            command.extend(words(&["--lost", name]));
        }
        for hold in holds {
            command.extend(words(&["--hold-at", &hold.argument()]));
        }
        Ok(ended(&node.exec(command, RECOVERY_DEADLINE).await?))
    }

    /// Makes this node a member again of a cluster that lives on others.
    ///
    /// # Errors
    /// When the node does not run.
    pub async fn join(&self, node: &Node) -> Result<Ended, InstallerError> {
        let command = [BINARY, "recover", "--escrow", ESCROW, "--join"];
        Ok(ended(&node.exec(command, RECOVERY_DEADLINE).await?))
    }

    /// Takes escrow and snapshot off a node.
    ///
    /// # Errors
    /// When the node does not run.
    pub async fn disarm(&self, node: &Node) -> Result<(), InstallerError> {
        let script = format!("rm -rf {ESCROW} {SNAPSHOT} {SNAPSHOT}.json");
        node.exec_ok(["sh", "-c", &script], COMMAND_DEADLINE)
            .await?;
        Ok(())
    }

    /// Bootstraps another cluster on a node of this one: authorities of its own, the same machines. What
    /// it rendered is removed again.
    ///
    /// # Errors
    /// When the node does not run, or nothing can be rendered.
    pub async fn start_foreign(
        &self,
        cluster: &Cluster,
        node: &Node,
        kubernetes: &str,
    ) -> Result<Ended, InstallerError> {
        let home = "/root/foreign";
        let file = cluster.file(kubernetes).to_json();
        let description = format!("mkdir -p {home} && cat > {home}/cluster.json");
        let doing = "write the other cluster's description";
        let command = ["sh", "-c", &description];
        feed(node, doing, command, file.as_bytes()).await?;
        let render = format!(
            "{BINARY} render --cluster {home}/cluster.json --out {home}/rendered --policy modern"
        );
        node.exec_ok(["sh", "-c", &render], COMMAND_DEADLINE)
            .await?;
        let (assets, state) = (
            format!("{home}/rendered/installer"),
            format!("{home}/state"),
        );
        let start = [BINARY, "start", "--assets", &assets, "--state-dir", &state];
        let started = node.exec(start, RECOVERY_DEADLINE).await?;
        node.exec_ok(["rm", "-rf", home], COMMAND_DEADLINE).await?;
        Ok(ended(&started))
    }
}

/// Runs a command with this input; `doing` says what for, should it fail.
async fn feed<const WORDS: usize>(
    node: &Node,
    doing: &str,
    command: [&str; WORDS],
    input: &[u8],
) -> Result<(), InstallerError> {
    let output = node
        .exec_with_input(command, input, COMMAND_DEADLINE)
        .await?;
    if output.success() {
        return Ok(());
    }
    Err(refused(node, doing, &output).into())
}

fn ended(output: &ExecOutput) -> Ended {
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &output.text();
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    let last = last.unwrap_or_default().chars().take(500).collect();
    (exit_status(&output.exit_code.to_string()), last)
}

fn refused(node: &Node, command: &str, output: &ExecOutput) -> ClusterError {
    ClusterError::Command {
        node: node.name().to_owned(),
        command: command.to_owned(),
        exit_code: output.exit_code,
        complaint: output.complaint(),
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
