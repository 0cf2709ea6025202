//! Replay: an agent's log of inputs and effects, given to the machines again.

use serde::{Deserialize, Serialize};
use terms::Component;

use super::effect::{Effects, Input};
use super::machine::step;
use super::plan::AgentPlan;
use super::state::{State, begin};
use crate::plan::ComponentSet;

/// A line of an agent's log. A log may tell of several processes, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LogEntry {
    /// A process began to act: every component's machine begins.
    Began,
    /// A component's input arrived.
    Stepped {
        /// Whose machine it is.
        component: Component,
        /// What happened.
        input: Input,
        /// What followed.
        effects: Effects,
    },
}

impl LogEntry {
    /// The entry as a line of JSON, without its end.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("entries hold numbers and names only")
    }
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the agent's log is no entry: it was cut off or written by another version")]
pub struct LogError {
    /// The line, from 1.
    pub line: usize,
    /// What the parser says.
    #[source]
    pub source: serde_json::Error,
}

/// Reads a log of JSON lines; empty lines are passed over.
///
/// # Errors
/// The first line that is no entry.
pub fn read_log(text: &str) -> Result<Vec<LogEntry>, LogError> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|source| LogError {
                line: index + 1,
                source,
            })
        })
        .collect()
}

/// The first entry in which a log and the machine differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The machine does something else than the log says.
    #[error(
        "entry {entry}: for {component} the log has {logged:?}, the machine gives {replayed:?}; the log is of another plan or another version"
    )]
    Effects {
        /// The entry, from 1.
        entry: usize,
        /// Whose machine it is.
        component: Component,
        /// What the log says.
        logged: Box<Effects>,
        /// What the machine gives.
        replayed: Box<Effects>,
    },
    /// An input before any process began.
    #[error("entry {entry}: an input before any process began; the log's beginning is missing")]
    NoBeginning {
        /// The entry, from 1.
        entry: usize,
    },
    /// A component that no agent has a machine for.
    #[error("entry {entry}: {component} has no checkpoint; the log was written by another version")]
    NoMachine {
        /// The entry, from 1.
        entry: usize,
        /// The component.
        component: Component,
    },
    /// There is nothing to compare.
    #[error("the log is empty: nothing was replayed")]
    Empty,
}

/// Gives every input of a log to the machines and compares the effects exactly.
///
/// # Errors
/// The first difference. An empty log proves nothing and is one.
pub fn replay(plan: &AgentPlan, log: &[LogEntry]) -> Result<(), Mismatch> {
    let mut machines: Option<[State; 3]> = None;
    for (entry, line) in (1..).zip(log) {
        let (component, input, logged) = match line {
            LogEntry::Began => {
                machines = Some([begin(); 3]);
                continue;
            }
            LogEntry::Stepped {
                component,
                input,
                effects,
            } => (*component, *input, effects),
        };
        let states = machines.as_mut().ok_or(Mismatch::NoBeginning { entry })?;
        let place = ComponentSet::ALL
            .iter()
            .position(|known| known == component)
            .ok_or(Mismatch::NoMachine { entry, component })?;
        let (next, replayed) = step(plan, component, states[place], input);
        if replayed != *logged {
            return Err(Mismatch::Effects {
                entry,
                component,
                logged: Box::new(*logged),
                replayed: Box::new(replayed),
            });
        }
        states[place] = next;
    }
    if log.is_empty() {
        Err(Mismatch::Empty)
    } else {
        Ok(())
    }
}
