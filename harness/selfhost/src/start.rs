//! `selfhost start`: from a command line to a driver, and from its end to an exit code.

use std::path::PathBuf;
use std::sync::Arc;

use pivot::{Durable, Plan, StageKind};
use terms::Milliseconds;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::assets::{Assets, AssetsError};
use crate::clients::{ClientError, Clients};
use crate::control::ControlFifo;
use crate::driver::{Driver, DriverError, Ending, Holds, MarkerPlace, Parts};
use crate::durable_file::{self, FileError};
use crate::events::{Events, EventsTo};
use crate::facts::{FactSource, Poller};
use crate::hold::HoldPoint;
use crate::layout::Layout;
use crate::lock::{InstanceLock, LockError};
use crate::log::Log;
use crate::marker::{Marker, MarkerError};
use crate::plan_file::{self, PolicyError};
use crate::tasks::{ClusterTasks, DestroyedTasks, Tasks};

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
    /// Where the steps are written, `-` for standard output [default: events.ndjson in the state directory].
    #[arg(long, value_name = "FILE|-")]
    pub(crate) events: Option<String>,
    /// Where inputs and effects are written [default: log.ndjson in the state directory].
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Wait at this announcement until released; may be given several times.
    #[arg(long = "hold-at", value_name = "STEP:MOMENT[:OCCURRENCE]")]
    pub(crate) hold_at: Vec<HoldPoint>,
    /// A FIFO, made if there is none, over which `release STEP:MOMENT` arrives
    /// [default: control in the state directory, if there are hold points].
    #[arg(long, value_name = "FIFO")]
    pub(crate) control: Option<PathBuf>,
    /// How long a hold point is held at most, for example 300s.
    #[arg(long, value_name = "DURATION", default_value = "300s")]
    pub(crate) hold_deadline: Milliseconds,
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
const REFUSED: u8 = 4;

impl Start {
    /// Runs to an end and gives the exit code: 0 done, 3 holding, 4 refused, 143 stopped by SIGTERM,
    /// 130 by SIGINT.
    ///
    /// # Errors
    /// When it could not begin or not go on.
    pub(crate) async fn run(&self) -> Result<u8, StartError> {
        let plan = plan_file::find(&self.policy)?;
        let layout = Layout::of_node(&self.assets, &self.state_dir);
        let _lock = InstanceLock::take(&layout.state)?;
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
                return self.already_done(layout);
            }
        }
        let durable = marker.map(|marker| marker.durable);
        if durable.is_some() && layout.destroying().exists() && plan.rules.marker {
            return self.finish_destruction(plan, layout, place, durable).await;
        }
        let clients = Clients::new(&assets)?;
        let facts = Poller::start(&assets, &clients);
        let least = usize::from(plan.rules.least_apiservers).min(assets.control_planes);
        let tasks = ClusterTasks::new(layout.clone(), assets, clients, facts.newest(), least);
        self.drive(plan, layout, place, durable, tasks, facts).await
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
            return self.already_done(layout);
        }
        if !layout.destroying().exists() {
            return Err(AssetsError::Missing(layout.assets.join("cluster.json")).into());
        }
        self.finish_destruction(plan, layout, place, Some(marker.durable))
            .await
    }

    async fn finish_destruction(
        &self,
        plan: Plan,
        layout: &Layout,
        place: MarkerPlace,
        durable: Option<Durable>,
    ) -> Result<u8, StartError> {
        // Whatever the marker says, nothing but the last stage's end is left to do.
        let verify = plan
            .stages
            .iter()
            .position(|stage| stage.kind == StageKind::Verify);
        let verify = verify.and_then(|stage| u8::try_from(stage).ok());
        let durable = durable.map(|durable| Durable {
            stage: verify.unwrap_or(durable.stage),
            completed: durable.completed && verify == Some(durable.stage),
            holding: None,
            reinstating: false,
            done: false,
        });
        let tasks = DestroyedTasks::new(layout.clone());
        self.drive(plan, layout, place, durable, tasks, NoFacts)
            .await
    }

    /// Says so, and says it in the events too if a kill came between the marker and its announcement.
    fn already_done(&self, layout: &Layout) -> Result<u8, StartError> {
        println!("already done");
        let to = self.events_to(layout);
        let mut events = Events::open(&to)?;
        let done = terms::StepName::new(Plan::DONE_STEP);
        if matches!(to, EventsTo::File(_))
            && events.occurrence(&done, terms::Moment::Completed) == 1
        {
            events.announce(&done, terms::Moment::Completed, false, None)?;
        }
        Ok(0)
    }

    async fn drive<T: Tasks, F: FactSource>(
        &self,
        plan: Plan,
        layout: &Layout,
        marker: MarkerPlace,
        durable: Option<Durable>,
        tasks: T,
        facts: F,
    ) -> Result<u8, StartError> {
        let log = self.log.clone().unwrap_or_else(|| layout.log());
        let stop = CancellationToken::new();
        let code = stop_on_signals(&stop)?;
        let parts = Parts {
            events: Events::open(&self.events_to(layout))?,
            log: Log::open(&log)?,
            holds: self.holds(layout)?,
            plan,
            tasks,
            facts,
            marker,
            stop,
        };
        let ending = Driver::new(parts).run(durable).await?;
        // The directory may hold an earlier breadcrumb only while destruction is not finished.
        if ending == Ending::Done {
            durable_file::remove_if_present(&layout.destroying())?;
        }
        Ok(match ending {
            Ending::Done => 0,
            Ending::Holding => 3,
            Ending::Refused => REFUSED,
            Ending::Stopped => code.load(std::sync::atomic::Ordering::Relaxed),
        })
    }

    fn events_to(&self, layout: &Layout) -> EventsTo {
        match &self.events {
            Some(to) => EventsTo::from(to.as_str()),
            None => EventsTo::File(layout.events()),
        }
    }

    fn holds(&self, layout: &Layout) -> Result<Holds, FileError> {
        let default = || (!self.hold_at.is_empty()).then(|| layout.state.join("control"));
        let control = self.control.clone().or_else(default);
        Ok(Holds {
            points: self.hold_at.clone(),
            control: control.map(|path| ControlFifo::open(&path)).transpose()?,
            deadline: self.hold_deadline.to_duration(),
        })
    }
}

/// Nothing is known any more, and nothing needs to be.
struct NoFacts;

impl FactSource for NoFacts {
    async fn next(&mut self) -> pivot::Facts {
        std::future::pending().await
    }
}

/// Cancels `stop` when a signal to end comes, and gives the exit code that it stands for.
///
/// # Errors
/// When signals cannot be listened to.
pub(crate) fn stop_on_signals(
    stop: &CancellationToken,
) -> Result<Arc<std::sync::atomic::AtomicU8>, FileError> {
    use std::sync::atomic::{AtomicU8, Ordering};
    let code = Arc::new(AtomicU8::new(0));
    let place = std::path::Path::new("signals");
    for (kind, exit) in [
        (SignalKind::terminate(), 143),
        (SignalKind::interrupt(), 130),
    ] {
        let mut signals = signal(kind).map_err(FileError::when("listen to", place))?;
        let (code, stop) = (Arc::clone(&code), stop.clone());
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                code.store(exit, Ordering::Relaxed);
                stop.cancel();
            }
        });
    }
    Ok(code)
}
