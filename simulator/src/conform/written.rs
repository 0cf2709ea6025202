//! What the watch of etcd's keys adds: which write a change was, and thereby its place among others.
//!
//! Every change of a pod or of a lease's holder is a write of its key, told with its revision at most
//! [`WATCH_LAG_US`] later. Pods of one component are not told apart: their keys end in letters at random.
//! So each change has a range of revisions, from the first to the last write that it can have been. A change
//! whose range ends before another's begins came before it, whatever the looks say. A change that no write
//! can have been did not happen, if the watch was alive all the time.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::{EtcdKey, ProcessId};
use terms::Component;

use super::change::{Change, PodSeen, Track, Value};

/// A watch tells of a key at most this long after it was written.
pub(super) const WATCH_LAG_US: u64 = 2_000_000;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Object {
    /// A pod of the component.
    Pod(Component),
    /// The component's lease.
    Lease(Component),
}

#[derive(Clone, Copy, Debug)]
struct Write {
    object: Object,
    revision: u64,
    told_us: u64,
}

/// What the watch told, in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes {
    all: Vec<Write>,
    /// When it told of its first key, of whatever kind, and of its last one.
    alive_us: Option<(u64, u64)>,
    /// When it was silent.
    gaps: Vec<(u64, u64)>,
}

impl Writes {
    /// It told of a key.
    pub(super) fn told(&mut self, key: &EtcdKey, at_us: u64) {
        let (first_us, _) = self.alive_us.unwrap_or((at_us, at_us));
        self.alive_us = Some((first_us, at_us));
        if let Some(object) = object(&key.key) {
            self.all.push(Write {
                object,
                revision: key.revision,
                told_us: at_us,
            });
        }
    }

    /// It was silent.
    pub(super) fn silent(&mut self, from_us: u64, to_us: u64) {
        self.gaps.push((from_us, to_us));
    }

    /// The writes that a change can have been, if it is one.
    fn of(&self, change: &Change) -> Option<impl Iterator<Item = &Write>> {
        let object = match change.track {
            Track::Pod(component, _) => Object::Pod(component),
            Track::Lease(component) => Object::Lease(component),
            _ => return None,
        };
        // The first look at something is no change, nor is the end of looking.
        if self.all.is_empty() || change.since_us == 0 || change.until_us == u64::MAX {
            return None;
        }
        let last_us = change.until_us.saturating_add(WATCH_LAG_US);
        let can = move |write: &&Write| {
            write.object == object && (change.since_us..=last_us).contains(&write.told_us)
        };
        Some(self.all.iter().filter(can))
    }

    /// Whether it would have told of a write at this change's time.
    fn watched(&self, change: &Change) -> bool {
        let end_us = change.until_us.saturating_add(WATCH_LAG_US);
        let alive = |(from_us, to_us): (u64, u64)| from_us <= change.since_us && end_us <= to_us;
        let silent =
            |(from_us, to_us): &(u64, u64)| *from_us <= end_us && change.since_us <= *to_us;
        self.alive_us.is_some_and(alive) && !self.gaps.iter().any(silent)
    }
}

fn object(key: &str) -> Option<Object> {
    let of = |begins: &str| key.strip_prefix(begins);
    let component = |name: &str| {
        let named = |component: &Component| component.name() == name;
        Component::SELF_HOSTED.into_iter().find(named)
    };
    if let Some(name) = of("/registry/leases/kube-system/") {
        return component(name).map(Object::Lease);
    }
    let name = of("/registry/pods/kube-system/")?;
    let (name, _) = name.rsplit_once('-')?;
    component(name).map(Object::Pod)
}

/// Changes in the order in which they are followed, with what writes say of them.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// By latest time.
    pub(super) changes: Vec<Change>,
    /// For each, those that came before it although they may be later by looks alone.
    pub(super) firsts: Vec<Vec<u32>>,
    /// Those that did not happen, and why.
    pub(super) impossible: BTreeMap<u32, &'static str>,
}

const UNWRITTEN: &str = "no write of etcd's can have been this";
const RETURNED: &str = "a process that is gone does not come back";

impl Order {
    /// The order of these changes.
    pub(super) fn of(changes: &[Change], writes: &Writes) -> Self {
        let mut untils: BTreeMap<Track, u64> = BTreeMap::new();
        let mut placed: Vec<Placed> = Vec::new();
        let mut ran: BTreeSet<(Track, ProcessId)> = BTreeSet::new();
        for change in changes {
            let mut narrowed = narrowed(change, writes);
            if let Value::Process(Some(id)) = change.value
                && !ran.insert((change.track, id))
            {
                narrowed.impossible = Some(RETURNED);
            }
            // Those of one track stay in their order.
            let until_us = untils.entry(change.track).or_default();
            narrowed.change.until_us = narrowed.change.until_us.max(*until_us);
            *until_us = narrowed.change.until_us;
            placed.push(narrowed);
        }
        placed.sort_by_key(|placed| placed.change.until_us);
        let firsts = placed.iter().map(|after| {
            let firsts = (0..)
                .zip(&placed)
                .filter(|(_, before)| before.comes_before(after));
            firsts.map(|(place, _)| place).collect()
        });
        let impossible = (0..).zip(&placed);
        let impossible = impossible.filter_map(|(place, placed)| Some((place, placed.impossible?)));
        Self {
            firsts: firsts.collect(),
            impossible: impossible.collect(),
            changes: placed.into_iter().map(|placed| placed.change).collect(),
        }
    }
}

/// A change with what writes say of it.
struct Placed {
    /// It, within the times of the writes that it can have been.
    change: Change,
    /// The range of their revisions.
    range: Option<(u64, u64)>,
    /// Why it did not happen, if it did not.
    impossible: Option<&'static str>,
}

impl Placed {
    /// Whether it was written before, although looks alone leave that open.
    fn comes_before(&self, after: &Self) -> bool {
        let (Some((_, last)), Some((first, _))) = (self.range, after.range) else {
            return false;
        };
        // The world binds at once what the scheduler binds one after another.
        let is_binding = after.change.value == Value::Pod(PodSeen::Bound);
        !is_binding && last < first && self.change.until_us >= after.change.since_us
    }
}

fn narrowed(change: &Change, writes: &Writes) -> Placed {
    let mut placed = Placed {
        change: change.clone(),
        range: None,
        impossible: None,
    };
    let Some(all) = writes.of(change) else {
        return placed;
    };
    let all: Vec<Write> = all.copied().collect();
    let (Some(first), Some(last)) = (all.first(), all.last()) else {
        placed.impossible = writes.watched(change).then_some(UNWRITTEN);
        return placed;
    };
    let Change {
        since_us, until_us, ..
    } = &mut placed.change;
    *since_us = (*since_us).max(first.told_us.saturating_sub(WATCH_LAG_US));
    *until_us = (*until_us).min(last.told_us);
    placed.range = Some((first.revision, last.revision));
    placed
}
