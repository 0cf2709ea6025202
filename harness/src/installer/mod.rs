//! Installers: what the runner needs of the system under test, and nothing of how it works.

pub mod checkpoint_agent;
mod operation;
pub mod recovery;
mod selfhost;

pub use operation::{HoldPoint, UnitState};
pub use recovery::{Ended, Escrow, SnapshotFile};
pub use selfhost::{Access, CONTROL, InstallerError, LOG, STEPS, Selfhost, UNIT_NAME};
