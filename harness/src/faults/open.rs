//! Lasting faults that were not healed yet.

use std::collections::BTreeSet;

use terms::{Fault, NodeId, Unit};

/// What a lasting fault leaves a node as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ailment {
    /// It has no power.
    Off,
    /// Its processes stand still.
    Frozen,
    /// A unit of it is stopped.
    Stopped(Unit),
}

/// What nodes suffer from; in the order in which it must be undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Open(BTreeSet<(NodeId, Ailment)>);

impl Open {
    /// Takes in a fault that took effect on these nodes.
    pub(super) fn take(&mut self, fault: &Fault, nodes: &[NodeId]) {
        for node in nodes {
            let ailment = match fault {
                Fault::PowerOff(_) | Fault::LoseDisk(_) => Ailment::Off,
                Fault::Freeze(_) => Ailment::Frozen,
                Fault::Stop(stop) => Ailment::Stopped(stop.unit),
                Fault::Reboot(_) => {
                    // It has power, and everything that starts at boot was started.
                    self.0.retain(|(of, _)| of != node);
                    continue;
                }
                Fault::Kill(_)
                | Fault::KillInstaller(_)
                | Fault::Delete(_)
                | Fault::Restart(_)
                | Fault::Tear(_)
                | Fault::Roll(_)
                | Fault::Change(_)
                | Fault::RemoveImage(_) => continue,
            };
            if ailment == Ailment::Off {
                // Nothing stands still or is stopped on a node without power; a boot starts every unit.
                self.0.retain(|(of, _)| of != node);
            }
            self.0.insert((node.clone(), ailment));
        }
    }

    /// Nodes that suffer from what is asked for.
    pub(super) fn nodes(&self, asked: impl Fn(Ailment) -> bool) -> Vec<NodeId> {
        let suffering = self.0.iter().filter(|(_, ailment)| asked(*ailment));
        let nodes: BTreeSet<&NodeId> = suffering.map(|(node, _)| node).collect();
        nodes.into_iter().cloned().collect()
    }

    /// What a node suffers from.
    pub(super) fn of(&self, node: &NodeId) -> Vec<Ailment> {
        let own = self.0.iter().filter(|(of, _)| of == node);
        own.map(|(_, ailment)| *ailment).collect()
    }

    /// The node suffers from nothing any more.
    pub(super) fn healed(&mut self, node: &NodeId) {
        self.0.retain(|(of, _)| of != node);
    }
}

#[cfg(test)]
mod tests {
    use terms::{NodeFault, Selectors, UnitFault};

    use super::*;

    fn node_fault() -> NodeFault {
        NodeFault {
            node: Selectors(Vec::new()),
            bind: None,
        }
    }

    fn stop(unit: Unit) -> Fault {
        Fault::Stop(UnitFault {
            unit,
            node: Selectors(Vec::new()),
            bind: None,
        })
    }

    #[test]
    fn a_node_is_undone_in_an_order_that_works() {
        let node = NodeId::control_plane(1);
        let nodes = [node.clone()];
        let mut open = Open::default();
        open.take(&stop(Unit::Kubelet), &nodes);
        open.take(&Fault::Freeze(node_fault()), &nodes);
        // A frozen node is thawed before its units are started.
        let both = [Ailment::Frozen, Ailment::Stopped(Unit::Kubelet)];
        assert_eq!(open.of(&node), both);
        assert!(open.nodes(|ailment| ailment == Ailment::Off).is_empty());
        open.healed(&node);
        assert_eq!(open, Open::default());
    }

    #[test]
    fn a_loss_of_power_ends_what_lasts_in_memory_only() {
        let node = NodeId::control_plane(2);
        let nodes = [node.clone()];
        for fault in [Fault::PowerOff(node_fault()), Fault::Reboot(node_fault())] {
            let mut open = Open::default();
            open.take(&stop(Unit::Containerd), &nodes);
            open.take(&Fault::Freeze(node_fault()), &nodes);
            open.take(&fault, &nodes);
            let left = matches!(fault, Fault::PowerOff(_)).then_some(Ailment::Off);
            assert_eq!(open.of(&node), Vec::from_iter(left));
        }
    }
}
