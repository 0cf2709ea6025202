//! The proof that something was done to a node.

use serde::Serialize;

use crate::docker::State;

/// The proof that something was done to a node: its state before and after, as the engine said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// The state just before.
    pub before: State,
    /// The state just after.
    pub after: State,
}

impl Effect {
    /// Whether the node's power, its last start or its last end differs.
    pub fn changed(&self) -> bool {
        let Self { before, after } = self;
        before.power != after.power
            || before.started_at != after.started_at
            || before.finished_at != after.finished_at
    }

    /// The node's power before and after, in words.
    pub fn power(&self) -> String {
        format!("{:?} -> {:?}", self.before.power, self.after.power)
    }
}
