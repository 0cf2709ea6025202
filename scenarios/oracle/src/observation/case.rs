//! The case itself: what it is, and how it ended.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use terms::{Actor, Capability, Milliseconds, Moment, NodeId, StepName};

use super::Step;

/// What a case is, as far as invariants may know it: never the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseOpened {
    /// The case's id, unique in its run.
    pub case: String,
    /// All nodes.
    pub nodes: Vec<NodeId>,
    /// The node on which the installer runs.
    pub bootstrap_node: NodeId,
    /// What the installer claims.
    pub capabilities: BTreeSet<Capability>,
    /// How many instances of each self-hosted component there should be.
    pub wanted_instances: u32,
    /// The least number of verified self-hosted apiservers, on different nodes, at teardown.
    pub guard_instances: u32,
    /// Budgets in force, by name; absent means not judged.
    pub budgets: BTreeMap<String, Milliseconds>,
    /// What the installer calls a finished procedure.
    pub done_step: StepName,
    /// The end that the case asks for: `done` or `holding`.
    pub expected_end: String,
    /// The times that the installer states for its checkpoints; none where it states none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_times: Option<CheckpointTimes>,
}

/// The times that an installer states for its checkpoints, and is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointTimes {
    /// A checkpoint is removed only once the API has said for so long, in milliseconds, that its parent is not bound.
    pub grace_ms: u64,
}

/// The end of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseClosed {
    /// How the procedure stood in the end: `done`, `holding`, or another word for neither.
    pub end: String,
    /// Why the runner ended early, if it did: a cause that makes the case inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// Trouble that is nobody's verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Which kind.
    pub cause: Cause,
    /// In words.
    pub detail: String,
}

/// Why a case is inconclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A fault could not be injected, had no effect, or its address was never reached.
    Fault,
    /// Too little was seen.
    Samples,
    /// The host was too slow or too full.
    Host,
    /// The environment failed: the engine, the network, the image.
    Environment,
    /// The harness itself failed.
    Harness,
}

impl CaseOpened {
    /// The grace period of a removal in microseconds; nothing where none is stated, and zero is none.
    pub fn grace_us(&self) -> Option<u64> {
        let grace_us = self.checkpoint_times?.grace_ms.saturating_mul(1_000);
        (grace_us > 0).then_some(grace_us)
    }

    /// Whether this step says that the procedure is done: the done step completed, or a mark of that name reached.
    /// Only the installer's own step does: when a recovery's is done, other nodes have yet to join.
    pub fn is_done(&self, step: &Step) -> bool {
        let is_mark = self.done_step.as_str() == "done";
        let is_own = step.actor == Actor::default();
        is_own && step.step == self.done_step && (is_mark || step.moment == Moment::Completed)
    }
}
