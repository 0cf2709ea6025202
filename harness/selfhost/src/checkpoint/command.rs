//! `selfhost checkpoint`: from a command line to a driver that acts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use pivot::checkpoint::AgentPlan;
use terms::{Actor, Milliseconds};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::api::Asker;
use super::driver::{Driver, Parts};
use super::holds::Holds;
use super::lease;
use super::places::Places;
use super::protection::Protection;
use super::sources::Sources;
use crate::clients::{self, ClientError};
use crate::control::ControlFifo;
use crate::driving::stop_on_signals;
use crate::durable_file::{self, FileError};
use crate::events::{Events, EventsTo};
use crate::hold::HoldPoint;
use crate::lock::{InstanceLock, LockError};
use crate::log::LogFile;
use crate::plan_file::{self, PolicyError};

/// What `selfhost checkpoint` is told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Checkpoint {
    /// The node that it runs on, by the name of its Node object.
    #[arg(long, value_name = "NAME")]
    node: String,
    /// An agent's policy by its name, or a file with one.
    #[arg(long, value_name = "NAME|FILE", default_value = "modern")]
    policy: String,
    /// Wait at this announcement until released over the FIFO `control` in the state directory; may be
    /// given several times. The file `holds` there may name more, one a line.
    #[arg(long = "hold-at", value_name = "STEP:MOMENT[:OCCURRENCE]")]
    hold_at: Vec<HoldPoint>,
    /// How long a hold point is held at most, for example 300s.
    #[arg(long, value_name = "DURATION", default_value = "300s")]
    hold_deadline: Milliseconds,
    /// Where the node's directories begin, if not at `/`.
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    root: PathBuf,
}

/// Why the agent does not act.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointError {
    /// The policy is none.
    #[error("the policy cannot be used")]
    Policy(#[from] PolicyError),
    /// The lock cannot be had at all.
    #[error("the lock that keeps agents of one node apart cannot be used")]
    Lock(#[from] LockError),
    /// A file cannot be used.
    #[error("a file of the agent cannot be used")]
    File(#[from] FileError),
    /// The kubeconfig is wrong.
    #[error("{path} cannot be used; render the node's files anew", path = path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: KubeconfigError,
    },
    /// No client can be made of it.
    #[error("the agent's credentials cannot be used")]
    Client(#[from] ClientError),
}

impl CheckpointError {
    /// 64 for a wrong command line or file, 1 for all else.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::Policy(_)) {
            crate::USAGE
        } else {
            1
        }
    }
}

impl Checkpoint {
    /// Waits for the lock, then acts until a signal comes; gives the exit code: 143 stopped by SIGTERM,
    /// 130 by SIGINT.
    ///
    /// # Errors
    /// When it cannot act.
    pub(crate) async fn run(&self) -> Result<u8, CheckpointError> {
        let plan = plan_file::find_agent(&self.policy)?;
        let places = Places::below(&self.root);
        let stop = CancellationToken::new();
        let code = stop_on_signals(&stop)?;
        Protection::of(&self.node).renew(&places)?;
        let Some(_lock) = lock(&places, &stop).await? else {
            return Ok(stopped(&code));
        };
        eprintln!("acting on {} by policy {}", self.node, plan.policy);
        let parts = self.parts(plan, places, stop).await?;
        Driver::new(parts).run().await?;
        Ok(stopped(&code))
    }

    async fn parts(
        &self,
        plan: AgentPlan,
        places: Places,
        stop: CancellationToken,
    ) -> Result<Parts, CheckpointError> {
        let state = &places.state;
        durable_file::private_directory(state)?;
        let client = clients::client(settings(&places.kubeconfig).await?)?;
        let (armed, told) = watch::channel(String::new());
        // It ends with the process: this one acts until then.
        tokio::spawn(lease::renew(client.clone(), self.node.clone(), told));
        let actor = Actor(format!("checkpoint@{}", self.node));
        Ok(Parts {
            sources: Sources::start(Asker::new(client, &self.node, &places), &places),
            protection: Protection::of(&self.node),
            events: Events::of(actor, &EventsTo::File(state.join("events.ndjson")))?,
            log: LogFile::open(&state.join("log.ndjson"))?,
            holds: Holds::new(
                self.hold_at.clone(),
                state.join("holds"),
                self.hold_deadline.to_duration(),
            ),
            control: ControlFifo::open(&state.join("control"))?,
            plan,
            places,
            armed,
            stop,
        })
    }
}

fn stopped(code: &Arc<AtomicU8>) -> u8 {
    code.load(Ordering::Relaxed)
}

/// The lock, once the one before has let go of it; `None` when told to stop while waiting. The thread
/// that waits dies with the process.
async fn lock(
    places: &Places,
    stop: &CancellationToken,
) -> Result<Option<InstanceLock>, CheckpointError> {
    let directory = places.checkpoints.clone();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Nobody waits any more only when the process is about to end.
        let _ = sender.send(InstanceLock::wait(&directory));
    });
    tokio::select! {
        lock = receiver => Ok(Some(lock.expect("the thread always answers")?)),
        () = stop.cancelled() => Ok(None),
    }
}

async fn settings(path: &Path) -> Result<kube::Config, CheckpointError> {
    let wrong = |source| CheckpointError::Kubeconfig {
        path: path.to_owned(),
        source,
    };
    let kubeconfig = Kubeconfig::read_from(path).map_err(wrong)?;
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(wrong)
}
