//! How long things take, in classes, and what has to wait for what.

use pivot::checkpoint::Timer;

use super::action::Action;
use super::state::{Pod, Process, State};
use super::world::World;

/// How long a thing takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Speed {
    /// Below one second.
    Instant,
    /// Up to twenty seconds.
    Quick,
    /// Up to forty-five seconds: a lease that nobody renews.
    Lease,
    /// Minutes.
    Long,
    /// Longer than anybody waits: it does not happen.
    Never,
}

impl Speed {
    /// The class of a duration.
    pub(crate) const fn of_ms(ms: u32) -> Self {
        match ms {
            0..=999 => Self::Instant,
            1_000..=20_000 => Self::Quick,
            20_001..=45_000 => Self::Lease,
            45_001..=3_599_999 => Self::Long,
            _ => Self::Never,
        }
    }
}

impl World {
    /// How long an action takes from when it becomes possible.
    pub(crate) fn speed(&self, state: &State, action: Action) -> Speed {
        match action {
            Action::TaskEnds(..) => Speed::Instant,
            Action::Elapses(_, _, timer) => Speed::of_ms(self.config().plan.duration_ms(timer)),
            // A bad revision is ready for a moment only.
            Action::Crashes(node, part)
                if state.nodes[usize::from(node)].parts[part]
                    .process
                    .is_ready() =>
            {
                Speed::Instant
            }
            Action::LeaseExpires => Speed::Lease,
            _ => Speed::Quick,
        }
    }

    /// Whether slower things wait for it: it happens soon, and not for ever.
    pub(crate) fn is_waited_for(&self, state: &State, action: Action) -> bool {
        let is_bad = |node: u8, part: usize| {
            let part = &state.nodes[usize::from(node)].parts[part];
            matches!(part.pod, Pod::Bound { bad: true, .. })
                || matches!(part.process, Process::Runs { bad: true, .. })
        };
        match action {
            Action::Elapses(_, _, Timer::Retry)
            | Action::TaskEnds(..)
            | Action::PowerOn(_)
            | Action::RuntimeHeals(_)
            | Action::Undoes(_)
            | Action::RemovesBootstrap => false,
            Action::Starts(node, part) | Action::Ready(node, part) => !is_bad(node, part),
            Action::Crashes(node, part) => state.nodes[usize::from(node)].parts[part]
                .process
                .is_ready(),
            _ => !action.is_outside(),
        }
    }

    /// Leaves out what cannot happen yet, because something faster is under way.
    pub(crate) fn keep_possible(&self, state: &State, all: &mut Vec<Action>) {
        let fastest = all
            .iter()
            .filter(|action| self.is_waited_for(state, **action))
            .map(|action| self.speed(state, *action))
            .min()
            .unwrap_or(Speed::Never);
        all.retain(|action| {
            let speed = self.speed(state, *action);
            speed != Speed::Never && (action.is_outside() || speed <= fastest)
        });
    }

    /// Whether nothing quick is under way that is waited for, nor a task of an agent.
    pub(crate) fn is_quiet(&self, state: &State) -> bool {
        let mut own = Vec::new();
        self.list_own(state, &mut own);
        !own.iter().any(|action| {
            matches!(action, Action::TaskEnds(..))
                || self.is_waited_for(state, *action) && self.speed(state, *action) <= Speed::Quick
        })
    }
}
