//! What is said while a cluster comes up.

use std::fmt;

use super::{Profile, Subnet};

/// One thing that happened while a cluster comes up. Times are milliseconds since the bring-up
/// began. Printed, it is a line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpEvent {
    /// The network is there.
    NetworkMade {
        /// The subnet that was free.
        subnet: Subnet,
        /// Since the beginning.
        at_ms: u64,
    },
    /// It is known how nodes may run here.
    ProfileChosen {
        /// The profile.
        profile: Profile,
        /// Since the beginning.
        at_ms: u64,
    },
    /// A node's container runs.
    NodeStarted {
        /// The node.
        node: String,
        /// Since the beginning.
        at_ms: u64,
    },
    /// A node's systemd is up.
    NodeBooted {
        /// The node.
        node: String,
        /// Since the beginning.
        at_ms: u64,
    },
    /// Something works less well than it could.
    Warning(String),
    /// The bring-up failed or was cancelled; what was made is being removed.
    Removing,
}

impl fmt::Display for UpEvent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |ms: &u64| *ms as f64 / 1000.0;
        match self {
            Self::NetworkMade { subnet, at_ms } => {
                write!(out, "{:5.1} s  network {subnet}", seconds(at_ms))
            }
            Self::ProfileChosen { profile, at_ms } => {
                write!(out, "{:5.1} s  node profile {profile}", seconds(at_ms))
            }
            Self::NodeStarted { node, at_ms } => {
                write!(out, "{:5.1} s  {node} started", seconds(at_ms))
            }
            Self::NodeBooted { node, at_ms } => {
                write!(out, "{:5.1} s  {node} booted", seconds(at_ms))
            }
            Self::Warning(text) => write!(out, "warning: {text}"),
            Self::Removing => out.write_str("removing what was made"),
        }
    }
}
