//! What a driver is made of, and how it ends.

use std::path::PathBuf;
use std::time::Duration;

use pivot::Plan;
use tokio_util::sync::CancellationToken;

use crate::control::ControlFifo;
use crate::durable_file::FileError;
use crate::events::Events;
use crate::hold::HoldPoint;
use crate::log::Log;
use crate::marker::MarkerError;

/// How the driver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The procedure is done.
    Done,
    /// It stands still and waits for a person.
    Holding,
    /// Something belongs to somebody else; nothing was changed.
    Refused,
    /// It was told to stop; everything can be resumed.
    Stopped,
}

/// The driver cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DriverError {
    /// The marker cannot be written: nothing that follows would be safe.
    #[error("the marker was not written, so nothing further may be done")]
    Marker(#[from] MarkerError),
    /// Events or log cannot be written.
    #[error("the record was not written, so nothing further may be done")]
    Record(#[from] FileError),
}

/// Where hold points are and how they end.
#[derive(Default)]
pub(crate) struct Holds {
    /// The points.
    pub(crate) points: Vec<HoldPoint>,
    /// Over what they are released.
    pub(crate) control: Option<ControlFifo>,
    /// How long one is held at most.
    pub(crate) deadline: Duration,
}

/// Whose marker is written where.
#[derive(Clone, Debug)]
pub(crate) struct MarkerPlace {
    /// The file.
    pub(crate) path: PathBuf,
    /// The cluster's identity.
    pub(crate) cluster: String,
    /// The plan's fingerprint.
    pub(crate) plan: String,
}

/// What a driver is made of.
pub(crate) struct Parts<T, F> {
    /// The plan to follow.
    pub(crate) plan: Plan,
    /// Who performs tasks.
    pub(crate) tasks: T,
    /// Who tells facts.
    pub(crate) facts: F,
    /// Whose marker is written where.
    pub(crate) marker: MarkerPlace,
    /// The stream of steps.
    pub(crate) events: Events,
    /// The log of inputs and effects.
    pub(crate) log: Log,
    /// Hold points.
    pub(crate) holds: Holds,
    /// Tells the driver to stop.
    pub(crate) stop: CancellationToken,
}
