//! L3: after the loss of a leader another one acts within `new_leader` (scheduler on SIGTERM: 6 s).
//!
//! A loss is a power-off or reboot of the holder's node, or a kill of the component there; the holder is
//! the one last read before the fault, at most five seconds old. For controller manager and scheduler
//! the next act is that the lease is seen in another identity's hands (an identity is one process's); for
//! etcd another leader, or the same one in a later term. Counted from the proof of the loss. A loss
//! without another instance on another node, or followed by another fault before the bound, is not judged.

use std::collections::BTreeMap;

use terms::{Component, Fault, NodeId, Signal};

use super::loss::Arrivals;
use super::{Invariant, finding, not_judged, unknown};
use crate::faults::FaultSeen;
use crate::observation::{Observation, Sighting, Source};
use crate::reference::{Reference, seconds};
use crate::verdict::{Finding, Judgement};
use crate::view::{CLUSTER_STALE_US, View};

/// The budget that this invariant reads.
const BUDGET: &str = "new_leader";
/// A scheduler that is asked to end releases its lease; candidates poll every 2 to 4.4 s.
const RELEASED_US: u64 = 6_000_000;
/// Locks that are followed.
const LOCKS: [Component; 3] = [
    Component::Etcd,
    Component::KubeControllerManager,
    Component::KubeScheduler,
];
/// With fewer members the rest of etcd has no majority after a loss.
const ETCD_MEMBERS_LEAST: usize = 3;

/// Who leads, as one reading says.
#[derive(Clone)]
struct Leads {
    identity: String,
    node: Option<NodeId>,
    term: u64,
    from: Reference,
}

struct Loss {
    lock: Component,
    before: Leads,
    fault: FaultSeen,
    bound_us: u64,
    last_read: Option<Reference>,
}

#[derive(Default)]
struct ANewLeaderActs {
    arrivals: Arrivals,
    members: BTreeMap<String, NodeId>,
    leaders: BTreeMap<Component, Leads>,
    open: Vec<Loss>,
    survived: u64,
    not_judged: Option<String>,
    unknown: Option<String>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<ANewLeaderActs>::default()
}

impl Invariant for ANewLeaderActs {
    fn observe(&mut self, view: &View, seen: &Observation) {
        for fault in self.arrivals.next(view, seen) {
            self.fault(view, &fault);
        }
        let Some((lock, leads)) = self.reading(seen) else {
            return;
        };
        self.judge(lock, leads.as_ref(), seen);
        if let Some(leads) = leads {
            self.leaders.insert(lock, leads);
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if view.budget_us(BUDGET).is_none() {
            return not_judged(format!("the budget `{BUDGET}` is none"));
        }
        if let Some(what) = &self.unknown {
            return unknown(what.clone());
        }
        if let Some(loss) = self.open.first() {
            return unknown(format!(
                "the record ends before {} was read again after its leader's loss",
                loss.lock
            ));
        }
        if self.survived == 0 {
            let why = self.not_judged.clone();
            return not_judged(why.unwrap_or_else(|| "no leader was lost".to_owned()));
        }
        Judgement::Holds
    }
}

impl ANewLeaderActs {
    fn fault(&mut self, view: &View, fault: &FaultSeen) {
        if matches!(fault.value.fault, Fault::KillInstaller(_)) {
            return;
        }
        let began_us = fault.from.start_us;
        // Faults of one injection belong together; a later one ends the hypothesis of what is open.
        self.open
            .retain(|loss| loss.fault.value.entry == fault.value.entry);
        for lock in LOCKS {
            let Some(bound_us) = bound_us(view, lock, &fault.value.fault) else {
                continue;
            };
            let Some(before) = self.leaders.get(&lock) else {
                continue;
            };
            let age_us = began_us.saturating_sub(before.from.end_us);
            if age_us > CLUSTER_STALE_US || before.node.is_none() {
                self.unknown
                    .get_or_insert(format!("nobody knew who led {lock} when a fault hit"));
                continue;
            }
            let hits = before
                .node
                .as_ref()
                .is_some_and(|node| fault.value.targets.contains(node));
            if !hits {
                continue;
            }
            if !spares_quorum(view, fault) {
                self.not_judged =
                    Some("too few etcd members had power for anybody to lead".to_owned());
                continue;
            }
            if !has_another(view, lock, &fault.value.targets) {
                self.not_judged = Some(format!("there was no other {lock} that could lead"));
                continue;
            }
            let loss = Loss {
                lock,
                before: before.clone(),
                fault: fault.clone(),
                bound_us,
                last_read: None,
            };
            self.open.push(loss);
        }
    }

