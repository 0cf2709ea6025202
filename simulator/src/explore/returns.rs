//! Can the world always return to health by itself? Backwards from the healthy states, over all that
//! was explored.
//!
//! Edges are not stored: they are worked out again, sweep by sweep, until no sweep finds anything new.
//! Sweeps go back and forth through the states in the order in which they were found; each follows any
//! number of edges that lead its way, so that few are needed. A slot costs one byte.

use std::sync::atomic::{AtomicU8, Ordering};

use super::bounds::{Ask, Continue, Progress};
use super::explored::Explored;
use super::keys::Slot;
use super::model::Model;
use super::path::{NoSymmetry, Path, enabled};
use super::visited::{SHARDS, StateId};

/// Which actions the world may use to return.
pub type Allowed<'a, A> = &'a (dyn Fn(A) -> bool + Sync);

/// Whether every state found can return to health.
pub enum Returns<M: Model> {
    /// Every reachable state can.
    Always,
    /// Some cannot: all that they can lead to was explored, and nothing there is healthy.
    NotFrom {
        /// How many.
        states: u64,
        /// A shortest way to one of them.
        path: Path<M>,
        /// What keeps it there.
        why: Stuck,
    },
    /// No such state was found, but the search was cut off and what lies beyond is unknown.
    Unknown {
        /// States that can return only beyond the border, if at all.
        states: u64,
    },
    /// The caller stopped the question before it was answered.
    Stopped,
}

/// What keeps a world from returning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stuck {
    /// Nothing can happen by itself.
    DeadEnd,
    /// Things happen, but never lead to health.
    Circles,
}

/// Places of one shard that are swept together.
const CHUNK: usize = 1 << 14;
const UNMARKED: u8 = 0;
const RETURNS: u8 = 1;
const REACHES_BORDER: u8 = 2;

/// Judges all states of a search. `allowed` says which actions count as the world's own: those that
/// are not from outside, or with them what an operator may do.
///
/// `ask` hears of states that are not yet known to return as the frontier, and of actions tried.
///
/// # Errors
/// If the model calls states mirrored that do not behave alike.
pub fn returns<M: Model>(
    explored: &Explored<M>,
    allowed: Allowed<M::Action>,
    ask: Ask,
) -> Result<Returns<M>, NoSymmetry> {
    let mut sweeps = Sweeps::new(explored, allowed);
    sweeps.seed(RETURNS, &|state, _| explored.model.healthy(state));
    if sweeps.spread(RETURNS, ask) == Continue::No {
        return Ok(Returns::Stopped);
    }
    sweeps.seed(REACHES_BORDER, &|_, id| !explored.is_expanded(id));
    if sweeps.spread(REACHES_BORDER, ask) == Continue::No {
        return Ok(Returns::Stopped);
    }
    let Some(nearest) = explored
        .nearest_first()
        .find(|id| sweeps.mark(*id) == UNMARKED)
    else {
        let complete = explored.expanded == explored.visited.lens();
        let states = sweeps.count(REACHES_BORDER);
        return Ok(if complete {
            Returns::Always
        } else {
            Returns::Unknown { states }
        });
    };
    let state = explored.model.unpack(explored.visited.key(nearest));
    let moves = enabled(explored.model, &state).into_iter().any(allowed);
    let why = if moves {
        Stuck::Circles
    } else {
        Stuck::DeadEnd
    };
    let path = explored.path_to(nearest)?;
    Ok(Returns::NotFrom {
        states: sweeps.unmarked(),
        path,
        why,
    })
}

struct Sweeps<'e, 'm, M: Model> {
    explored: &'e Explored<'m, M>,
    allowed: Allowed<'e, M::Action>,
    /// By shard and slot.
    marks: Vec<Vec<AtomicU8>>,
    worked: Worked,
}

/// Some places of one shard, and the way to go through them.
#[derive(Clone, Copy)]
struct Chunk {
    shard: usize,
    from: usize,
    to: usize,
    forward: bool,
}

/// What sweeping took and gave.
#[derive(Clone, Copy, Default)]
struct Worked {
    /// Actions tried.
    tried: u64,
    /// States marked.
    marked: u64,
}

impl Worked {
    fn and(self, other: Self) -> Self {
        Self {
            tried: self.tried + other.tried,
            marked: self.marked + other.marked,
        }
    }
}

impl<'e, 'm, M: Model> Sweeps<'e, 'm, M> {
    fn new(explored: &'e Explored<'m, M>, allowed: Allowed<'e, M::Action>) -> Self {
        let unmarked = |slots| {
            std::iter::repeat_with(|| AtomicU8::new(UNMARKED))
                .take(slots)
                .collect()
        };
        let marks = explored.visited.slots().into_iter().map(unmarked).collect();
        Self {
            explored,
            allowed,
            marks,
            worked: Worked::default(),
        }
    }

