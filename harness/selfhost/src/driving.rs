//! From a plan, its files and a command line to a driver, and from its end to an exit code: what a
//! bootstrap and a recovery have in common.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pivot::{Durable, Plan, StageKind};
use terms::{Actor, Milliseconds};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::assets::Assets;
use crate::clients::Clients;
use crate::control::ControlFifo;
use crate::driver::{Driver, Ending, Holds, MarkerPlace, Parts};
use crate::durable_file::{self, FileError};
use crate::events::{Events, EventsTo};
use crate::facts::{FactSource, Poller};
use crate::hold::HoldPoint;
use crate::layout::Layout;
use crate::log::Log;
use crate::operator::{Operation, OperatorLock, Turn};
use crate::start::{REFUSED, StartError};
use crate::tasks::{ClusterTasks, DestroyedTasks, Tasks};

/// How long etcd may take until it says who is at work, before a procedure is taken up again.
const ETCD_WITHIN: Duration = Duration::from_secs(120);

/// How a procedure is watched and held.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Driving {
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
}

/// A procedure that is to be driven.
pub(crate) struct Procedure {
    /// Its plan.
    pub(crate) plan: Plan,
    /// Who announces its steps.
    pub(crate) actor: Actor,
    /// Where its files lie.
    pub(crate) layout: Layout,
    /// Whose marker is written where.
    pub(crate) marker: MarkerPlace,
    /// What survived of an earlier process.
    pub(crate) durable: Option<Durable>,
    /// Whether an earlier process had begun to destroy the assets.
    pub(crate) destroying: bool,
}

impl Driving {
    /// Drives a procedure to its end and gives the exit code: 0 done, 3 holding, 4 refused, 143 stopped
    /// by SIGTERM, 130 by SIGINT.
    ///
    /// # Errors
    /// When it could not begin or not go on.
    pub(crate) async fn run(
        &self,
        procedure: Procedure,
        assets: Arc<Assets>,
        operation: Operation,
    ) -> Result<u8, StartError> {
        if procedure.destroying && procedure.durable.is_some() {
            return self.finish_destruction(procedure).await;
        }
        let operator = Arc::new(OperatorLock::new(assets.etcd.clone(), operation));
        // A fresh start asks after it has made sure whose etcd this is: it writes nothing before.
        if procedure.durable.is_some()
            && let Turn::Taken(by) = turn(&operator).await?
        {
            eprintln!("refused: {by} is at work; wait for its end, or stop it and try again");
            return Ok(REFUSED);
        }
        let clients = Clients::new(&assets)?;
        let facts = Poller::start(&assets, &clients);
        let least = usize::from(procedure.plan.rules.least_apiservers).min(assets.control_planes);
        let tasks = ClusterTasks::new(
            procedure.layout.clone(),
            assets,
            clients,
            &facts,
            Arc::clone(&operator),
            least,
        );
        self.drive(procedure, tasks, facts, Some(operator)).await
    }

    /// Ends a procedure whose assets are being destroyed: it was verified before that began.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub(crate) async fn finish_destruction(
        &self,
        mut procedure: Procedure,
    ) -> Result<u8, StartError> {
        let plan = &procedure.plan;
        // Whatever the marker says, nothing but the last stage's end is left to do.
        let verify = plan
            .stages
            .iter()
            .position(|stage| stage.kind == StageKind::Verify);
        let verify = verify.and_then(|stage| u8::try_from(stage).ok());
        procedure.durable = procedure.durable.map(|durable| Durable {
            stage: verify.unwrap_or(durable.stage),
            completed: durable.completed && verify == Some(durable.stage),
            holding: None,
            reinstating: false,
            done: false,
        });
        let tasks = DestroyedTasks::new(procedure.layout.clone());
        self.drive(procedure, tasks, NoFacts, None).await
    }

    /// Says so, and says it in the events too if a kill came between the marker and its announcement.
    ///
    /// # Errors
    /// When the events cannot be written.
    pub(crate) fn already_done(&self, actor: Actor, layout: &Layout) -> Result<u8, StartError> {
        println!("already done");
        let to = self.events_to(layout);
        let mut events = Events::of(actor, &to)?;
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
        procedure: Procedure,
        tasks: T,
        facts: F,
        operator: Option<Arc<OperatorLock>>,
    ) -> Result<u8, StartError> {
        let Procedure {
            plan,
            actor,
            layout,
            marker,
            durable,
            destroying: _,
        } = procedure;
        let log = self.log.clone().unwrap_or_else(|| layout.log());
        let stop = CancellationToken::new();
        let code = stop_on_signals(&stop)?;
        let parts = Parts {
            events: Events::of(actor, &self.events_to(&layout))?,
            log: Log::open(&log)?,
            holds: self.holds(&layout)?,
            plan,
            tasks,
            facts,
            marker,
            stop: stop.clone(),
        };
        let mut driver = Driver::new(parts);
        let ending = tokio::select! {
            ending = driver.run(durable) => ending?,
            by = lost(operator.as_deref()) => {
                eprintln!("refused: {by} took over while this one was cut off from etcd");
                return Ok(REFUSED);
            }
        };
        if let Some(operator) = operator {
            operator.release().await;
        }
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

/// Asks for the turn until etcd answers: after a reboot its member starts beside us.
async fn turn(operator: &OperatorLock) -> Result<Turn, StartError> {
    let until = Instant::now() + ETCD_WITHIN;
    loop {
        match operator.take().await {
            Ok(turn) => return Ok(turn),
            Err(error) if Instant::now() >= until => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

/// Waits until the turn is lost to somebody else.
async fn lost(operator: Option<&OperatorLock>) -> String {
    match operator {
        Some(operator) => operator.keep().await,
        None => std::future::pending().await,
    }
}

/// Nothing is known any more, and nothing needs to be.
struct NoFacts;

impl FactSource for NoFacts {
    async fn next(&mut self) -> pivot::Facts {
        std::future::pending().await
    }
}

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
