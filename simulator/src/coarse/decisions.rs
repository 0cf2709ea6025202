//! Outcomes of the machine's decisions, for coverage: each judgement on facts, true and false, and what
//! follows from a failure.

use pivot::{Asked, asked};

use super::state::{State, Status};
use super::world::World;

/// Names: for each judgement by its number `no` and `yes`, then what a failure leads to.
pub(crate) const OUTCOMES: [&str; 27] = [
    "etcd-serving no",
    "etcd-serving yes",
    "bootstrap-serving no",
    "bootstrap-serving yes",
    "nodes-registered no",
    "nodes-registered yes",
    "pods-scheduled no",
    "pods-scheduled yes",
    "self-hosted-serving no",
    "self-hosted-serving yes",
    "guard no",
    "guard yes",
    "handed-over no",
    "handed-over yes",
    "leases-taken no",
    "leases-taken yes",
    "drained no",
    "drained yes",
    "gone no",
    "gone yes",
    "reinstated no",
    "reinstated yes",
    "armed no",
    "armed yes",
    "failure holds",
    "failure puts back",
    "failure tears down",
];
const FAILURES_AT: usize = 2 * Asked::ALL.len();
const _: () = assert!(OUTCOMES.len() == FAILURES_AT + 3);

impl World {
    /// What the machine would make of a look now.
    pub(crate) fn judged_now(&self, state: &State) -> u64 {
        if state.status != Status::Running {
            return 0;
        }
        let facts = self.facts(state);
        match asked(&self.config().plan, state.machine, &facts) {
            Some((asked, holds)) => 1 << (2 * asked.number() + usize::from(holds)),
            None => 0,
        }
    }
}

/// What a failure led to. A start is no failure, even where it goes on putting back.
pub(crate) fn failed_into(before: &State, after: &State) -> u64 {
    if before.status != Status::Running || after.status == Status::Down {
        return 0;
    }
    let (before, after) = (&before.machine, &after.machine);
    let begins = [
        !before.is_holding() && after.is_holding(),
        !before.is_reinstating() && after.is_reinstating(),
        !before.tears_down() && after.tears_down(),
    ];
    let numbered = begins.into_iter().enumerate();
    numbered
        .filter(|(_, begins)| *begins)
        .fold(0, |bits, (place, _)| bits | 1 << (FAILURES_AT + place))
}
