//! The judge while a case runs: provisional findings, one observation at a time.

use std::collections::{BTreeMap, BTreeSet};

use crate::faults::Faults;
use crate::invariants::Invariant;
use crate::judge::why_not_armed;
use crate::observation::{Observation, Source};
use crate::register::{self, Rule};
use crate::verdict::Finding;
use crate::view::View;

/// Observations are held back for so long before they are judged: a fault is recorded only once its
/// effect is proven, and sources are not equally quick.
pub(crate) const HELD_BACK_US: u64 = 5_000_000;

/// Judges observations as they come, so that a case can end once its expected violations are proven.
///
/// What it finds is provisional; the verdict is [`crate::judge()`] over the closed record.
pub struct Live {
    view: View,
    monitors: Vec<(&'static Rule, Box<dyn Invariant>)>,
    waiting: BTreeMap<(u64, Source, u64), Observation>,
    newest_us: u64,
    told: BTreeSet<&'static str>,
}

impl Default for Live {
    fn default() -> Self {
        let monitors = register::all();
        let monitors = monitors
            .filter_map(|rule| Some((rule, rule.monitor()?)))
            .collect();
        Self {
            view: View::new(Faults::default()),
            monitors,
            waiting: BTreeMap::new(),
            newest_us: 0,
            told: BTreeSet::new(),
        }
    }
}

impl Live {
    /// A judge that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in an observation and returns what is newly violated, by slug.
    pub fn observe(&mut self, seen: &Observation) -> Vec<(&'static str, Finding)> {
        self.view.foresee(seen);
        self.newest_us = self.newest_us.max(seen.end_us);
        let key = (seen.end_us, seen.source.clone(), seen.seq);
        self.waiting.insert(key, seen.clone());
        self.advance(self.newest_us.saturating_sub(HELD_BACK_US))
    }

    /// Judges what is still held back, as at the end of a case.
    pub fn finish(&mut self) -> Vec<(&'static str, Finding)> {
        self.advance(u64::MAX)
    }

    /// The slugs of everything violated so far.
    pub fn violated(&self) -> &BTreeSet<&'static str> {
        &self.told
    }

    fn advance(&mut self, until_us: u64) -> Vec<(&'static str, Finding)> {
        let mut newly = Vec::new();
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > until_us {
                break;
            }
            let seen = first.remove();
            self.view.observe(&seen);
            for (rule, monitor) in &mut self.monitors {
                monitor.observe(&self.view, &seen);
                let Some(found) = monitor.finding() else {
                    continue;
                };
                if why_not_armed(rule, &self.view).is_none() && self.told.insert(rule.slug) {
                    newly.push((rule.slug, found.clone()));
                }
            }
        }
        newly
    }
}
