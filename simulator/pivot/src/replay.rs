//! Replay: a driver's log of inputs and effects, given to the machine again.

use serde::{Deserialize, Serialize};

use crate::effect::{Durable, Effects, Input};
use crate::machine::{resume, step};
use crate::plan::Plan;
use crate::state::State;

/// A line of a driver's log. A log may tell of several processes, one after another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
// Facts dwarf a marker, and nearly every entry has facts.
#[allow(clippy::large_enum_variant)]
pub enum LogEntry {
    /// A process began with this marker.
    Resumed {
        /// What had survived.
        durable: Option<Durable>,
        /// What followed.
        effects: Effects,
    },
    /// An input arrived.
    Stepped {
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
#[error(
    "line {line} of the machine's log is no entry: it was cut off or written by another version"
)]
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
        "entry {entry}: the log has {logged:?}, the machine gives {replayed:?}; the log is of another plan or another version"
    )]
    Effects {
        /// The entry, from 1.
        entry: usize,
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
    /// There is nothing to compare.
    #[error("the log is empty: nothing was replayed")]
    Empty,
}

/// Gives every input of a log to the machine and compares the effects exactly.
///
/// # Errors
/// The first difference. An empty log proves nothing and is one.
pub fn replay(plan: &Plan, log: &[LogEntry]) -> Result<(), Mismatch> {
    let mut state: Option<State> = None;
    for (index, entry) in log.iter().enumerate() {
        let number = index + 1;
        let ((next, replayed), logged) = match entry {
            LogEntry::Resumed { durable, effects } => (resume(plan, *durable), effects),
            LogEntry::Stepped { input, effects } => {
                let state = state.ok_or(Mismatch::NoBeginning { entry: number })?;
                (step(plan, state, input), effects)
            }
        };
        if replayed != *logged {
            return Err(Mismatch::Effects {
                entry: number,
                logged: Box::new(*logged),
                replayed: Box::new(replayed),
            });
        }
        state = Some(next);
    }
    if log.is_empty() {
        Err(Mismatch::Empty)
    } else {
        Ok(())
    }
}
