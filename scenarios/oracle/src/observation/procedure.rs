//! The installer's procedure: its operations and steps.

use serde::{Deserialize, Serialize};
use terms::{Actor, Moment, StepName};

/// A step, with the case's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Who announced it.
    pub actor: Actor,
    /// The step.
    pub step: StepName,
    /// Which side of it.
    pub moment: Moment,
    /// How often this actor announced this address in this case, from 1, across restarts.
    pub occurrence: u32,
    /// Whether the actor waits there.
    pub held: bool,
    /// The actor's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An operation of the installer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// `bootstrap`, `resume`, …
    pub operation: String,
    /// Whether another installer, of another cluster, is being run (which must be refused).
    #[serde(default)]
    pub foreign: bool,
    /// Whether etcd's data comes out of the latest snapshot.
    #[serde(default, skip_serializing_if = "is_not")]
    pub from_snapshot: bool,
    /// Whether somebody else begins it while one is at work already (which must be refused).
    #[serde(default, skip_serializing_if = "is_not")]
    pub rival: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference to what decides whether a field is written"
)]
const fn is_not(so: &bool) -> bool {
    !*so
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationEnded {
    /// Which one.
    pub operation: String,
    /// How.
    pub end: OperationEnd,
    /// The installer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationEnd {
    /// The procedure is done.
    Done,
    /// It holds and waits for a person.
    Holding,
    /// It refused to begin and changed nothing.
    Refused,
    /// It failed otherwise.
    Failed,
    /// It was killed, by a fault or with its node.
    Killed,
    /// It did not end within its deadline.
    Overdue,
}

impl OperationEnd {
    /// The word for it in records: what a case ended as.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Holding => "holding",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::Overdue => "overdue",
        }
    }
}
