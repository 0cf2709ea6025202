//! What was done to the cluster on purpose, and when: known before the first observation is judged.
//!
//! A fault is recorded once its effect is proven, which is after the effect. What its victims do in
//! between would look like the product's own doing, hence all faults are collected beforehand.

use terms::{Fault, NodeId};

use crate::observation::{FaultRecord, HealRecord, Observation, Sighting};
use crate::reference::{Latest, Reference};

/// All faults and heals of a case.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    faults: Vec<FaultSeen>,
    heals: Vec<Latest<HealRecord>>,
}

/// A fault with its time.
pub type FaultSeen = Latest<FaultRecord>;

impl Faults {
    /// Collects the faults of a whole case, in the order in which they began.
    pub fn of<'a>(observations: impl IntoIterator<Item = &'a Observation>) -> Self {
        let mut all = Self::default();
        for seen in observations {
            all.add(seen);
        }
        all
    }

    /// Takes in one observation, whatever it is.
    pub fn add(&mut self, seen: &Observation) {
        match &seen.saw {
            Sighting::Fault(record) => {
                self.faults.push(Latest::new(record.clone(), seen));
                self.faults
                    .sort_by_key(|fault| (fault.from.start_us, fault.from.seq));
            }
            Sighting::Heal(record) => {
                self.heals.push(Latest::new(record.clone(), seen));
                self.heals
                    .sort_by_key(|heal| (heal.from.start_us, heal.from.seq));
            }
            _ => {}
        }
    }

    /// All faults, in the order in which they began.
    pub fn all(&self) -> &[FaultSeen] {
        &self.faults
    }

    /// All heals, in the order in which they began.
    pub fn heals(&self) -> &[Latest<HealRecord>] {
        &self.heals
    }

    /// Faults that began before `at_us`.
    pub fn before(&self, at_us: u64) -> impl DoubleEndedIterator<Item = &FaultSeen> {
        let count = self
            .faults
            .partition_point(|fault| fault.from.start_us < at_us);
        self.faults[..count].iter()
    }

    /// Faults that began within the two times, both included.
    pub fn between(&self, from_us: u64, to_us: u64) -> impl DoubleEndedIterator<Item = &FaultSeen> {
        self.faults
            .iter()
            .filter(move |fault| (from_us..=to_us).contains(&fault.from.start_us))
    }

    /// Whether the node is without power: between a power-off and the end of its heal, or while it reboots.
    pub fn is_off(&self, node: &NodeId, at_us: u64) -> bool {
        self.faults.iter().any(|fault| {
            let began = fault.from.start_us <= at_us && fault.value.targets.contains(node);
            match fault.value.fault {
                Fault::PowerOff(_) | Fault::LoseDisk(_) => {
                    began && at_us < self.healed_us(node, fault.from.start_us)
                }
                Fault::Reboot(_) => began && at_us <= fault.from.end_us,
                _ => false,
            }
        })
    }

    /// When the last loss of power of the node ended before `at_us`: what was seen earlier says nothing of it now.
    pub fn power_back_us(&self, node: &NodeId, at_us: u64) -> Option<u64> {
        self.before(at_us)
            .filter(|fault| fault.value.targets.contains(node))
            .filter_map(|fault| match fault.value.fault {
                Fault::PowerOff(_) | Fault::LoseDisk(_) => {
                    Some(self.healed_us(node, fault.from.start_us))
                }
                Fault::Reboot(_) => Some(fault.from.end_us),
                _ => None,
            })
            .filter(|back_us| *back_us <= at_us)
            .max()
    }

    /// When a majority of these control-plane nodes had lost its disk, if it had by then: what etcd held is gone.
    pub fn etcd_lost_us(&self, control_planes: usize, at_us: u64) -> Option<u64> {
        let mut lost = std::collections::BTreeSet::new();
        self.before(at_us)
            .filter(is_loss_of_disks)
            .filter(|fault| {
                let nodes = fault.value.targets.iter();
                lost.extend(nodes.filter(|node| node.is_control_plane()));
                lost.len() * 2 > control_planes
            })
            .map(|fault| fault.from.end_us)
            .next()
    }

    /// When the node last began to lose its disk, if it did by then.
    pub fn disk_lost_us(&self, node: &NodeId, at_us: u64) -> Option<u64> {
        self.before(at_us)
            .filter(is_loss_of_disks)
            .filter(|fault| fault.value.targets.contains(node))
            .map(|fault| fault.from.start_us)
            .next_back()
    }

    /// Whether the node lost its disk after `since_us`, by the end of this look at it: what was there then and is
    /// not there now was removed by nobody.
    pub fn disk_was_lost_since(&self, node: &NodeId, since_us: u64, now: &Observation) -> bool {
        self.faults.iter().filter(is_loss_of_disks).any(|fault| {
            fault.value.targets.contains(node)
                && fault.from.start_us <= now.end_us
                && fault.from.end_us >= since_us
        })
    }

    /// Until when a lasting fault of the node that began at `since_us` lasts; for ever without a heal.
    pub fn healed_us(&self, node: &NodeId, since_us: u64) -> u64 {
        self.heals
            .iter()
            .find(|heal| heal.from.end_us >= since_us && heal.value.nodes.contains(node))
            .map_or(u64::MAX, |heal| heal.from.end_us)
    }

    /// Faults and heals that were not proven, with their reason.
    pub(crate) fn unproven(&self) -> Option<(&Reference, String)> {
        let fault = self.faults.iter().find_map(|fault| {
            let why = fault.value.effect.as_ref().err()?;
            Some((
                &fault.from,
                format!(
                    "the fault `{}` had no proven effect: {why}",
                    fault.value.fault.key()
                ),
            ))
        });
        let heal = || {
            self.heals.iter().find_map(|heal| {
                let why = heal.value.effect.as_ref().err()?;
                Some((&heal.from, format!("the heal had no proven effect: {why}")))
            })
        };
        fault.or_else(heal)
    }
}

fn is_loss_of_disks(fault: &&FaultSeen) -> bool {
    matches!(fault.value.fault, Fault::LoseDisk(_))
}
