//! Who leads to whom, backwards. A search does not keep it; it is worked out when somebody asks.
//!
//! All states are gone through twice: once to count the edges that lead to each state, once to write down
//! where each comes from. An edge costs four bytes, and a slot of the set of states four more.

use std::hint::black_box;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use super::bounds::{Ask, Continue, Progress};
use super::explored::Explored;
use super::keys::Slot;
use super::model::Model;
use super::returns::Allowed;
use super::visited::{SHARDS, StateId, TOGETHER, Visited};

/// Places of one shard that are gone through between two questions to the caller.
const CHUNK: usize = 1 << 14;

/// Numbers of all slots: those of a shard follow those of the shards before it.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    bases: [usize; SHARDS],
    count: usize,
}

/// For each state those that lead to it, by one of the actions that were asked for.
pub(crate) struct Backwards {
    /// By a slot's number: where its sources begin. Those of the next slot begin where they end.
    begins: Vec<u32>,
    /// Numbers of slots.
    sources: Vec<u32>,
}

/// Why there are none.
pub(crate) enum Refused {
    /// The caller ended it.
    Stopped,
    /// More memory would be needed than the search was allowed.
    Memory {
        /// How much in all, in MiB.
        mib: u64,
    },
}

impl Numbers {
    pub(crate) fn of(visited: &Visited) -> Self {
        let (mut bases, mut count) = ([0; SHARDS], 0);
        for (base, slots) in bases.iter_mut().zip(visited.slots()) {
            *base = count;
            count += slots;
        }
        Self { bases, count }
    }

    pub(crate) const fn count(self) -> usize {
        self.count
    }

    #[inline]
    pub(crate) const fn number(self, (shard, slot): (usize, Slot)) -> usize {
        self.bases[shard] + slot as usize
    }
}

impl Backwards {
    pub(crate) fn new<M: Model>(
        explored: &Explored<M>,
        allowed: Allowed<M::Action>,
        ask: Ask,
    ) -> Result<Self, Refused> {
        let numbers = Numbers::of(&explored.visited);
        // So many slots alone would be more than any machine's memory that this was made for.
        let slots = u32::try_from(numbers.count).map_err(|_| needs(explored, u64::MAX))?;
        fits(explored, u64::from(slots))?;
        let counts = zeroes(numbers.count);
        let walk = Walk {
            explored,
            allowed,
            numbers,
        };
        walk.through(0, ask, &|edges| {
            touch(&counts, edges);
            for (_, to) in edges {
                counts[*to].fetch_add(1, Ordering::Relaxed);
            }
        })?;
        let mut edges = 0u64;
        for count in &counts {
            edges += u64::from(count.load(Ordering::Relaxed));
            if edges > u64::from(u32::MAX) {
                return Err(needs(explored, edges));
            }
            count.store(edges as u32, Ordering::Relaxed);
        }
        fits(explored, u64::from(slots) + edges)?;
        let sources = zeroes(edges as usize);
        // From its end to its beginning, so that in the end each count says where the sources begin.
        walk.through(1, ask, &|edges| {
            touch(&counts, edges);
            for (from, to) in edges {
                let place = counts[*to].fetch_sub(1, Ordering::Relaxed) - 1;
                sources[place as usize].store(*from as u32, Ordering::Relaxed);
            }
        })?;
        Ok(Self {
            begins: counts.into_iter().map(AtomicU32::into_inner).collect(),
            sources: sources.into_iter().map(AtomicU32::into_inner).collect(),
        })
    }

    /// Numbers of the slots of the states that lead to this one.
    #[inline]
    pub(crate) fn sources(&self, number: usize) -> &[u32] {
        let begin = self.begins[number] as usize;
        let end = self.begins.get(number + 1);
        &self.sources[begin..end.map_or(self.sources.len(), |end| *end as usize)]
    }
}

/// Loads what is counted of where these edges lead. No load waits for another here, as in the set of keys.
fn touch(counts: &[AtomicU32], edges: &[Edge]) {
    let load = |seen, (_, to): &Edge| seen ^ counts[*to].load(Ordering::Relaxed);
    black_box(edges.iter().fold(0, load));
}

