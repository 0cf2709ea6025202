//! Where the installer can be held: the announcements that it passes on the way.

use pivot::Plan;
use terms::Moment;

use super::Counterexample;
use crate::coarse::{State, Status};

/// A step and a side of it, by the stage's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    stage: usize,
    moment: Moment,
}

impl Address {
    /// The announcement that was passed last; none while no process runs that could be held.
    pub(crate) fn passed_last(state: &State) -> Option<Self> {
        if state.status != Status::Running {
            return None;
        }
        let (stage, moment) = match state.machine.announced() {
            Some(announced) => announced,
            None if state.machine.is_done() => (state.machine.stage(), Moment::Completed),
            None => (state.machine.stage(), Moment::Entered),
        };
        Some(Self {
            stage: usize::from(stage),
            moment,
        })
    }

    /// The address so many announcements later, or earlier; none beyond the plan's ends.
    pub(crate) fn moved(self, plan: &Plan, by: isize) -> Option<Self> {
        let number = 2 * self.stage + usize::from(self.moment == Moment::Completed);
        let number = number.checked_add_signed(by)?;
        let moment = if number % 2 == 0 {
            Moment::Entered
        } else {
            Moment::Completed
        };
        let stage = number / 2;
        (stage < plan.stages.len()).then_some(Self { stage, moment })
    }

    /// As a scenario writes it.
    pub(crate) fn written(self, plan: &Plan) -> String {
        let step = &plan.stages[self.stage].step;
        format!("step: {step}, moment: {}", self.moment)
    }
}

impl Counterexample {
    /// How many announcements a fault may be moved by to where the timed world shows the same: a hold
    /// falls between announcements, a fault of the coarse world anywhere.
    pub(crate) const MOVES: [isize; 7] = [0, 1, 2, -1, 3, -2, 4];
}