    /// Marks are only ever set, so that reading an old one costs a sweep and nothing else.
    fn mark(&self, id: StateId) -> u8 {
        self.mark_at(self.explored.visited.slot(id))
    }

    fn mark_at(&self, (shard, slot): (usize, Slot)) -> u8 {
        self.marks[shard][slot as usize].load(Ordering::Relaxed)
    }

    fn set(&self, id: StateId, mark: u8) {
        let (shard, slot) = self.explored.visited.slot(id);
        self.marks[shard][slot as usize].store(mark, Ordering::Relaxed);
    }

    /// States with this mark, which is not that of the unmarked: free slots are unmarked too.
    fn count(&self, mark: u8) -> u64 {
        let all = self.marks.iter().flatten();
        all.filter(|other| other.load(Ordering::Relaxed) == mark)
            .count() as u64
    }

    fn unmarked(&self) -> u64 {
        self.explored.visited.len() - self.count(RETURNS) - self.count(REACHES_BORDER)
    }

    fn seed(&mut self, mark: u8, begins: &dyn Fn(&M::State, StateId) -> bool) {
        for id in self
            .explored
            .nearest_first()
            .filter(|id| self.mark(*id) == UNMARKED)
        {
            if begins(
                &self.explored.model.unpack(self.explored.visited.key(id)),
                id,
            ) {
                self.set(id, mark);
            }
        }
        self.worked.marked = self.explored.visited.len() - self.unmarked();
    }

    /// Marks every unmarked state that leads to a marked one, until there is no more.
    fn spread(&mut self, mark: u8, ask: Ask) -> Continue {
        let expanded = self.explored.expanded;
        let mut chunks: Vec<(usize, usize)> = (0..SHARDS)
            .flat_map(|shard| {
                (0..expanded[shard])
                    .step_by(CHUNK)
                    .map(move |from| (from, shard))
            })
            .collect();
        // By place, so that a sweep goes through all shards at an even pace.
        chunks.sort_unstable();
        let mut forward = false;
        loop {
            let before = self.worked.marked;
            for at in 0..chunks.len() {
                let (from, shard) = chunks[if forward { at } else { chunks.len() - 1 - at }];
                let to = expanded[shard].min(from + CHUNK);
                self.worked = self.worked.and(self.sweep(
                    Chunk {
                        shard,
                        from,
                        to,
                        forward,
                    },
                    mark,
                ));
                if ask(&self.progress()) == Continue::No {
                    return Continue::No;
                }
            }
            if self.worked.marked == before {
                return Continue::Yes;
            }
            forward = !forward;
        }
    }

    /// The threads share the chunk. Which of them marks what may vary; what is marked in the end does not.
    fn sweep(&self, chunk: Chunk, mark: u8) -> Worked {
        let share = (chunk.to - chunk.from).div_ceil(self.explored.search.threads.clamp(1, SHARDS));
        let part = |from| Chunk {
            from,
            to: chunk.to.min(from + share),
            ..chunk
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (chunk.from..chunk.to)
                .step_by(share)
                .skip(1)
                .map(|from| scope.spawn(move || self.sweep_part(part(from), mark)))
                .collect();
            let own = self.sweep_part(part(chunk.from), mark);
            others
                .into_iter()
                .map(|other| other.join().expect("models do not panic"))
                .fold(own, Worked::and)
        })
    }

    fn sweep_part(
        &self,
        Chunk {
            shard,
            from,
            to,
            forward,
        }: Chunk,
        mark: u8,
    ) -> Worked {
        let Explored { model, visited, .. } = self.explored;
        let mut actions = Vec::new();
        let mut worked = Worked::default();
        for step in 0..to - from {
            let id = StateId::new(shard, if forward { from + step } else { to - 1 - step });
            if self.mark(id) != UNMARKED {
                continue;
            }
            let state = model.unpack(visited.key(id));
            actions.clear();
            model.actions(&state, &mut actions);
            let leads_there = actions
                .iter()
                .filter(|action| (self.allowed)(**action))
                .any(|action| {
                    worked.tried += 1;
                    let next = model.pack(&model.apply(&state, *action), self.explored.symmetric());
                    let next = visited.slot_of_key(next);
                    self.mark_at(next.expect("what follows an expanded state was found")) == mark
                });
            if leads_there {
                self.set(id, mark);
                worked.marked += 1;
            }
        }
        worked
    }

    fn progress(&self) -> Progress {
        Progress {
            states: self.explored.visited.len(),
            transitions: self.worked.tried,
            depth: self.explored.layers.len() as u32 - 1,
            frontier: self.explored.visited.len() - self.worked.marked,
            bytes: self.explored.visited.bytes()
                + self.explored.visited.slots().iter().sum::<usize>() as u64,
        }
    }
}
