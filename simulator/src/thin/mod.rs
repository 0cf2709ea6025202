//! A thin world: enough to tell a right pivot from a wrong one.

mod agent;
mod cluster;
mod driver;
mod facts;
mod kept;
mod look;
mod node;
mod outline;
mod quiet;
mod scene;
mod settled;
mod stage;
mod strike;
mod tasks;
mod tried;
mod watcher;
mod world;

pub(crate) use agent::HoldPoint;
pub(crate) use driver::Said;
pub use driver::WorldDriver;
pub(crate) use kept::Part;
pub use scene::{Happening, Incident, Quirk, Scene, When};
pub use stage::{Run, run, run_to_end};
pub use tried::Tried;
pub(crate) use watcher::{Done, Watcher};
pub use world::World;
pub(crate) use world::{Made, Pod};
