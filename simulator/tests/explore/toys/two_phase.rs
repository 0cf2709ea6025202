//! Two-phase commit after Gray and Lamport, "Consensus on Transaction Commit", as in the TLA+ examples.
//!
//! Its numbers of states are published for several checkers: 288, 8,832, 296,448, 1,745,408,
//! 10,340,352 for 3, 5, 7, 8, 9 resource managers.

use std::fmt;

use simulator::explore::Model;

/// The world of one transaction manager and some resource managers.
pub(crate) struct TwoPhase {
    /// Resource managers, at most 12.
    pub(crate) managers: u32,
    /// The transaction manager commits before all have prepared: a mistake.
    pub(crate) hasty: bool,
    /// The transaction manager may abort. If not, an abort of a resource manager blocks all.
    pub(crate) aborts: bool,
}

/// Four bits for each resource manager, from the lowest: two of its state, whether its message that it is
/// prepared was sent, whether the transaction manager received it. Above them what is said for all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) struct State(u64);

const STATE: u64 = 3;
const WORKING: u64 = 0;
const PREPARED: u64 = 1;
const COMMITTED: u64 = 2;
const ABORTED: u64 = 3;
const SENT: u64 = 4;
const RECEIVED: u64 = 8;
const LOW_BITS: u64 = 0x1111_1111_1111;

/// Whether the transaction manager decided, and the message that says how.
const COMMIT: u64 = 1 << 60;
const ABORT: u64 = 1 << 61;

/// A resource manager.
pub(crate) type Manager = u32;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) enum Action {
    Commit,
    Abort,
    HearPrepared(Manager),
    Prepare(Manager),
    ChooseAbort(Manager),
    HearCommit(Manager),
    HearAbort(Manager),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit => write!(f, "commit"),
            Self::Abort => write!(f, "abort"),
            Self::HearPrepared(manager) => write!(f, "hear-prepared {manager}"),
            Self::Prepare(manager) => write!(f, "prepare {manager}"),
            Self::ChooseAbort(manager) => write!(f, "choose-abort {manager}"),
            Self::HearCommit(manager) => write!(f, "hear-commit {manager}"),
            Self::HearAbort(manager) => write!(f, "hear-abort {manager}"),
        }
    }
}

impl TwoPhase {
    /// Without mistakes.
    pub(crate) fn correct(managers: u32) -> Self {
        Self {
            managers,
            hasty: false,
            aborts: true,
        }
    }

    fn all(&self) -> u64 {
        LOW_BITS & ((1 << (4 * self.managers)) - 1)
    }

    /// One bit for each manager that is in this state.
    fn in_state(&self, state: State, wanted: u64) -> u64 {
        let differs = state.0 ^ (self.all() * wanted);
        self.all() & !(differs | differs >> 1)
    }
}

fn set(state: State, manager: Manager, value: u64) -> State {
    State(state.0 & !(STATE << (4 * manager)) | value << (4 * manager))
}

impl Model for TwoPhase {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State(0)]
    }

    fn actions(&self, state: &State, into: &mut Vec<Action>) {
        let undecided = state.0 & (COMMIT | ABORT) == 0;
        if undecided && (self.hasty || state.0 >> 3 & self.all() == self.all()) {
            into.push(Action::Commit);
        }
        if undecided && self.aborts {
            into.push(Action::Abort);
        }
        for manager in 0..self.managers {
            let own = state.0 >> (4 * manager);
            if undecided && own & SENT != 0 {
                into.push(Action::HearPrepared(manager));
            }
            if own & STATE == WORKING {
                into.push(Action::Prepare(manager));
                into.push(Action::ChooseAbort(manager));
            }
            if state.0 & COMMIT != 0 {
                into.push(Action::HearCommit(manager));
            }
            if state.0 & ABORT != 0 {
                into.push(Action::HearAbort(manager));
            }
        }
    }

    fn apply(&self, state: &State, action: Action) -> State {
        match action {
            Action::Commit => State(state.0 | COMMIT),
            Action::Abort => State(state.0 | ABORT),
            Action::HearPrepared(manager) => State(state.0 | RECEIVED << (4 * manager)),
            Action::Prepare(manager) => {
                State(set(*state, manager, PREPARED).0 | SENT << (4 * manager))
            }
            Action::ChooseAbort(manager) | Action::HearAbort(manager) => {
                set(*state, manager, ABORTED)
            }
            Action::HearCommit(manager) => set(*state, manager, COMMITTED),
        }
    }

    fn pack(&self, state: &State, symmetric: bool) -> u128 {
        if !symmetric {
            return u128::from(state.0);
        }
        let mut own: Vec<u64> = (0..self.managers)
            .map(|manager| state.0 >> (4 * manager) & 15)
            .collect();
        own.sort_unstable();
        let sorted = own.iter().rev().fold(0, |sum, own| sum << 4 | own);
        u128::from(state.0 & (COMMIT | ABORT) | sorted)
    }

    fn unpack(&self, key: u128) -> State {
        State(key as u64)
    }

    fn invariants(&self) -> &'static [&'static str] {
        &[
            "all-decide-alike",
            "commit-after-all-prepared",
            "never-looked-at",
        ]
    }

    fn violated(&self, state: &State) -> u64 {
        let committed = self.in_state(*state, COMMITTED) != 0;
        let aborted = self.in_state(*state, ABORTED) != 0;
        let early = state.0 & COMMIT != 0 && state.0 >> 3 & self.all() != self.all();
        u64::from(committed && aborted) | u64::from(early) << 1
    }

    fn decided(&self, _: &State) -> u64 {
        0b011
    }

    fn healthy(&self, state: &State) -> bool {
        let all = self.all();
        self.in_state(*state, COMMITTED) == all || self.in_state(*state, ABORTED) == all
    }

    fn is_outside(&self, action: Action) -> bool {
        matches!(action, Action::ChooseAbort(_))
    }

    fn kind(&self, action: Action) -> usize {
        match action {
            Action::Commit => 0,
            Action::Abort => 1,
            Action::HearPrepared(_) => 2,
            Action::Prepare(_) => 3,
            Action::ChooseAbort(_) => 4,
            Action::HearCommit(_) => 5,
            Action::HearAbort(_) => 6,
        }
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            "commit",
            "abort",
            "hear-prepared",
            "prepare",
            "choose-abort",
            "hear-commit",
            "hear-abort",
        ]
    }
}
