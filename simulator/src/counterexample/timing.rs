//! Whether what happens is possible in this order with the durations of the timer table.

use super::Counterexample;
use crate::coarse::Action;
use crate::timers::Timers;

/// Whether an order is possible within the timer table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timing {
    /// It is.
    Feasible,
    /// It needs timing outside defaults: no bug. With the reason.
    NeedsUnusualTiming(String),
}

impl Counterexample {
    /// Whether the order of what happens is possible within this table.
    pub fn timing(&self, _timers: &Timers) -> Timing {
        let early = self.path.iter().zip(1..).find(|(action, _)| {
            matches!(action, Action::OverdueEarly | Action::StableUnseen)
        });
        early.map_or(Timing::Feasible, |(action, number)| {
            Timing::NeedsUnusualTiming(format!("{number}. {action}: only an unusual clock explains it"))
        })
    }
}
