//! The project's own container tests: they need a container engine and a node image, and fail with
//! the way to get them where either is missing. Nothing is skipped.

mod claims;
mod clusters;
mod command_line;
mod commands;
mod faults;
mod files;
mod ground;
mod guard;
mod host;
mod power;
mod reaping;
