//! What the machine asks of the facts just now, and what they answer: for whoever wants to know whether
//! every judgement was once true and once false. The machine itself does not use it.

use crate::effect::Effects;
use crate::facts::Facts;
use crate::judge;
use crate::machine::Machine;
use crate::plan::{GateRule, Plan};
use crate::state::{Flag, Phase, State};
use crate::work::Watch;

/// A judgement on facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether a gate's rule holds.
    Gate(GateRule),
    /// Whether the guard before a stage holds.
    Guard,
    /// Whether the bootstrap copies that hand over are gone.
    HandedOver,
    /// Whether somebody else took their leases.
    LeasesTaken,
    /// Whether what was drained is gone and unlisted.
    Drained,
    /// Whether what was removed is gone.
    Gone,
    /// Whether the bootstrap control plane serves again.
    Reinstated,
    /// Whether checkpoints could be started.
    Armed,
}

impl Asked {
    /// Every judgement, at the place of its number.
    pub const ALL: [Self; 12] = [
        Self::Gate(GateRule::EtcdServing),
        Self::Gate(GateRule::BootstrapServing),
        Self::Gate(GateRule::NodesRegistered),
        Self::Gate(GateRule::PodsScheduled),
        Self::Gate(GateRule::SelfHostedServing),
        Self::Guard,
        Self::HandedOver,
        Self::LeasesTaken,
        Self::Drained,
        Self::Gone,
        Self::Reinstated,
        Self::Armed,
    ];

    /// Its number.
    pub const fn number(self) -> usize {
        match self {
            Self::Gate(GateRule::EtcdServing) => 0,
            Self::Gate(GateRule::BootstrapServing) => 1,
            Self::Gate(GateRule::NodesRegistered) => 2,
            Self::Gate(GateRule::PodsScheduled) => 3,
            Self::Gate(GateRule::SelfHostedServing) => 4,
            Self::Guard => 5,
            Self::HandedOver => 6,
            Self::LeasesTaken => 7,
            Self::Drained => 8,
            Self::Gone => 9,
            Self::Reinstated => 10,
            Self::Armed => 11,
        }
    }
}

/// What the machine would ask these facts in this state, and their answer; nothing where it asks nothing.
pub fn asked(plan: &Plan, state: State, facts: &Facts) -> Option<(Asked, bool)> {
    let mut before = (state, Effects::none());
    let machine = Machine::new(plan, &mut before);
    let rules = &plan.rules;
    match state.phase {
        Phase::Guarding => Some((Asked::Guard, judge::guard(plan, facts))),
        Phase::Watching | Phase::PutBack => {
            let watch = machine.work().watch;
            let holds = judge::watch(rules, watch, facts);
            match watch {
                Watch::Gate(rule) => Some((Asked::Gate(rule), holds)),
                Watch::HandedOver(set) if holds && state.has(Flag::Settled) => {
                    Some((Asked::LeasesTaken, judge::leases_taken(set, facts)))
                }
                Watch::HandedOver(_) => Some((Asked::HandedOver, holds)),
                Watch::Drained(_) => Some((Asked::Drained, holds)),
                Watch::Gone(_) => Some((Asked::Gone, holds)),
                Watch::Reinstated(_) => Some((Asked::Reinstated, holds)),
                Watch::Armed(_) => Some((Asked::Armed, holds)),
                Watch::Nothing => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_judgement_stands_at_the_place_of_its_number() {
        for (place, asked) in Asked::ALL.into_iter().enumerate() {
            assert_eq!(asked.number(), place);
        }
    }
}
