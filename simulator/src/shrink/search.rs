//! Delta debugging over a scenario: smaller and smaller candidates, as long as they fail in the same way.

use std::collections::BTreeSet;
use std::path::Path;

use scenarios::Case;

use super::draft::Draft;
use super::passes::{
    faults, is_cured, with_a_nicer_wait, with_fewer_nodes, without_a_fault, without_entries,
};

/// Whether a case fails in the way that is to be kept.
pub type Fails<'a> = &'a mut dyn FnMut(&Case) -> bool;

/// No scenario needs so many; a limit all the same.
const MOST_REPLAYS: u64 = 5_000;

/// A scenario made small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The small one; it fails in the same way.
    pub draft: Draft,
    /// How many candidates were played, the first one among them.
    pub replays: u64,
    /// How many candidates the language refused, such as one that heals what nothing has broken.
    pub refused: u64,
}

/// Makes a draft small: its entries, faults, nodes and waits, in turns until nothing more can go.
///
/// Entries go by delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing
/// input", 2002), long runs first. Where the draft heals what it breaks before it settles, so does
/// every candidate; time limits are never tightened: both would make failures of their own.
///
/// `folder` is where the file would lie, `seed` what it would be run with. `None` if the draft itself
/// does not fail.
pub fn shrink(draft: &Draft, folder: &Path, seed: u64, fails: Fails<'_>) -> Option<Shrunk> {
    let mut attempt = Attempt {
        folder,
        seed,
        fails,
        stays_cured: is_cured(&draft.timeline),
        tried: BTreeSet::new(),
        replays: 0,
        refused: 0,
    };
    let mut draft = draft.clone();
    if !attempt.fails(&draft) {
        return None;
    }
    loop {
        let before = draft.clone();
        attempt.entries(&mut draft);
        attempt.first_of(&mut draft, &without_a_fault);
        attempt.first_of(&mut draft, &with_fewer_nodes);
        for place in 0..draft.timeline.len() {
            attempt.first_of(&mut draft, &|draft| with_a_nicer_wait(draft, place));
        }
        if draft == before {
            let Attempt {
                replays, refused, ..
            } = attempt;
            return Some(Shrunk {
                draft,
                replays,
                refused,
            });
        }
    }
}

impl Draft {
    /// How many faults there are.
    pub fn fault_count(&self) -> usize {
        self.timeline.iter().map(|entry| faults(entry).len()).sum()
    }
}

struct Attempt<'a> {
    folder: &'a Path,
    seed: u64,
    fails: Fails<'a>,
    stays_cured: bool,
    /// Texts of candidates that need not be played again.
    tried: BTreeSet<String>,
    replays: u64,
    refused: u64,
}

impl Attempt<'_> {
    fn fails(&mut self, draft: &Draft) -> bool {
        let goes_astray = self.stays_cured && !is_cured(&draft.timeline);
        if goes_astray || self.replays >= MOST_REPLAYS || !self.tried.insert(draft.text()) {
            return false;
        }
        let Ok(case) = draft.case(self.folder, self.seed) else {
            self.refused += 1;
            return false;
        };
        self.replays += 1;
        (self.fails)(&case)
    }

    /// Leaves out runs of entries, long ones first, until not even one can go.
    fn entries(&mut self, draft: &mut Draft) {
        let mut run = draft.timeline.len().div_ceil(2);
        while run > 0 {
            let mut from = 0;
            while from < draft.timeline.len() {
                let to = draft.timeline.len().min(from + run);
                let smaller = without_entries(draft, from, to);
                if self.fails(&smaller) {
                    *draft = smaller;
                } else {
                    from += 1;
                }
            }
            run -= 1;
        }
    }

    /// Takes the first candidate that still fails, again and again.
    fn first_of(&mut self, draft: &mut Draft, candidates: &dyn Fn(&Draft) -> Vec<Draft>) {
        while let Some(smaller) = candidates(draft)
            .into_iter()
            .find(|smaller| self.fails(smaller))
        {
            *draft = smaller;
        }
    }
}
