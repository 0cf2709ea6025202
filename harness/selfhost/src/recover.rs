//! `selfhost recover`: brings a lost control plane back, out of the escrow and whatever etcd holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use pivot::Durable;
use terms::{Actor, Component, NodeId};

use crate::assets::{Assets, AssetsError};
use crate::clients::Clients;
use crate::cluster_file::ClusterFile;
use crate::driver::MarkerPlace;
use crate::driving::{Driving, Procedure};
use crate::durable_file::{self, FileError};
use crate::escrow::{Escrow, EscrowError};
use crate::facts::Poller;
use crate::hosting::{self, Hosted, Unlabelled};
use crate::join::{self, JoinError, Joining};
use crate::layout::Layout;
use crate::marker::Marker;
use crate::operator::{Operation, OperatorLock, Turn};
use crate::plan_file;
use crate::rescue::{self, RescueError, Rescued};
use crate::restore::{self, RestoreError};
use crate::start::{REFUSED, StartError, locks};

/// Where a recovery keeps its state unless said otherwise.
const DEFAULT_STATE: &str = "/var/lib/selfhost/recovery";

/// What `selfhost recover` is told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Recover {
    /// The directory `escrow` that `selfhost render` made for this cluster; it is read only.
    #[arg(long, value_name = "DIR")]
    pub(crate) escrow: PathBuf,
    /// Restore etcd's data on this node from this snapshot first; its etcd must hold nothing.
    #[arg(long, value_name = "FILE", conflicts_with = "rescue")]
    pub(crate) snapshot: Option<PathBuf>,
    /// The API lives: only bring this component back, by a pod that is bound to this node.
    #[arg(
        long,
        value_name = "COMPONENT",
        value_parser = PossibleValuesParser::new(["kube-scheduler", "kube-controller-manager"])
    )]
    pub(crate) rescue: Vec<String>,
    /// The cluster lives on other nodes: make this one, whose disk was lost, a member of etcd and a node
    /// of the control plane again.
    #[arg(long, conflicts_with_all = ["snapshot", "rescue", "lost"])]
    pub(crate) join: bool,
    /// A node that is gone for good; may be given several times.
    #[arg(long, value_name = "NODE")]
    pub(crate) lost: Vec<String>,
    /// The control-plane node that this is [default: the host's name].
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Option<String>,
    /// A policy by its name, or a file with one.
    #[arg(long, value_name = "NAME|FILE", default_value = pivot::Plan::RECOVERY)]
    pub(crate) policy: String,
    /// Where marker, events, log and the working copy of the escrow are kept.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE)]
    pub(crate) state_dir: PathBuf,
    #[command(flatten)]
    pub(crate) driving: Driving,
}

/// Why nothing was driven to an end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoverError {
    /// As for a bootstrap.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The escrow cannot be used.
    #[error("nothing was changed")]
    Escrow(#[from] EscrowError),
    /// The snapshot was not restored.
    #[error("etcd was not restored")]
    Restore(#[from] RestoreError),
    /// The component was not rescued.
    #[error("the component was not rescued")]
    Rescue(#[from] RescueError),
    /// The node did not join.
    #[error("this node did not join")]
    Join(#[from] JoinError),
    /// It has joined, but cannot host anything.
    #[error("etcd of this node is a member, but nothing else is")]
    Unlabelled(#[from] Unlabelled),
    /// A bootstrap is under way here.
    #[error(
        "{0} tells of a bootstrap that is not done; go on with it by `selfhost start`, or move that file away"
    )]
    BootstrapUnfinished(PathBuf),
    /// A snapshot makes one member.
    #[error(
        "a snapshot is restored into a single etcd member, and {0} control-plane nodes are expected; name the others with --lost, and bring each of them back afterwards with --join"
    )]
    SeveralMembers(usize),
}

impl RecoverError {
    /// 64 for a wrong command line, 4 for what forbids a recovery, 1 for all else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Start(error) => error.exit_code(),
            Self::Escrow(EscrowError::File(_)) => 1,
            Self::Escrow(_) | Self::SeveralMembers(_) => crate::USAGE,
            Self::Restore(error) if error.is_refusal() => REFUSED,
            Self::Join(error) if error.is_refusal() => REFUSED,
            Self::BootstrapUnfinished(_) => REFUSED,
            Self::Restore(_) | Self::Rescue(_) | Self::Join(_) | Self::Unlabelled(_) => 1,
        }
    }
}

/// Every error of the bootstrap's own kinds.
fn start<E: Into<StartError>>(error: E) -> RecoverError {
    RecoverError::Start(error.into())
}

