//! An agent's plan: timings and rules as data. A policy names one; a mutant changes one of them.

use serde::{Deserialize, Serialize};
use terms::Component;

use super::effect::Timer;
use crate::plan::ComponentSet;

/// What it means that the runtime cannot be asked which processes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuntimeErrorRule {
    /// Nothing is known, and nothing is started.
    Wait,
    /// Nothing runs (history: C1).
    AssumeDead,
}

/// What the grace period before a removal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GraceRule {
    /// That the API says throughout that the parent is gone, and that the component is led: whoever could
    /// bring it back had the time to.
    ApiOnly,
    /// That the API said so once; it runs on, and removes, while the API does not answer (history: C4).
    Blind,
    /// That the API does not say that the parent is there: silence is taken for absence (history: FF-22).
    SilenceIsAbsence,
}

/// In which order a version is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderRule {
    /// A version can be activated once all its files are there, which the commit mark says.
    FilesFirst,
    /// The manifest comes first, and can be activated at once, whatever it lacks (history: C5).
    ManifestFirst,
}

/// When a parent is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaveRule {
    /// After it was ready for the stated time.
    WhenReady,
    /// As soon as it is bound, good or bad (history: C9).
    WhenSeen,
}

/// When a copy starts, if nothing of its component runs on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivateRule {
    /// When the API does not answer; a controller's, by [`AgentRules::unled`], when nobody leads.
    Unserved,
    /// Whenever the API does not say that the node has no parent, so that the copy races a parent
    /// that is only just starting (history: C2, FF-37).
    ParentAbsent,
}

/// When a copy stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetireRule {
    /// After its parent was ready for the stated time.
    WhenReady,
    /// As soon as a process of its parent runs, whether or not it ever becomes ready (history: FF-25).
    WhenRunning,
}

/// The plan's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentRules {
    /// What an unknown process is.
    pub runtime_error: RuntimeErrorRule,
    /// What the grace period asks for.
    pub grace: GraceRule,
    /// In which order a version is written.
    pub order: OrderRule,
    /// When a parent is saved.
    pub save: SaveRule,
    /// When a copy starts.
    pub activate: ActivateRule,
    /// When a copy stops.
    pub retire: RetireRule,
    /// Whether what counts for a controller's copy is that nobody renews its Lease, be it because the API has long been silent, or
    /// although it answers. Without, it starts whenever the API does not answer, and only then (history: FF-42).
    pub unled: bool,
    /// Whether the agent's own static copy stays in the kubelet's directory whatever becomes of the
    /// agent's pod. Without, it goes once the API says that no agent's pod, or another one, is bound to
    /// the node (history: C3). The driver keeps to this; the machine has no part in it.
    pub protects_itself: bool,
}

/// What an agent does, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentPlan {
    /// The policy's name.
    pub policy: String,
    /// The components that are saved and started.
    pub checkpointed: ComponentSet,
    /// How long a parent must be ready before it is saved.
    pub ready_ms: u32,
    /// How long nothing may run before the copy starts.
    pub absent_ms: u32,
    /// How long a parent must be ready before its copy stops.
    pub handover_ms: u32,
    /// How long a parent must be gone before its versions are removed.
    pub grace_ms: u32,
    /// How long the machine waits before it tries a failed task again.
    pub retry_ms: u32,
    /// The rules.
    pub rules: AgentRules,
}

/// Why a plan cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentPlanError {
    /// A failed task would be tried again without a pause.
    #[error(
        "`retry_ms` is 0, so that a failed task would be tried without a pause; write 100 or more"
    )]
    NoPause,
    /// A parent that is being replaced would lose its protection at once.
    #[error(
        "`grace_ms` is 0, so that a parent that is being replaced would not be protected; write 1000 or more"
    )]
    NoGrace,
}

impl AgentPlan {
    /// How long a timer runs.
    pub const fn duration_ms(&self, timer: Timer) -> u32 {
        match timer {
            Timer::Ready => self.ready_ms,
            Timer::Absent => self.absent_ms,
            Timer::Handover => self.handover_ms,
            Timer::Grace => self.grace_ms,
            Timer::Retry => self.retry_ms,
        }
    }

    /// Whether the component is saved and started.
    pub const fn covers(&self, component: Component) -> bool {
        self.checkpointed.contains(component)
    }

    /// Says whether a machine can follow the plan.
    ///
    /// # Errors
    /// The first thing that is wrong, with the way out.
    pub const fn check(&self) -> Result<(), AgentPlanError> {
        if self.retry_ms == 0 {
            Err(AgentPlanError::NoPause)
        } else if self.grace_ms == 0 {
            Err(AgentPlanError::NoGrace)
        } else {
            Ok(())
        }
    }
}
