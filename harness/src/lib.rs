//! The only room that touches the world: real nodes in containers, faults, probes, the runner and
//! its evidence. Everything that judges or decides is a pure crate elsewhere; this one carries
//! observations in and effects out.

// `console::lines` prints what a reader that has gone must not end.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;

pub mod claims;
pub mod cluster;
pub mod console;
pub mod docker;
pub mod doctor;
pub mod evidence;
pub mod faults;
pub mod image;
pub mod installer;
pub mod kubernetes;
pub mod probes;
pub mod runner;
pub mod stream;
