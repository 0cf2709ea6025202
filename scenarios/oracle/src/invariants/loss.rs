//! What the liveness invariants share: faults met in time, and whose finding a cluster is that did not settle.

use std::collections::BTreeSet;

use terms::{Fault, NodeId};

use crate::faults::FaultSeen;
use crate::observation::{Observation, Sighting};
use crate::reference::Reference;
use crate::verdict::Finding;
use crate::view::View;

/// The kubelet needs this long to notice an end and to say so in the pod's status.
pub(crate) const STATUS_US: u64 = 3_000_000;

/// Hands out each fault once, when its time has come: with the first observation that ended after it began,
/// before that observation is taken in.
#[derive(Default)]
pub(crate) struct Arrivals {
    met: BTreeSet<(u64, u64)>,
    /// How many faults were known when it was last asked, and when the next of those comes.
    known: usize,
    next_us: u64,
}

impl Arrivals {
    /// Faults that began before this observation ended and were not handed out yet. What had no proven effect is left out.
    pub(crate) fn next(&mut self, view: &View, seen: &Observation) -> Vec<FaultSeen> {
        let mut new = Vec::new();
        let all = view.faults().all();
        if self.known == all.len() && seen.end_us <= self.next_us {
            return new;
        }
        self.known = all.len();
        let next = all.iter().find(|fault| fault.from.start_us >= seen.end_us);
        self.next_us = next.map_or(u64::MAX, |fault| fault.from.start_us);
        for fault in view.faults().before(seen.end_us) {
            let is_new = self.met.insert((fault.from.start_us, fault.from.seq));
            if is_new && fault.value.effect.is_ok() {
                new.push(fault.clone());
            }
        }
        new
    }
}

/// Whose finding a cluster is that did not settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Nothing had been done to it: L1.
    Bootstrap,
    /// An instance or object was lost last: L4.
    Instance,
    /// One control-plane node was lost last: L5.
    Node,
    /// Several control-plane nodes or instances were lost last: L6 to L9.
    ControlPlane,
    /// Nobody's of this version; the judge fails the case all the same.
    Other,
}

/// The finding that the cluster did not settle, when this observation says so and it is `owner`'s.
pub(super) fn unsettled(view: &View, seen: &Observation, owner: Owner) -> Option<Finding> {
    let Sighting::Settled(settled) = &seen.saw else {
        return None;
    };
    let what = settled.failure()?;
    let last = view.faults().before(seen.start_us).next_back();
    if owner_of(last) != owner {
        return None;
    }
    let began_us = seen
        .end_us
        .saturating_sub(settled.took_ms.saturating_mul(1_000));
    let mut began = Reference::to(seen);
    began.end_us = began_us;
    let mut witness = vec![
        began.witness("watching it settle began"),
        Reference::to(seen).witness(what.clone()),
    ];
    if let Some(fault) = last {
        witness.push(fault.from.witness(format!(
            "the last fault before: {}",
            fault.value.fault.key()
        )));
    }
    Some(super::finding(what, seen.end_us, witness))
}

fn owner_of(last: Option<&FaultSeen>) -> Owner {
    let Some(last) = last else {
        return Owner::Bootstrap;
    };
    match &last.value.fault {
        Fault::Kill(_) if last.value.targets.len() > 1 => Owner::ControlPlane,
        Fault::Delete(_) if last.value.objects.len() > 1 => Owner::ControlPlane,
        Fault::Kill(_) | Fault::KillInstaller(_) | Fault::Delete(_) => Owner::Instance,
        Fault::PowerOff(_) | Fault::Reboot(_) if is_one_of_control_plane(&last.value.targets) => {
            Owner::Node
        }
        Fault::PowerOff(_) | Fault::Reboot(_)
            if last.value.targets.iter().any(NodeId::is_control_plane) =>
        {
            Owner::ControlPlane
        }
        Fault::PowerOff(_)
        | Fault::Reboot(_)
        | Fault::Freeze(_)
        | Fault::Stop(_)
        | Fault::Restart(_)
        | Fault::Tear(_)
        | Fault::LoseDisk(_)
        | Fault::Roll(_)
        | Fault::Change(_)
        | Fault::RemoveImage(_) => Owner::Other,
    }
}

/// Whether these are exactly one control-plane node.
pub(super) fn is_one_of_control_plane(targets: &[NodeId]) -> bool {
    matches!(targets, [node] if node.is_control_plane())
}
