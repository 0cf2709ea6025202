//! The reference installer: rendered on the first control-plane node, handed out to all, started
//! there as a systemd unit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::try_join_all;
use thiserror::Error;

use super::operation::{HoldPoint, UnitState};
use crate::cluster::{Cluster, ClusterError, Node};
use crate::docker::{NodeFile, Role};

/// Where things lie in a node.
pub(super) const BINARY: &str = "/usr/local/bin/selfhost";
/// The only file of the checkpoint agent's image, whose layer is this directory of the node.
const AGENT: &str = "/kind/layers/selfhost/usr/local/bin/selfhost";
const HOME: &str = "/var/lib/selfhost";
const PLAN: &str = "/var/lib/selfhost/plan.json";
const AGENT_PLAN: &str = "/var/lib/selfhost/agent-plan.json";
/// The pipe over which the installer is released.
pub const CONTROL: &str = "/var/lib/selfhost/state/control";
const UNIT: &str = "/etc/systemd/system/selfhost.service";
/// The installer's step stream.
pub const STEPS: &str = "/var/lib/selfhost/state/events.ndjson";
/// The installer's log of inputs and effects.
pub const LOG: &str = "/var/lib/selfhost/state/log.ndjson";
/// The installer's unit.
pub const UNIT_NAME: &str = "selfhost.service";

/// How long a command in a node may take; the longest renders some fifty key pairs in a second.
const COMMAND_DEADLINE: Duration = Duration::from_secs(60);

/// Why a cluster could not be made ready for the installer.
#[derive(Debug, Error)]
pub enum InstallerError {
    /// A command or a copy failed.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A binary of ours is missing.
    #[error("cannot read {path}; build it with `cargo build --release`", path = path.display())]
    Binary {
        /// Where it was looked for.
        path: PathBuf,
        /// Why it cannot be read.
        #[source]
        source: std::io::Error,
    },
    /// A plan file is gone.
    #[error("cannot read the plan file {path}", path = path.display())]
    Plan {
        /// Where it was looked for.
        path: PathBuf,
        /// Why it cannot be read.
        #[source]
        source: std::io::Error,
    },
    /// What the installer rendered is not complete.
    #[error("the installer rendered no {path}")]
    NotRendered {
        /// What is missing.
        path: String,
    },
    /// The installer's answer cannot be read.
    #[error("the installer's unit on {node} said something that cannot be read: {answer}")]
    Answer {
        /// The node.
        node: String,
        /// The answer.
        answer: String,
    },
}

/// What the installer rendered for somebody outside.
#[derive(Clone, Debug)]
pub struct Access {
    /// The administrator's kubeconfig.
    pub kubeconfig: String,
    /// The probes' own kubeconfig.
    pub observer_kubeconfig: String,
    /// Authority, certificate and key of a client of etcd, PEM.
    pub etcd: [Vec<u8>; 3],
    /// What a recovery needs, kept off the cluster: the directory `escrow` as a tar archive.
    pub escrow: Vec<u8>,
}

/// The reference installer with its procedure.
#[derive(Clone, Debug)]
pub struct Selfhost {
    /// A policy's name, or a plan file on this host.
    pub policy: String,
    /// What the checkpoint agents follow, named as a policy is; what belongs to the policy unless said.
    pub agent: Option<String>,
    /// Switches by name.
    pub switches: BTreeMap<String, String>,
}

impl Selfhost {
    /// Puts the binaries into every node, renders on the bootstrap node, hands every node its files
    /// and starts the kubelets.
    ///
    /// # Errors
    /// When a binary is missing, or a command in a node fails.
    pub async fn prepare(
        &self,
        cluster: &Cluster,
        kubernetes: &str,
    ) -> Result<Access, InstallerError> {
        let bootstrap = cluster.node("cp-1")?;
        let observer = binary("chrysalis-observer", crate::probes::OBSERVER)?;
        let selfhost = binary("selfhost", BINARY)?;
        let agent = binary("selfhost", AGENT)?;
        try_join_all(cluster.nodes().iter().map(|node| {
            let mut files = vec![observer.clone()];
            if node.name() == bootstrap.name() {
                files.push(selfhost.clone());
            }
            if node.role() == Role::ControlPlane {
                files.push(agent.clone());
            }
            async move { node.upload(&files).await }
        }))
        .await?;
        self.render(cluster, bootstrap, kubernetes).await?;
        let access = access(bootstrap).await?;
        try_join_all(cluster.nodes().iter().map(|node| hand_out(bootstrap, node))).await?;
        settle_assets(bootstrap).await?;
        Ok(access)
    }

