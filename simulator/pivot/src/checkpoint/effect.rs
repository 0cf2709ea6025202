//! What goes into the machine and what comes out.

use serde::{Deserialize, Serialize};
use terms::{Component, Moment, StepName};

use super::facts::Facts;
use crate::effect::Attempt;
use crate::few::Few;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// The driver looked at the node and the API.
    Facts(Facts),
    /// A task ended.
    Finished(Task, Attempt, Outcome),
    /// A timer ran out.
    Elapsed(Timer),
    /// The hold point of an announcement was passed; without a hold the driver says so at once.
    Released(Step, Moment),
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It failed, and may succeed later.
    Failed,
    /// Its deadline passed: it may have happened.
    Unknown,
}

/// Something that the driver must do. Each can be done again after it was done, or half done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Task {
    /// Write the files of a new version, without its commit mark, and prepare its manifest for
    /// activation. It fails if the parent is no longer the one that the last facts told of.
    Write,
    /// Verify what lies there, write and sync the commit mark, and remove versions that are too old.
    /// It fails if something lacks or differs from what was written.
    Commit,
    /// Rename the newest complete version's prepared manifest into the kubelet's directory.
    Activate,
    /// Take the manifest out of the kubelet's directory again.
    Retire,
    /// Delete every version.
    Remove,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 5] = [
        Self::Write,
        Self::Commit,
        Self::Activate,
        Self::Retire,
        Self::Remove,
    ];
}

/// A timer. Its duration is the plan's, see [`super::AgentPlan::duration_ms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// The parent has been ready for long enough to be saved.
    Ready,
    /// Nothing of the component has run, nor will, for long enough to start the copy.
    Absent,
    /// The parent has been ready for long enough to be handed over to.
    Handover,
    /// The API has said for long enough that no parent is bound to the node.
    Grace,
    /// It is time to try a failed task again.
    Retry,
}

impl Timer {
    /// Every timer.
    pub const ALL: [Self; 5] = [
        Self::Ready,
        Self::Absent,
        Self::Handover,
        Self::Grace,
        Self::Retry,
    ];
}

/// A step that is announced, as `<component>-<step>`, by `checkpoint@<node>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A new version's files are written; it does not count yet.
    Written,
    /// The version has its commit mark: it can be activated.
    Saved,
    /// The copy was put into the kubelet's directory.
    Activated,
    /// The copy was taken out of the kubelet's directory.
    Retired,
    /// Every version was deleted.
    Removed,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 5] = [
        Self::Written,
        Self::Saved,
        Self::Activated,
        Self::Retired,
        Self::Removed,
    ];

    /// Its part of the announced name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Saved => "saved",
            Self::Activated => "activated",
            Self::Retired => "retired",
            Self::Removed => "removed",
        }
    }

    /// The name under which it is announced for a component.
    pub fn of(self, component: Component) -> StepName {
        StepName::new(format!("{component}-{}", self.name()))
    }
}

/// Something that the driver must do, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Begin a task.
    Start(Task, Attempt),
    /// Give up a task; its answer no longer matters.
    Cancel(Task),
    /// Start a timer anew.
    Arm(Timer),
    /// Stop a timer.
    Disarm(Timer),
    /// Say that a step was reached, and wait to be released.
    Announce(Step, Moment),
}

/// What one step of the machine asks of the driver.
pub type Effects = Few<Effect>;
