//! How much a search covered, and what it judged.

use std::fmt;

use super::bounds::End;
use super::table::grouped;

/// What was covered and what was judged, in numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// Why the search ended.
    pub end: End,
    /// Different states found.
    pub states: u64,
    /// States among them that were found and not expanded.
    pub frontier: u64,
    /// Actions applied.
    pub transitions: u64,
    /// Actions from an initial state to the farthest state found.
    pub depth: u32,
    /// States in which nothing can happen.
    pub dead_ends: u64,
    /// Bytes that the set of states took at the end.
    pub bytes: u64,
    /// The same for the same set of states, whatever their order; different for different sets, but for
    /// one chance in 2^64.
    pub digest: u64,
    /// How often each kind of action fired.
    pub fired: Vec<(&'static str, u64)>,
    /// Invariants that some state decides and none violates. Within what was covered, they hold.
    pub held: Vec<&'static str>,
    /// Invariants that some state violates.
    pub violated: Vec<&'static str>,
    /// Invariants that no state decides. Nothing is known of them.
    pub never_judged: Vec<&'static str>,
}

impl Coverage {
    /// Kinds of action that never fired: whatever depends on them was not tried.
    #[must_use]
    pub fn never_fired(&self) -> Vec<&'static str> {
        self.fired
            .iter()
            .filter(|(_, times)| *times == 0)
            .map(|(kind, _)| *kind)
            .collect()
    }
}

/// A few lines for a person. What was not judged, and what never happened, is said in so many words.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the search ended because {}", self.end.because())?;
        writeln!(
            f,
            "{} states ({} of them not expanded), {} transitions, depth {}, {} dead ends",
            grouped(self.states),
            grouped(self.frontier),
            grouped(self.transitions),
            self.depth,
            grouped(self.dead_ends),
        )?;
        let per_state = self.bytes.checked_div(self.states).unwrap_or(0);
        writeln!(
            f,
            "{per_state} bytes per state, digest {:016x}",
            self.digest
        )?;
        list(f, "held in every state found", &self.held)?;
        list(f, "violated", &self.violated)?;
        list(f, "never judged", &self.never_judged)?;
        list(f, "never happened", &self.never_fired())?;
        for (kind, times) in self.fired.iter().filter(|(_, times)| *times > 0) {
            writeln!(f, "{:>15}  {kind}", grouped(*times))?;
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, names: &[&str]) -> fmt::Result {
    if names.is_empty() {
        Ok(())
    } else {
        writeln!(f, "{what}: {}", names.join(", "))
    }
}