    async fn render(
        &self,
        cluster: &Cluster,
        node: &Node,
        kubernetes: &str,
    ) -> Result<(), InstallerError> {
        let mut files = vec![NodeFile::new(
            format!("{HOME}/cluster.json"),
            0o600,
            cluster.file(kubernetes).to_json().into_bytes(),
        )];
        let plans = [
            (Some(&self.policy), PLAN),
            (self.agent.as_ref(), AGENT_PLAN),
        ];
        for (policy, place) in plans {
            if let Some(path) = policy.filter(|policy| is_file(policy)) {
                files.push(NodeFile::new(place, 0o600, plan_file(Path::new(path))?));
            }
        }
        node.upload(&files).await?;
        let mut command: Vec<String> = [
            BINARY,
            "render",
            "--cluster",
            "/var/lib/selfhost/cluster.json",
        ]
        .map(str::to_owned)
        .to_vec();
        command.extend(["--out".to_owned(), format!("{HOME}/rendered")]);
        command.extend(["--policy".to_owned(), in_node(&self.policy, PLAN)]);
        if let Some(agent) = &self.agent {
            let agent = in_node(agent, AGENT_PLAN);
            command.extend(["--switch".to_owned(), format!("agent-policy={agent}")]);
        }
        for (name, value) in &self.switches {
            command.extend(["--switch".to_owned(), format!("{name}={value}")]);
        }
        node.exec_ok(command, COMMAND_DEADLINE).await?;
        Ok(())
    }

    /// Writes and starts the installer's unit, which a reboot starts again.
    ///
    /// # Errors
    /// When a command in the node fails.
    pub async fn start(&self, node: &Node, holds: &[HoldPoint]) -> Result<(), InstallerError> {
        let policy = in_node(&self.policy, PLAN);
        let assets = format!("{HOME}/assets");
        let words = [
            BINARY,
            "unit",
            "--",
            "--assets",
            &assets,
            "--policy",
            &policy,
            "--control",
            CONTROL,
        ];
        let mut command = words.map(str::to_owned).to_vec();
        for hold in holds {
            command.extend(["--hold-at".to_owned(), hold.argument()]);
        }
        let unit = node.exec_ok(command, COMMAND_DEADLINE).await?;
        node.upload(&[NodeFile::new(UNIT, 0o644, unit.into_bytes())])
            .await?;
        node.exec_ok(["systemctl", "daemon-reload"], COMMAND_DEADLINE)
            .await?;
        node.exec_ok(["systemctl", "enable", UNIT_NAME], COMMAND_DEADLINE)
            .await?;
        self.resume(node).await
    }

    /// Starts the unit again.
    ///
    /// # Errors
    /// When the command in the node fails.
    pub async fn resume(&self, node: &Node) -> Result<(), InstallerError> {
        let shell =
            format!("systemctl reset-failed {UNIT_NAME} 2>/dev/null; systemctl start {UNIT_NAME}");
        node.exec_ok(["sh", "-c", &shell], COMMAND_DEADLINE).await?;
        Ok(())
    }

    /// What has become of the unit.
    ///
    /// # Errors
    /// When the node does not run, or systemd does not answer.
    pub async fn state(&self, node: &Node) -> Result<UnitState, InstallerError> {
        let properties = format!("--property={}", UnitState::PROPERTIES);
        let command = ["systemctl", "show", properties.as_str(), UNIT_NAME];
        let answer = node.exec_ok(command, COMMAND_DEADLINE).await?;
        UnitState::parse(&answer).ok_or_else(|| InstallerError::Answer {
            node: node.name().to_owned(),
            answer,
        })
    }
}

