//! `selfhost checkpoint`: keeps copies of a node's control-plane pods that can start without an API,
//! and starts them when nobody else would.
//!
//! *Parent*: the self-hosted pod of a component that is bound to this node. *Version*: a copy of it on
//! this node's disk, with all that it needs. *Copy*: the static pod that is started from a version.
//! What is done and when is `pivot::checkpoint`'s to say; here it is asked for, performed and recorded.

mod api;
mod command;
mod disk;
mod driver;
mod holds;
mod leadership;
mod lease;
mod manifest;
mod places;
mod protection;
mod sources;
mod tasks;
#[cfg(test)]
mod tests;
mod version;

pub(crate) use command::Checkpoint;
pub(crate) use lease::ARMED;
pub(crate) use places::Places;
