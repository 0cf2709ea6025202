//! Who is who.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// A node of a cluster by its name, such as `cp-1` or `worker-1`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct NodeId(#[schemars(with = "String")] SmolStr);

impl NodeId {
    /// Names a node; the name is taken as it is.
    pub fn new(name: impl Into<SmolStr>) -> Self {
        Self(name.into())
    }

    /// The name of the control-plane node with this number, counted from 1.
    pub fn control_plane(number: usize) -> Self {
        Self(format_smolstr!("cp-{number}"))
    }

    /// The name of the worker with this number, counted from 1.
    pub fn worker(number: usize) -> Self {
        Self(format_smolstr!("worker-{number}"))
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a control-plane node, which the name tells.
    pub fn is_control_plane(&self) -> bool {
        self.0.starts_with("cp-")
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<&str> for NodeId {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}