fn is_file(policy: &str) -> bool {
    policy.contains('/') || policy.ends_with(".json")
}

/// A policy as a command in the node takes it: by its name, or by the file that was put there.
fn in_node(policy: &str, file: &str) -> String {
    let found = if is_file(policy) { file } else { policy };
    found.to_owned()
}

fn plan_file(path: &Path) -> Result<Vec<u8>, InstallerError> {
    std::fs::read(path).map_err(|source| InstallerError::Plan {
        path: path.to_owned(),
        source,
    })
}

/// A binary of ours lies beside this command.
pub(super) fn binary(name: &str, destination: &str) -> Result<NodeFile, InstallerError> {
    let here = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("chrysalis"));
    // Test binaries live one directory deeper than the commands.
    let beside = here.with_file_name(name);
    let above = here
        .parent()
        .and_then(Path::parent)
        .map(|folder| folder.join(name));
    let path = match above {
        Some(above) if !beside.exists() && above.exists() => above,
        _ => beside,
    };
    let bytes = std::fs::read(&path).map_err(|source| InstallerError::Binary { path, source })?;
    Ok(NodeFile::new(destination, 0o755, bytes))
}

/// Takes what is for people outside, and removes it from the node.
async fn access(node: &Node) -> Result<Access, InstallerError> {
    let read = async |path: &str| {
        let full = format!("{HOME}/rendered/admin/{path}");
        node.exec_ok(["cat", full.as_str()], COMMAND_DEADLINE).await
    };
    let access = Access {
        kubeconfig: read("kubeconfig").await?,
        observer_kubeconfig: read("observer-kubeconfig").await?,
        etcd: [
            read("etcd/ca.crt").await?.into_bytes(),
            read("etcd/client.crt").await?.into_bytes(),
            read("etcd/client.key").await?.into_bytes(),
        ],
        escrow: escrow(node).await?,
    };
    Ok(access)
}

async fn escrow(node: &Node) -> Result<Vec<u8>, InstallerError> {
    let rendered = format!("{HOME}/rendered");
    let packed = node
        .exec(
            ["tar", "-C", &rendered, "-cf", "-", "escrow"],
            COMMAND_DEADLINE,
        )
        .await?;
    if packed.success() {
        Ok(packed.stdout)
    } else {
        Err(InstallerError::NotRendered {
            path: packed.complaint(),
        })
    }
}

/// Copies a node's rendered tree to its root and starts its kubelet.
async fn hand_out(from: &Node, to: &Node) -> Result<(), InstallerError> {
    let tree = format!("{HOME}/rendered/nodes/{}", to.name());
    let packed = from
        .exec(["tar", "-C", &tree, "-cf", "-", "."], COMMAND_DEADLINE)
        .await?;
    if !packed.success() {
        return Err(InstallerError::NotRendered { path: tree });
    }
    // Directories that are there keep their modes: a root directory that only root may enter
    // would stop the node's own services at the next boot.
    let unpack = ["tar", "-C", "/", "--no-overwrite-dir", "-xf", "-"];
    let unpacked = to
        .exec_with_input(unpack, &packed.stdout, COMMAND_DEADLINE)
        .await?;
    if !unpacked.success() {
        return Err(InstallerError::NotRendered {
            path: unpacked.complaint(),
        });
    }
    let start = "systemctl daemon-reload && systemctl enable --now --no-block kubelet";
    to.exec_ok(["sh", "-c", start], COMMAND_DEADLINE).await?;
    Ok(())
}

/// Leaves only what the installer itself needs.
async fn settle_assets(node: &Node) -> Result<(), InstallerError> {
    let shell = format!("mv {HOME}/rendered/installer {HOME}/assets && rm -rf {HOME}/rendered");
    node.exec_ok(["sh", "-c", &shell], COMMAND_DEADLINE).await?;
    Ok(())
}
