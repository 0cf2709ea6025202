//! `selfhost start`: from a command line to a driver, and from its end to an exit code.

use std::path::PathBuf;
use std::sync::Arc;

use pivot::Plan;
use terms::Actor;

use crate::assets::{Assets, AssetsError};
use crate::clients::ClientError;
use crate::driver::{DriverError, MarkerPlace};
use crate::driving::{Driving, Procedure};
use crate::durable_file::FileError;
use crate::layout::Layout;
use crate::lock::{InstanceLock, LockError};
use crate::marker::{Marker, MarkerError};
use crate::operator::{Operation, OperatorError};
use crate::plan_file::{self, PolicyError};

/// What `selfhost start` is told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Start {
    /// What `selfhost render` made for the installer.
    #[arg(long, value_name = "DIR")]
    pub(crate) assets: PathBuf,
    /// A policy by its name, or a file with one.
    #[arg(long, value_name = "NAME|FILE", default_value = "modern")]
    pub(crate) policy: String,
    /// Where marker, events and log are kept.
    #[arg(long, value_name = "DIR", default_value = crate::DEFAULT_STATE)]
    pub(crate) state_dir: PathBuf,
    #[command(flatten)]
    pub(crate) driving: Driving,
    /// Only go on with something that was begun before; refuse a fresh start.
    #[arg(long)]
    pub(crate) resume: bool,
}

/// Why nothing was driven to an end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The policy is none.
    #[error("the policy cannot be used")]
    Policy(#[from] PolicyError),
    /// Somebody else is at work.
    #[error("nothing was changed")]
    Lock(#[from] LockError),
    /// The marker is not ours or unreadable.
    #[error("nothing was changed")]
    Marker(#[from] MarkerError),
    /// There is nothing to go on with.
    #[error("--resume was given, but {0} holds no marker; start without it")]
    NothingToResume(PathBuf),
    /// The assets cannot be used.
    #[error("the assets cannot be used")]
    Assets(#[from] AssetsError),
    /// No client can be made.
    #[error("the assets cannot be used")]
    Client(#[from] ClientError),
    /// A file of the installer cannot be used.
    #[error("a file of the installer cannot be used")]
    File(#[from] FileError),
    /// Nobody can say who is at work.
    #[error("it is not known whether another operator is at work")]
    Operator(#[from] OperatorError),
    /// The driver gave up.
    #[error("the procedure was interrupted; start again once the cause is removed")]
    Driver(#[from] DriverError),
}

impl StartError {
    /// 64 for a wrong command line or file, 4 for what belongs to somebody else, 1 for all else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Policy(_) => crate::USAGE,
            Self::Assets(AssetsError::Missing(_) | AssetsError::Cluster(_)) => crate::USAGE,
            Self::Lock(LockError::Taken(_)) | Self::NothingToResume(_) => REFUSED,
            Self::Marker(
                MarkerError::OtherCluster(_)
                | MarkerError::OtherPlan(_)
                | MarkerError::Malformed { .. },
            ) => REFUSED,
            _ => 1,
        }
    }
}

/// The exit code when something belongs to somebody else.
pub(crate) const REFUSED: u8 = 4;

/// Takes the node's own lock and that of the state directory: whoever changes a node's control plane
/// does so alone, wherever he keeps his state.
///
/// # Errors
/// When another process has one of them.
pub(crate) fn locks(layout: &Layout) -> Result<[InstanceLock; 2], LockError> {
    Ok([
        InstanceLock::take(&layout.node_lock)?,
        InstanceLock::take(&layout.state)?,
    ])
}

impl Start {
    /// Runs to an end and gives the exit code: 0 done, 3 holding, 4 refused, 143 stopped by SIGTERM,
    /// 130 by SIGINT.
    ///
    /// # Errors
    /// When it could not begin or not go on.
    pub(crate) async fn run(&self) -> Result<u8, StartError> {
        let plan = plan_file::find(&self.policy)?;
        let layout = Layout::of_node(&self.assets, &self.state_dir);
        let _locks = locks(&layout)?;
        let marker = Marker::read(&layout.marker())?;
        if self.resume && marker.is_none() {
            return Err(StartError::NothingToResume(layout.state));
        }
        let place = MarkerPlace {
            path: layout.marker(),
            cluster: String::new(),
            plan: plan_file::fingerprint(&plan),
        };
        match marker {
            Some(marker) if !layout.assets.join("cluster.json").exists() => {
                self.run_without_assets(plan, &layout, place, marker).await
            }
            marker => self.run_with_assets(plan, &layout, place, marker).await,
        }
    }

    async fn run_with_assets(
        &self,
        plan: Plan,
        layout: &Layout,
        place: MarkerPlace,
        marker: Option<Marker>,
    ) -> Result<u8, StartError> {
        let assets = Arc::new(Assets::load(&layout.assets).await?);
        let place = MarkerPlace {
            cluster: assets.cluster_id.clone(),
            ..place
        };
        if let Some(marker) = &marker {
            marker.check(&place.cluster, &place.plan, &place.path)?;
            if marker.durable.done {
                return self.driving.already_done(Actor::default(), layout);
            }
        }
        let durable = marker.map(|marker| marker.durable);
        let operation = Operation::of_node(&assets.bootstrap_machine().name, "bootstrap");
        let procedure = Procedure {
            destroying: layout.destroying().exists() && plan.rules.marker,
            plan,
            actor: Actor::default(),
            layout: layout.clone(),
            marker: place,
            durable,
        };
        self.driving.run(procedure, assets, operation).await
    }

    /// The assets are destroyed at the end: either all is done, or a kill came just before that was
    /// written down.
    async fn run_without_assets(
        &self,
        plan: Plan,
        layout: &Layout,
        place: MarkerPlace,
        marker: Marker,
    ) -> Result<u8, StartError> {
        let place = MarkerPlace {
            cluster: marker.cluster.clone(),
            ..place
        };
        marker.check(&place.cluster, &place.plan, &place.path)?;
        if marker.durable.done {
            return self.driving.already_done(Actor::default(), layout);
        }
        if !layout.destroying().exists() {
            return Err(AssetsError::Missing(layout.assets.join("cluster.json")).into());
        }
        let procedure = Procedure {
            destroying: true,
            plan,
            actor: Actor::default(),
            layout: layout.clone(),
            marker: place,
            durable: Some(marker.durable),
        };
        self.driving.finish_destruction(procedure).await
    }
}
