//! Where a search ends, and what it says on its way.

use super::visited::StateId;

/// Limits of a search. Each is an outcome when it is reached, see [`End`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// States that may be found. Overrun by the successors of the last few states.
    pub states: u64,
    /// Actions from an initial state to the farthest.
    pub depth: u32,
    /// Memory for the set of states, with what its next growth will need, in MiB.
    pub memory_mib: u64,
}

impl Bounds {
    /// As far as states can be numbered, within so much memory.
    #[must_use]
    pub fn within_mib(memory_mib: u64) -> Self {
        Self {
            states: StateId::MOST,
            depth: u32::MAX,
            memory_mib,
        }
    }

    /// The same with a limit on states.
    #[must_use]
    pub fn states(self, states: u64) -> Self {
        Self {
            states: states.min(StateId::MOST),
            ..self
        }
    }

    /// The same with a limit on depth.
    #[must_use]
    pub fn depth(self, depth: u32) -> Self {
        Self { depth, ..self }
    }
}

/// How a search is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Search {
    /// Limits.
    pub bounds: Bounds,
    /// Mirrored states count as one.
    pub symmetry: Symmetry,
    /// What ends it early.
    pub until: Until,
    /// Threads, 1 to 4. They change the speed and nothing else.
    pub threads: usize,
}

/// Whether interchangeable nodes are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Symmetry {
    /// Every state is its own.
    Off,
    /// Mirrored states are one state.
    On,
}

impl Symmetry {
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }
}

/// What ends a search before everything is explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// Only its limits.
    Exhausted,
    /// The first violation of any invariant.
    Violation,
}

/// Why a search ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// There was nothing left to explore.
    Exhausted,
    /// A violation was found, and that was asked for.
    Violation,
    /// As many states as allowed were found.
    States,
    /// The farthest states allowed were found.
    Depth,
    /// The memory allowed is in use.
    Memory,
    /// The caller said so: a deadline, or a person.
    Stopped,
}

impl End {
    /// In words that end the sentence "the search ended because …".
    #[must_use]
    pub fn because(self) -> &'static str {
        match self {
            Self::Exhausted => "there was nothing left to explore",
            Self::Violation => "an invariant was violated",
            Self::States => "the limit of states was reached",
            Self::Depth => "the limit of depth was reached",
            Self::Memory => "the limit of memory was reached",
            Self::Stopped => "it was stopped",
        }
    }
}

/// How far a search is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// States found.
    pub states: u64,
    /// Actions applied.
    pub transitions: u64,
    /// Actions from an initial state to those now being expanded.
    pub depth: u32,
    /// States found and not yet expanded.
    pub frontier: u64,
    /// Bytes that the set of states takes.
    pub bytes: u64,
}

/// What the caller says to progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Continue {
    /// On with it.
    Yes,
    /// End now, and report what was covered.
    No,
}

/// Asked every few thousand states; clocks and signals live behind it, with the caller.
pub type Ask<'a> = &'a dyn Fn(&Progress) -> Continue;

/// Never ends a search.
#[must_use]
pub fn go_on(_: &Progress) -> Continue {
    Continue::Yes
}