impl Recover {
    /// Runs to an end and gives the exit code: 0 done, 3 holding, 4 refused, 143 stopped by SIGTERM,
    /// 130 by SIGINT.
    ///
    /// # Errors
    /// When it could not begin or not go on.
    pub(crate) async fn run(&self) -> Result<u8, RecoverError> {
        let layout = Layout::of_node(&self.state_dir.join("assets"), &self.state_dir);
        let _locks = locks(&layout).map_err(start)?;
        let bootstrap = PathBuf::from(crate::DEFAULT_STATE).join("marker.json");
        let unfinished = Marker::read(&bootstrap).map_err(start)?;
        if unfinished.is_some_and(|marker| !marker.durable.done) {
            return Err(RecoverError::BootstrapUnfinished(bootstrap));
        }
        if self.join {
            let code = self.join(&layout).await;
            durable_file::remove_tree_if_present(&layout.assets).map_err(start)?;
            code
        } else if self.rescue.is_empty() {
            let code = self.recover(&layout).await?;
            if code == 0 {
                restore::forget(&layout).map_err(start)?;
                println!(
                    "recovered; take the escrow {} off this node",
                    self.escrow.display()
                );
            }
            Ok(code)
        } else {
            let code = self.rescue(&layout).await;
            // A rescue is over when its process is, and leaves no credentials.
            durable_file::remove_tree_if_present(&layout.assets).map_err(start)?;
            code
        }
    }

    async fn recover(&self, layout: &Layout) -> Result<u8, RecoverError> {
        let plan = plan_file::find(&self.policy).map_err(start)?;
        let marker = Marker::read(&layout.marker()).map_err(start)?;
        let destroying = layout.destroying().exists() && plan.rules.marker;
        if destroying && marker.as_ref().is_some_and(|marker| marker.durable.done) {
            durable_file::remove_if_present(&layout.destroying()).map_err(start)?;
            return Ok(self.driving.already_done(self.actor(), layout)?);
        }
        let marker = self.of_this_recovery(layout, marker)?;
        let place = MarkerPlace {
            path: layout.marker(),
            cluster: String::new(),
            plan: plan_file::fingerprint(&plan),
        };
        let mut procedure = Procedure {
            destroying: destroying && marker.is_some(),
            plan,
            actor: self.actor(),
            layout: layout.clone(),
            marker: place,
            durable: marker.as_ref().map(|marker| marker.durable),
        };
        if let (true, Some(marker)) = (procedure.destroying, &marker) {
            procedure.marker.cluster.clone_from(&marker.cluster);
            return Ok(self.driving.finish_destruction(procedure).await?);
        }
        let (cluster, assets) = self.unpack(layout).await?;
        procedure.marker.cluster.clone_from(&assets.cluster_id);
        if let Some(marker) = &marker {
            let MarkerPlace {
                path,
                cluster,
                plan,
            } = &procedure.marker;
            marker.check(cluster, plan, path).map_err(start)?;
        } else if let Some(snapshot) = &self.snapshot {
            if assets.control_planes > 1 {
                return Err(RecoverError::SeveralMembers(assets.control_planes));
            }
            let escrow = Escrow::open(&self.escrow)?;
            let (rendered, others) = (
                escrow.etcd_manifest(&self.node()),
                escrow.others(&self.node()),
            );
            restore::restore(snapshot, &cluster, &assets, layout, &rendered, &others).await?;
        }
        let operation = self.operation("recovery");
        Ok(self.driving.run(procedure, assets, operation).await?)
    }

    /// What an earlier process of the same recovery left. One that is done is history: it is put aside,
    /// for the cluster may be lost again.
    fn of_this_recovery(
        &self,
        layout: &Layout,
        marker: Option<Marker>,
    ) -> Result<Option<Marker>, RecoverError> {
        let Some(Marker {
            durable: Durable { done: true, .. },
            ..
        }) = marker
        else {
            return Ok(marker);
        };
        let aside = layout.marker().with_extension("done.json");
        std::fs::rename(layout.marker(), &aside)
            .map_err(FileError::when("put aside", &aside))
            .map_err(start)?;
        durable_file::sync_directory(&layout.state).map_err(start)?;
        Ok(None)
    }