fn zeroes(count: usize) -> Vec<AtomicU32> {
    std::iter::repeat_with(AtomicU32::default)
        .take(count)
        .collect()
}

/// Whether so many numbers fit beside the states into what the search was allowed.
fn fits<M: Model>(explored: &Explored<M>, numbers: u64) -> Result<(), Refused> {
    match needs(explored, numbers) {
        Refused::Memory { mib } if mib <= explored.search.bounds.memory_mib => Ok(()),
        refused => Err(refused),
    }
}

fn needs<M: Model>(explored: &Explored<M>, numbers: u64) -> Refused {
    let bytes = numbers.saturating_mul(size_of::<u32>() as u64);
    let mib = bytes.saturating_add(explored.visited.bytes()) >> 20;
    Refused::Memory { mib }
}

/// Numbers of two slots: from where, and to where.
type Edge = (usize, usize);

/// Hears of some edges.
type Tell<'a> = &'a (dyn Fn(&[Edge]) + Sync);

/// Going through all edges.
struct Walk<'a, 'm, M: Model> {
    explored: &'a Explored<'m, M>,
    allowed: Allowed<'a, M::Action>,
    numbers: Numbers,
}

impl<M: Model> Walk<'_, '_, M> {
    /// Tells of every edge that leads elsewhere, in any order, some at a time. The threads share each chunk.
    fn through(&self, round: u64, ask: Ask, tell: Tell) -> Result<(), Refused> {
        let threads = self.explored.search.threads.clamp(1, SHARDS);
        let mut gone = 0;
        for (shard, expanded) in self.explored.expanded.into_iter().enumerate() {
            for from in (0..expanded).step_by(CHUNK) {
                let to = expanded.min(from + CHUNK);
                let share = (to - from).div_ceil(threads);
                std::thread::scope(|scope| {
                    for part in (from..to).step_by(share) {
                        scope.spawn(move || self.part(shard, part..to.min(part + share), tell));
                    }
                });
                gone += (to - from) as u64;
                if ask(&self.progress(round, gone)) == Continue::No {
                    return Err(Refused::Stopped);
                }
            }
        }
        Ok(())
    }

    fn part(&self, shard: usize, places: Range<usize>, tell: Tell) {
        let Explored { model, visited, .. } = self.explored;
        let (mut actions, mut next, mut edges) = (Vec::new(), Vec::new(), Vec::new());
        let ids = places.map(|place| StateId::new(shard, place));
        for id in ids {
            let from = self.numbers.number(visited.slot(id));
            let state = model.unpack(visited.key(id));
            actions.clear();
            model.actions(&state, &mut actions);
            for action in actions.iter().filter(|action| (self.allowed)(**action)) {
                let to = model.pack(&model.apply(&state, *action), self.explored.symmetric());
                next.push((from, to));
            }
            if next.len() >= TOGETHER {
                self.look_up(&mut next, &mut edges);
                tell(&edges);
            }
        }
        self.look_up(&mut next, &mut edges);
        tell(&edges);
    }

    /// Makes edges of keys that states lead to.
    fn look_up(&self, next: &mut Vec<(usize, u128)>, edges: &mut Vec<Edge>) {
        let visited = &self.explored.visited;
        visited.touch(next.iter().map(|(_, key)| *key));
        edges.clear();
        for (from, key) in next.drain(..) {
            let slot = visited.slot_of_key(key);
            let slot = slot.expect("what follows an expanded state was found");
            edges.push((from, self.numbers.number(slot)));
        }
        edges.retain(|(from, to)| from != to);
    }

    /// Two rounds; what is left of both is told as states, halved.
    fn progress(&self, round: u64, gone: u64) -> Progress {
        let states = self.explored.visited.len();
        let all: u64 = self.explored.expanded.iter().sum::<usize>() as u64;
        Progress {
            states,
            transitions: self.explored.tally.transitions(),
            depth: self.explored.layers.len() as u32 - 1,
            frontier: all - (round * all + gone) / 2,
            bytes: self.explored.visited.bytes() + (self.numbers.count * size_of::<u32>()) as u64,
        }
    }
}