    /// What an observation says of a lock; the inner `None` is a reading that names no leader.
    fn reading(&mut self, seen: &Observation) -> Option<(Component, Option<Leads>)> {
        match &seen.saw {
            Sighting::Lease(lease) => {
                let node = lease.holder_node.clone();
                let leads = |identity: String| Leads {
                    identity,
                    node,
                    term: 0,
                    from: Reference::to(seen),
                };
                Some((lease.lock, lease.holder.clone().map(leads)))
            }
            Sighting::Etcd(Some(status)) => {
                if let Source::EtcdMember(node) = &seen.source
                    && self.members.get(&status.member) != Some(node)
                {
                    self.members.insert(status.member.clone(), node.clone());
                }
                let leads = |identity: &String| Leads {
                    node: self.members.get(identity).cloned(),
                    identity: identity.clone(),
                    term: status.term,
                    from: Reference::to(seen),
                };
                Some((Component::Etcd, status.leader.as_ref().map(leads)))
            }
            _ => None,
        }
    }

    fn judge(&mut self, lock: Component, leads: Option<&Leads>, seen: &Observation) {
        let mut open = std::mem::take(&mut self.open);
        open.retain_mut(|loss| {
            if loss.lock != lock || seen.start_us < loss.fault.from.start_us {
                return true;
            }
            let acts = leads.is_some_and(|leads| {
                leads.identity != loss.before.identity || leads.term > loss.before.term
            });
            let deadline_us = loss.fault.from.end_us + loss.bound_us;
            let last_us = loss
                .last_read
                .replace(Reference::to(seen))
                .map(|last| last.start_us);
            if acts && seen.end_us <= deadline_us {
                self.survived += 1;
                return false;
            }
            // It is late only if a reading from after the deadline says so; otherwise nobody looked in time.
            if acts
                && last_us.is_none_or(|last_us| last_us <= deadline_us)
                && seen.end_us.saturating_sub(last_us.unwrap_or(0)) > CLUSTER_STALE_US
            {
                self.unknown.get_or_insert(format!(
                    "nobody could read who led {lock} for the time of its bound"
                ));
                return false;
            }
            if !acts && seen.start_us <= deadline_us {
                return true;
            }
            self.found.get_or_insert_with(|| late(loss, leads, seen));
            false
        });
        self.open.append(&mut open);
    }
}

fn late(loss: &Loss, leads: Option<&Leads>, seen: &Observation) -> Finding {
    let lock = loss.lock;
    let now = leads.map_or("nobody", |leads| leads.identity.as_str());
    let waited_us = seen.end_us.saturating_sub(loss.fault.from.end_us);
    let what = format!(
        "no new leader of {lock} acted within {} after {} was lost: {} later {now} leads",
        seconds(loss.bound_us),
        loss.before.identity,
        seconds(waited_us)
    );
    let witness = vec![
        loss.before
            .from
            .witness(format!("{} leads {lock}", loss.before.identity)),
        loss.fault
            .from
            .witness(format!("its loss: {}", loss.fault.value.fault.key())),
        Reference::to(seen).witness(format!("{now} leads {lock}")),
    ];
    finding(what, seen.end_us, witness)
}

/// The bound that a fault sets for a lock, if it can take its leader at all.
fn bound_us(view: &View, lock: Component, fault: &Fault) -> Option<u64> {
    let budget_us = view.budget_us(BUDGET)?;
    match fault {
        Fault::PowerOff(_) | Fault::Reboot(_) => Some(budget_us),
        Fault::Kill(kill) if kill.component == lock => {
            let releases = lock == Component::KubeScheduler && kill.signal == Signal::Terminate;
            Some(if releases {
                budget_us.min(RELEASED_US)
            } else {
                budget_us
            })
        }
        _ => None,
    }
}

/// Whether a majority of etcd's members is left with power: without, nobody can take a lease.
fn spares_quorum(view: &View, fault: &FaultSeen) -> bool {
    if !matches!(fault.value.fault, Fault::PowerOff(_) | Fault::Reboot(_)) {
        return true;
    }
    let living = view.living_control_plane().into_iter();
    let spared = living.filter(|node| !fault.value.targets.contains(node));
    spared.count() * 2 > view.control_plane().len()
}

/// Whether another instance was last seen on a node that the fault spares.
fn has_another(view: &View, lock: Component, targets: &[NodeId]) -> bool {
    let spared = view
        .living_control_plane()
        .into_iter()
        .filter(|node| !targets.contains(node));
    let count = spared
        .filter(|node| view.last_processes(node, lock).next().is_some())
        .count();
    match lock {
        Component::Etcd => {
            view.control_plane().len() >= ETCD_MEMBERS_LEAST
                && count * 2 > view.control_plane().len()
        }
        _ => count > 0,
    }
}
