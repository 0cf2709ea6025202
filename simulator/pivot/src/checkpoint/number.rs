//! An agent's effects as numbers of sixteen bits: kind (from the eleventh bit on) and what belongs to it.

use terms::Moment;

use super::effect::{Effect, Step, Task, Timer};
use crate::few::Numbered;

const KIND_AT: u32 = 11;
const START: u16 = 1;
const CANCEL: u16 = 2;
const ARM: u16 = 3;
const DISARM: u16 = 4;
const ANNOUNCE: u16 = 5;

const MOMENTS: [Moment; 2] = [Moment::Entered, Moment::Completed];

impl Numbered for Effect {
    #[inline]
    fn number(self) -> u16 {
        let of = |kind: u16, part: u16| kind << KIND_AT | part;
        match self {
            Self::Start(task, attempt) => of(START, (task as u16) << 8 | u16::from(attempt)),
            Self::Cancel(task) => of(CANCEL, task as u16),
            Self::Arm(timer) => of(ARM, timer as u16),
            Self::Disarm(timer) => of(DISARM, timer as u16),
            Self::Announce(step, moment) => of(ANNOUNCE, (step as u16) << 1 | moment as u16),
        }
    }

    #[inline]
    fn of_number(number: u16) -> Self {
        let part = number & ((1 << KIND_AT) - 1);
        let at = usize::from(part);
        match number >> KIND_AT {
            START => Self::Start(Task::ALL[at >> 8], part as u8),
            CANCEL => Self::Cancel(Task::ALL[at]),
            ARM => Self::Arm(Timer::ALL[at]),
            DISARM => Self::Disarm(Timer::ALL[at]),
            ANNOUNCE => Self::Announce(Step::ALL[at >> 1], MOMENTS[at & 1]),
            _ => panic!("no effect has the number {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_effect_is_its_number_and_no_two_share_one() {
        let mut all = Vec::new();
        for task in Task::ALL {
            all.extend([0, 1, 255].map(|attempt| Effect::Start(task, attempt)));
            all.push(Effect::Cancel(task));
        }
        for timer in Timer::ALL {
            all.extend([Effect::Arm(timer), Effect::Disarm(timer)]);
        }
        for step in Step::ALL {
            all.extend(MOMENTS.map(|moment| Effect::Announce(step, moment)));
        }
        let numbers: BTreeSet<u16> = all.iter().map(|effect| effect.number()).collect();
        assert_eq!(numbers.len(), all.len());
        assert!(!numbers.contains(&0));
        for effect in all {
            assert_eq!(Effect::of_number(effect.number()), effect);
        }
    }
}
