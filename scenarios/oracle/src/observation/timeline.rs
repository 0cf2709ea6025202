//! What the runner did to the cluster, and watched for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use terms::{Fault, NodeId};

/// A fault and its effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// Index of the timeline entry, from 0.
    pub entry: u32,
    /// The fault as written.
    pub fault: Fault,
    /// The nodes (or none, for the installer or objects) that the selectors resolved to.
    pub targets: Vec<NodeId>,
    /// What was done, object by object.
    pub objects: Vec<String>,
    /// Whether it was proven that it took effect, and how; otherwise why not.
    pub effect: Result<String, String>,
    /// What the fault really does in containers.
    pub fidelity: String,
}

/// Lasting faults undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealRecord {
    /// Index of the timeline entry.
    pub entry: u32,
    /// The nodes that were healed.
    pub nodes: Vec<NodeId>,
    /// Whether the mechanism was proven undone, and how; otherwise why not.
    pub effect: Result<String, String>,
}

/// A timeline entry begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Index of the entry, from 0.
    pub entry: u32,
    /// What it is, in words.
    pub what: String,
    /// Whether it begins (otherwise it ends).
    pub begins: bool,
}

/// The result of watching the cluster settle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Index of the timeline entry.
    pub entry: u32,
    /// What was still missing when the time was up; empty when it settled.
    pub missing: Vec<String>,
    /// Claims of the user-level suite that failed, by name, with their error.
    pub failed_claims: BTreeMap<String, String>,
    /// How long it took.
    pub took_ms: u64,
}

impl Settled {
    /// What was still missing when the time was up, in words; nothing when the cluster settled.
    pub fn failure(&self) -> Option<String> {
        if self.missing.is_empty() && self.failed_claims.is_empty() {
            return None;
        }
        let claims = self
            .failed_claims
            .iter()
            .map(|(name, error)| format!("{name} ({error})"));
        let all: Vec<_> = self.missing.iter().cloned().chain(claims).collect();
        Some(format!(
            "the cluster did not settle in {} ms: {}",
            self.took_ms,
            all.join("; ")
        ))
    }
}
