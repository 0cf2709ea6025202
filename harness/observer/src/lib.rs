//! The observer of a node: what runs, which manifests and bootstrap files lie there, which ports
//! listen, what the installer says of its steps, and how a user's workload fares.
//!
//! It reads `/proc` and the file system, asks that workload's Service and nobody else, and it shares no code with the installer
//! that it watches. [`line`] is what it writes, one JSON line a sighting.

pub mod agents;
pub mod checkpoints;
pub mod files;
pub mod line;
pub mod ports;
pub mod processes;
pub mod tail;
pub mod workload;
