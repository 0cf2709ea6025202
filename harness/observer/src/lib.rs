//! The observer of a node: what runs, which manifests and bootstrap files lie there, which ports
//! listen, and what the installer says of its steps.
//!
//! It reads `/proc` and the file system and nothing else, and it shares no code with the installer
//! that it watches. [`line`] is what it writes, one JSON line a sighting.

pub mod agents;
pub mod checkpoints;
pub mod files;
pub mod line;
pub mod ports;
pub mod processes;
pub mod tail;
