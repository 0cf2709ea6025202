//! A table of what was found in many worlds: world × invariant × length of the shortest way.

use std::fmt::Write;

use super::bounds::{Ask, End, Search};
use super::model::Model;
use super::path::NoSymmetry;
use super::returns::{Returns, returns};
use super::search::explore;

/// What is written for [`Returns`], beside the slugs of invariants.
const RETURNS_BY_ITSELF: &str = "returns by itself";
/// The same, where a person's help always brings the world back.
const RETURNS_ONLY_WITH_HELP: &str = "returns by itself; with a person it always does";

/// What one search found, for the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The world's name.
    pub name: String,
    /// What was violated, with the length of a shortest way there.
    pub found: Vec<(&'static str, usize)>,
    /// Invariants of which nothing is known.
    pub never_judged: Vec<&'static str>,
    /// Whether the world can always return by itself; `None` if that is not known.
    pub returns: Option<bool>,
    /// States found.
    pub states: u64,
    /// Actions applied.
    pub transitions: u64,
    /// Why the search ended.
    pub end: End,
    /// How long it took, if the caller measured it.
    pub took_ms: Option<u64>,
}

/// Explores one world for the table.
///
/// # Errors
/// If the model calls states mirrored that do not behave alike.
pub fn entry<M: Model>(
    name: &str,
    model: &M,
    search: &Search,
    ask: Ask,
) -> Result<Entry, NoSymmetry> {
    let explored = explore(model, search, ask);
    let coverage = explored.coverage();
    let counterexamples = explored.counterexamples()?.into_iter();
    let mut found: Vec<(&'static str, usize)> = counterexamples
        .map(|found| {
            (
                model.invariants()[found.invariant],
                found.path.actions.len(),
            )
        })
        .collect();
    let by_itself = |action| !model.is_outside(action);
    let returns = match returns(&explored, &by_itself, ask)? {
        Returns::Always => Some(true),
        Returns::NotFrom { path, .. } => {
            let with_help = |action| by_itself(action) || model.is_help(action);
            let violated = match self::returns(&explored, &with_help, ask)? {
                Returns::Always => RETURNS_ONLY_WITH_HELP,
                _ => RETURNS_BY_ITSELF,
            };
            found.push((violated, path.actions.len()));
            Some(false)
        }
        Returns::Unknown { .. } | Returns::TooLarge { .. } | Returns::Stopped => None,
    };
    Ok(Entry {
        name: name.to_owned(),
        found,
        never_judged: coverage.never_judged,
        returns,
        states: coverage.states,
        transitions: coverage.transitions,
        end: coverage.end,
        took_ms: None,
    })
}

/// The entries as a Markdown table, one row for each violation, and one for what else
/// must be said of a world.
#[must_use]
pub fn table(entries: &[Entry]) -> String {
    let timed = entries.iter().any(|entry| entry.took_ms.is_some());
    let (head, rule) = if timed {
        (" time |", "---:|")
    } else {
        ("", "")
    };
    let mut text = format!(
        "| world | violated | actions | states | transitions |{head}\n|---|---|---:|---:|---:|{rule}\n"
    );
    for entry in entries {
        let mut rows: Vec<(String, String)> = entry
            .found
            .iter()
            .map(|(what, length)| (what.to_string(), length.to_string()))
            .collect();
        rows.extend(entry.otherwise().map(|text| (text, "–".to_owned())));
        for (what, length) in rows {
            let Entry {
                name,
                states,
                transitions,
                ..
            } = entry;
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "| {name} | {what} | {length} | {} | {} |",
                grouped(*states),
                grouped(*transitions)
            );
            if timed {
                let took = entry.took_ms.map_or_else(String::new, |ms| {
                    format!("{}.{:03} s", ms / 1_000, ms % 1_000)
                });
                let _ = write!(text, " {took} |");
            }
            text.push('\n');
        }
    }
    text
}

impl Entry {
    /// What is said beside the violations: never more than what was covered and judged.
    fn otherwise(&self) -> Option<String> {
        let mut said = Vec::new();
        if self.end != End::Exhausted {
            said.push(format!("nothing more before {}", self.end.because()));
        } else if self.found.is_empty() {
            said.push("nothing".to_owned());
        }
        if self.returns.is_none() {
            said.push(format!("{RETURNS_BY_ITSELF}: unknown"));
        }
        if !self.never_judged.is_empty() {
            said.push(format!("never judged: {}", self.never_judged.join(", ")));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }
}

/// A number with commas between thousands.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
