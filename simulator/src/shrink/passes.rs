//! What can be left out of a draft, or made plainer.

use scenarios::{Entry, Heal, OperationKind};
use terms::{Fault, Milliseconds, NodeId, Selector, Selectors};

use super::draft::Draft;

/// Times that a person would write, in seconds.
const NICE_S: [u64; 12] = [1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300];

/// The draft without some of its entries.
pub(super) fn without_entries(draft: &Draft, from: usize, to: usize) -> Draft {
    let mut smaller = draft.clone();
    smaller.timeline.drain(from..to);
    smaller
}

/// Drafts that lack one of several faults that happen together.
pub(super) fn without_a_fault(draft: &Draft) -> Vec<Draft> {
    let mut all = Vec::new();
    for (place, entry) in draft.timeline.iter().enumerate() {
        let count = faults(entry).len();
        for left_out in (0..count).filter(|_| count > 1) {
            let mut smaller = draft.clone();
            if let Some(faults) = faults_mut(&mut smaller.timeline[place]) {
                faults.remove(left_out);
            }
            all.push(smaller);
        }
    }
    all
}

/// Drafts with fewer control-plane nodes, the smallest first. What was aimed at a node that is gone
/// is aimed at the last one.
pub(super) fn with_fewer_nodes(draft: &Draft) -> Vec<Draft> {
    let fewer = |control_plane: u32| {
        let mut smaller = draft.clone();
        smaller.cluster.control_plane = control_plane;
        for entry in &mut smaller.timeline {
            if let Entry::Heal(Heal::Nodes(nodes)) = entry {
                aim(nodes, draft.cluster.control_plane, control_plane);
            }
            for fault in faults_mut(entry).into_iter().flatten() {
                if let Some(nodes) = fault.selectors_mut() {
                    aim(nodes, draft.cluster.control_plane, control_plane);
                }
            }
        }
        smaller
    };
    (1..draft.cluster.control_plane).map(fewer).collect()
}

fn aim(nodes: &mut Selectors, before: u32, now: u32) {
    let name = |number: u32| NodeId::control_plane(number as usize).as_str().to_owned();
    for node in &mut nodes.0 {
        if (now + 1..=before).any(|gone| node.0 == name(gone)) {
            *node = Selector(name(now));
        }
    }
    nodes.0.dedup();
}

/// For the wait at this place: drafts with nicer times, the shortest first. A time that nobody would
/// write may also become a little longer.
///
/// Time limits stay as they are: a tighter one makes failures of its own.
pub(super) fn with_a_nicer_wait(draft: &Draft, place: usize) -> Vec<Draft> {
    let Entry::Wait(Milliseconds(now_ms)) = draft.timeline[place] else {
        return Vec::new();
    };
    let nice_ms = NICE_S.map(|seconds| seconds * 1_000);
    let next = nice_ms
        .iter()
        .find(|ms| **ms > now_ms)
        .filter(|_| !nice_ms.contains(&now_ms));
    let shorter = nice_ms.iter().filter(|ms| **ms < now_ms);
    let with = |ms: &u64| {
        let mut nicer = draft.clone();
        nicer.timeline[place] = Entry::Wait(Milliseconds(*ms));
        nicer
    };
    shorter.chain(next).map(with).collect()
}

/// Whether whatever settles, or ends, has its power back and its installer started again. A draft
/// that has lost that fails for a reason of its own.
pub(super) fn is_cured(timeline: &[Entry]) -> bool {
    let (mut off, mut killed) = (0_usize, false);
    for entry in timeline {
        match entry {
            Entry::Heal(Heal::Everything) => off = 0,
            Entry::Heal(Heal::Nodes(nodes)) => off = off.saturating_sub(nodes.0.len()),
            Entry::Operation(operation) => killed &= operation.kind != OperationKind::Resume,
            Entry::Settle(_) if off > 0 || killed => return false,
            Entry::Settle(_) | Entry::Wait(_) | Entry::At(_) | Entry::Inject(_) => {}
        }
        for fault in faults(entry) {
            killed |= matches!(fault, Fault::KillInstaller(_));
            let nodes = fault.selectors().map_or(1, |nodes| nodes.0.len());
            off += if fault.is_lasting() { nodes } else { 0 };
        }
    }
    off == 0 && !killed
}

/// The faults of an entry.
pub(super) fn faults(entry: &Entry) -> &[Fault] {
    match entry {
        Entry::At(at) => &at.inject,
        Entry::Inject(faults) => faults,
        Entry::Operation(_) | Entry::Wait(_) | Entry::Heal(_) | Entry::Settle(_) => &[],
    }
}

fn faults_mut(entry: &mut Entry) -> Option<&mut Vec<Fault>> {
    match entry {
        Entry::At(at) => Some(&mut at.inject),
        Entry::Inject(faults) => Some(faults),
        Entry::Operation(_) | Entry::Wait(_) | Entry::Heal(_) | Entry::Settle(_) => None,
    }
}
