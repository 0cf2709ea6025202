//! Operations of the installer: started, watched in the background, joined.

use std::time::Duration;

use oracle::Sighting;
use oracle::observation::{self, OperationEnd, OperationEnded};
use scenarios::OperationKind;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::recovery::OpenRecovery;
use crate::cluster::Node;
use crate::installer::{HoldPoint, InstallerError, Selfhost, UnitState};
use crate::stream::Stream;

/// How often systemd is asked for the unit.
const POLL: Duration = Duration::from_millis(400);
/// Nothing waits without a deadline: the plan's own deadlines are far below this.
const OVERDUE: Duration = Duration::from_secs(900);

/// An operation that was started and not yet joined. Dropped, it is watched no longer: a watcher
/// that outlived an interrupted case would keep its record open.
#[derive(Debug)]
pub(super) enum Open {
    /// A unit of a node.
    Unit(AbortOnDropHandle<OperationEnd>),
    /// A recovery: a command that we wait for.
    Recovery(OpenRecovery),
}

/// Starts the installer's unit and watches it until it ends.
///
/// # Errors
/// When the installer could not be started.
pub(super) async fn start(
    kind: OperationKind,
    installer: &Selfhost,
    node: &Node,
    holds: &[HoldPoint],
    stream: &Stream,
) -> Result<Open, InstallerError> {
    let operation = kind.name().to_owned();
    let started = observation::Operation {
        operation: operation.clone(),
        foreign: false,
        from_snapshot: false,
        rival: false,
    };
    stream.runner(Sighting::OperationStarted(started)).await;
    match kind {
        OperationKind::Resume => installer.resume(node).await?,
        _ => installer.start(node, holds).await?,
    }
    let watcher = tokio::spawn(watch(
        operation,
        installer.clone(),
        node.clone(),
        stream.clone(),
    ));
    Ok(Open::Unit(AbortOnDropHandle::new(watcher)))
}

impl Open {
    /// Whether the operation has ended.
    pub(super) fn has_ended(&self) -> bool {
        match self {
            Self::Unit(watcher) => watcher.is_finished(),
            Self::Recovery(recovery) => recovery.has_ended(),
        }
    }
}

/// A node that is off cannot be asked: the unit is enabled, so that it goes on when the node is back.
async fn watch(operation: String, installer: Selfhost, node: Node, stream: Stream) -> OperationEnd {
    let overdue = Instant::now() + OVERDUE;
    let end = loop {
        match installer.state(&node).await {
            Ok(UnitState::Ended(end)) => break end,
            Ok(UnitState::Running | UnitState::NotStarted) | Err(_) => {}
        }
        if Instant::now() >= overdue {
            break OperationEnd::Overdue;
        }
        sleep(POLL).await;
    };
    let detail = stream
        .picture()
        .borrow()
        .steps
        .iter()
        .rev()
        .find_map(|seen| seen.value.reason.clone());
    stream
        .runner(Sighting::OperationEnded(OperationEnded {
            operation,
            end,
            detail,
        }))
        .await;
    end
}
