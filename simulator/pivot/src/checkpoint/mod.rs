//! The checkpoint agent as a pure machine: one instance for each component on each node.
//!
//! *Parent*: the self-hosted pod of the component that is bound to the node. *Version*: a copy of it
//! on the node's disk, with all that it needs. *Copy*: a static pod started from a version.
//! *Activation*: the copy starts because nothing of the component runs and nobody will start it.
//! *Handover*: the copy stops once its parent has proven itself.
//!
//! All that survives a kill is on the disk and is told by facts, so a new process simply [`begin`]s.
//! As in the pivot: no time, no strings, no heap, no chance, and every input is legal in every state.
//!
//! # What a driver must keep to
//! Effects are performed in order. A task of an attempt ends at most once, unless it was cancelled.
//! Facts are gathered after the effects of the step before were performed, they are told whenever they
//! changed and once a second at least, and what could not be asked within two seconds is unknown.
//! While [`State::awaits_facts`] the driver gathers them anew and tells them even if nothing changed.

mod effect;
mod facts;
mod judge;
mod machine;
mod mutants;
mod plan;
mod policies;
mod replay;
mod state;

pub use effect::{Effect, Effects, Input, Outcome, Step, Task, Timer};
pub use facts::{Facts, Known, Saved, UNLED_AFTER_MS, UNLED_IN_SILENCE_AFTER_MS};
pub use machine::step;
pub use mutants::{AgentMutant, agent_mutants};
pub use plan::{
    ActivateRule, AgentPlan, AgentPlanError, AgentRules, GraceRule, OrderRule, RetireRule,
    RuntimeErrorRule, SaveRule,
};
pub use policies::{bootkube_agent, modern_agent};
pub use replay::{LogEntry, LogError, Mismatch, read_log, replay};
pub use state::{State, begin};
