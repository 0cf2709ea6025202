//! A thin world: enough to tell a right pivot from a wrong one.

mod scene;
mod stage;
mod world;
mod node;
mod cluster;
mod facts;
mod tasks;
mod driver;
mod watcher;

pub use driver::WorldDriver;
pub use scene::{Happening, Incident, Quirk, Scene, When};
pub use stage::{Run, run, run_to_end};
pub use world::World;
