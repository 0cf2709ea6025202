//! What came of a timed run.

use std::collections::BTreeMap;

use oracle::Observation;
use pivot::{LogEntry, checkpoint};
use terms::NodeId;

/// What came of a timed run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was seen from outside, first to last line of the record.
    pub observations: Vec<Observation>,
    /// What the installer's processes logged, one after another: every input with its effects.
    pub log: Vec<LogEntry>,
    /// What each node's checkpoint agents logged, one after another.
    pub agent_logs: BTreeMap<NodeId, Vec<checkpoint::LogEntry>>,
    /// How much virtual time it took, in milliseconds.
    pub took_ms: u64,
}
