//! Durations as they are needed, one after another.

use std::collections::BTreeMap;

use super::{ROWS, Span, Timer, Timers};
use crate::chance::{Chance, Key, named};

/// How many timers there are.
const COUNT: usize = Timer::AgentTask as usize + 1;

/// Gives every duration of a run: the usual ones, or drawn ones.
#[derive(Clone, Debug)]
pub struct Durations {
    /// Every timer's span, and what draws for it are for, by its number.
    spans: [(Span, u64); COUNT],
    chance: Option<Chance>,
    drawn: BTreeMap<(u64, u64), u64>,
}

impl Durations {
    /// Everything takes as long as it usually does, and of equals the first is chosen.
    pub fn usual(timers: Timers) -> Self {
        let mut spans = [(timers.span(Timer::NodeBoot), 0); COUNT];
        for row in ROWS {
            let purpose = named(&format!("{:?}", row.timer));
            spans[row.timer as usize] = (timers.span(row.timer), purpose);
        }
        Self {
            spans,
            chance: None,
            drawn: BTreeMap::new(),
        }
    }

    /// Everything takes as long as is drawn from this seed.
    pub fn drawn(timers: Timers, seed: u64) -> Self {
        Self {
            chance: Some(Chance::new(seed)),
            ..Self::usual(timers)
        }
    }

    /// How long it takes this entity this time, in milliseconds.
    pub fn next_ms(&mut self, timer: Timer, entity: u64) -> u64 {
        let (span, purpose) = self.spans[timer as usize];
        let Some(chance) = self.chance else {
            return span.usual_ms;
        };
        let key = self.key(entity, purpose);
        chance.within(key, span.least_ms, span.most_ms)
    }

    /// How long it usually takes, in milliseconds: for what is a setting, not chance.
    pub fn usual_ms(&self, timer: Timer) -> u64 {
        self.spans[timer as usize].0.usual_ms
    }

    /// One of so many equals, by its index; the first without chance or choice.
    pub fn choose(&mut self, purpose: &str, among: usize) -> usize {
        let Some(chance) = self.chance.filter(|_| among > 1) else {
            return 0;
        };
        let key = self.key(0, named(purpose));
        let bound = u64::try_from(among).unwrap_or(u64::MAX);
        usize::try_from(chance.below(key, bound)).unwrap_or(0)
    }

    fn key(&mut self, entity: u64, purpose: u64) -> Key {
        let counter = self.drawn.entry((entity, purpose)).or_default();
        let key = Key {
            entity,
            purpose,
            counter: *counter,
        };
        *counter += 1;
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entity_s_draws_do_not_depend_on_another_s() {
        let mut alone = Durations::drawn(Timers::measured(), 5);
        let mut beside = Durations::drawn(Timers::measured(), 5);
        let mut draws = (Vec::new(), Vec::new());
        for _ in 0..20 {
            draws.0.push(alone.next_ms(Timer::ApiserverStart, 1));
            beside.next_ms(Timer::ApiserverStart, 2);
            beside.next_ms(Timer::EtcdStart, 1);
            draws.1.push(beside.next_ms(Timer::ApiserverStart, 1));
        }
        assert_eq!(draws.0, draws.1);
        assert!(draws.0.iter().any(|ms| *ms != draws.0[0]), "{draws:?}");
    }

    #[test]
    fn without_chance_everything_is_usual() {
        let mut usual = Durations::usual(Timers::measured());
        assert_eq!(usual.next_ms(Timer::Lease, 9), usual.usual_ms(Timer::Lease));
        assert_eq!(usual.choose("leader", 3), 0);
    }
}
