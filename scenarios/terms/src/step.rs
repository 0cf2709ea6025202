//! Steps: named points of a procedure, announced by the machine that reaches them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::NodeId;

/// The name of a step. An open string that the installer declares, not a closed enum.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct StepName(String);

impl StepName {
    /// Names a step; the name is taken as it is.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<&str> for StepName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// Which side of a step.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Before its first effect.
    Entered,
    /// After its last effect.
    Completed,
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Entered => "entered",
            Self::Completed => "completed",
        })
    }
}

/// The machine that announces steps: `installer`, or such as `checkpoint@cp-1` or `recovery@cp-1`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Actor(pub String);

impl Actor {
    /// The checkpoint agent of a node.
    pub fn agent(node: &NodeId) -> Self {
        Self(format!("{AGENT}{node}"))
    }

    /// The node whose checkpoint agent this is; none for any other machine.
    pub fn agent_node(&self) -> Option<NodeId> {
        self.0.strip_prefix(AGENT).map(NodeId::new)
    }

    /// A recovery that somebody began on a node.
    pub fn recovery(node: &NodeId) -> Self {
        Self(format!("{RECOVERY}{node}"))
    }

    /// The node on which this recovery was begun; none for any other machine.
    pub fn recovery_node(&self) -> Option<NodeId> {
        self.0.strip_prefix(RECOVERY).map(NodeId::new)
    }
}

/// What the names of checkpoint agents begin with.
const AGENT: &str = "checkpoint@";
/// What the names of recoveries begin with.
const RECOVERY: &str = "recovery@";

impl Default for Actor {
    fn default() -> Self {
        Self("installer".to_owned())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One line of an installer's step stream, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepEvent {
    /// Version of this record: 1.
    pub v: u32,
    /// Who announces.
    #[serde(default)]
    pub actor: Actor,
    /// The step.
    pub step: StepName,
    /// Which side of it.
    pub moment: Moment,
    /// The host's boot-time clock in microseconds.
    pub boot_us: u64,
    /// Whether the machine now waits at a hold point until it is released.
    #[serde(default)]
    pub held: bool,
    /// Why, for the steps that need a reason (`holding`, `reinstating`), and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