    async fn rescue(&self, layout: &Layout) -> Result<u8, RecoverError> {
        let (_, assets) = self.unpack(layout).await?;
        let clients = Clients::new(&assets).map_err(start)?;
        let operator = OperatorLock::new(assets.etcd.clone(), self.operation("rescue"));
        let client = clients.through_load_balancer();
        let node = self.node();
        let rescues = async {
            let mut facts = Poller::start(&assets, &clients);
            let mut code = 0;
            for component in self
                .rescue
                .iter()
                .filter_map(|name| Component::from_name(name))
            {
                let rescued = rescue::rescue(&client, &mut facts, component, &node).await?;
                code = code.max(told(component, &rescued));
            }
            Ok(code)
        };
        Ok(alone(&operator, rescues).await?.unwrap_or(REFUSED))
    }

    async fn join(&self, layout: &Layout) -> Result<u8, RecoverError> {
        let (_, assets) = self.unpack(layout).await?;
        let joining = Joining {
            assets: &assets,
            manifest: Escrow::open(&self.escrow)?.etcd_manifest(&self.node()),
            layout,
        };
        let living = joining.find().await?;
        let operation = self.operation("joining");
        let operator = OperatorLock::at(assets.etcd.clone(), living.address, operation);
        let joins = async {
            joining.become_member(&living).await?;
            let clients = Clients::new(&assets).map_err(start)?;
            hosting::label(&clients.through_load_balancer(), &self.node()).await?;
            let mut facts = Poller::start(&assets, &clients);
            // The working copy of the escrow has this node in the first place.
            Ok(hosting::hosted(&mut facts, 0).await)
        };
        let Some(hosted) = alone(&operator, joins).await? else {
            return Ok(REFUSED);
        };
        join::forget(layout).map_err(start)?;
        Ok(joined(&self.node(), &hosted, &self.escrow))
    }

    async fn unpack(&self, layout: &Layout) -> Result<(ClusterFile, Arc<Assets>), RecoverError> {
        let escrow = Escrow::open(&self.escrow)?;
        let cluster = escrow.cluster_for(&self.node(), &self.lost)?;
        escrow.unpack(&self.node(), &self.lost, &layout.assets)?;
        let assets = Assets::load(&layout.assets).await;
        let assets = assets.map_err(|error: AssetsError| start(error))?;
        Ok((cluster, Arc::new(assets)))
    }

    fn operation(&self, doing: &str) -> Operation {
        Operation::of_node(&self.node(), doing)
    }

    /// Who announces the steps: a bootstrap on the same node has a stream and an address of its own.
    fn actor(&self) -> Actor {
        Actor::recovery(&NodeId::new(self.node()))
    }

    fn node(&self) -> String {
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        self.node
            .clone()
            .unwrap_or_else(|| host().trim().to_owned())
    }
}

/// Does the work as the cluster's only operator; nothing when another one is at work, or took over, which is said.
///
/// # Errors
/// When etcd cannot be asked, and what the work says.
async fn alone<T>(
    operator: &OperatorLock,
    work: impl Future<Output = Result<T, RecoverError>>,
) -> Result<Option<T>, RecoverError> {
    if let Turn::Taken(by) = operator.take().await.map_err(start)? {
        eprintln!("refused: {by} is at work; wait for its end, or stop it and try again");
        return Ok(None);
    }
    let done = tokio::select! {
        done = work => done?,
        by = operator.keep() => {
            eprintln!("refused: {by} took over while this one was cut off from etcd");
            return Ok(None);
        }
    };
    operator.release().await;
    Ok(Some(done))
}

/// Says how a joining ended, and gives its exit code.
fn joined(node: &str, hosted: &Hosted, escrow: &Path) -> u8 {
    match hosted {
        Hosted::All => {
            println!(
                "{node} has joined; take the escrow {} off this node",
                escrow.display()
            );
            0
        }
        Hosted::Without(missing) => {
            let missing: Vec<_> = missing.iter().map(|component| component.name()).collect();
            eprintln!(
                "holding: etcd of {node} is a member and the node is labelled, but no ready pod here of {}; look at the pods of kube-system, and run this again",
                missing.join(", ")
            );
            3
        }
    }
}

/// Says how a rescue ended, and gives its exit code.
fn told(component: Component, rescued: &Rescued) -> u8 {
    match rescued {
        Rescued::Done => {
            println!("{component} is back, and its rescue pod is gone");
            0
        }
        Rescued::Alive => {
            eprintln!(
                "refused: {component} has a ready pod on a node that is heard of; nothing was changed"
            );
            REFUSED
        }
        Rescued::Waiting => {
            eprintln!(
                "holding: no pod of DaemonSet {component} is ready yet; its rescue pod stays: look at the pods of kube-system, and run this again"
            );
            3
        }
    }
}
