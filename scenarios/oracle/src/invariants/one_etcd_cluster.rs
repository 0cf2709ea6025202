//! S3: every etcd member that ever answered names the same cluster, and each node's member stays itself.
//! After a majority of the disks was lost, a restored snapshot begins another one. Nodes without power that kept their
//! disks have no part in it: they may stay silent for ever, but must not speak for the old one.

use std::collections::BTreeMap;

use terms::NodeId;

use super::{Invariant, finding, names, not_judged, unknown};
use crate::observation::{EtcdStatus, Observation, Sighting, Source};
use crate::reference::Latest;
use crate::verdict::{Finding, Judgement};
use crate::view::View;

#[derive(Default)]
struct OneEtcdCluster {
    first: BTreeMap<NodeId, Latest<EtcdStatus>>,
    /// Nodes of a cluster that was replaced.
    replaced: Vec<NodeId>,
    found: Option<Finding>,
}

pub(crate) fn monitor() -> Box<dyn Invariant> {
    Box::<OneEtcdCluster>::default()
}

impl Invariant for OneEtcdCluster {
    fn observe(&mut self, view: &View, seen: &Observation) {
        if let Sighting::OperationStarted(operation) = &seen.saw
            && operation.from_snapshot
            && !operation.rival
            && view
                .faults()
                .etcd_lost_us(view.control_plane().len(), seen.start_us)
                .is_some()
        {
            self.first.clear();
            let mut kept = view.control_plane();
            kept.retain(|node| {
                view.faults().is_off(node, seen.start_us)
                    && view.faults().disk_lost_us(node, seen.start_us).is_none()
            });
            self.replaced = kept.into_iter().cloned().collect();
        }
        let (Sighting::Etcd(Some(status)), Source::EtcdMember(node)) = (&seen.saw, &seen.source)
        else {
            return;
        };
        let here = || Latest::new(status.clone(), seen);
        for (other_node, other) in &self.first {
            let cluster = status.cluster != other.value.cluster;
            // Two nodes that answer as one member have copies of one member's disk.
            let doubled = other_node != node && status.member == other.value.member;
            if cluster || doubled {
                let found = disagreement(node, &here(), other_node, other);
                self.found.get_or_insert(found);
                break;
            }
        }
        if !self.first.contains_key(node) {
            self.first.insert(node.clone(), here());
        }
    }

    fn finding(&self) -> Option<&Finding> {
        self.found.as_ref()
    }

    fn otherwise(&self, view: &View) -> Judgement {
        if view.procedure().first_started.is_none() && self.first.is_empty() {
            return not_judged("no operation was started");
        }
        let mut silent = view.control_plane();
        silent.retain(|node| !self.first.contains_key(*node) && !self.replaced.contains(*node));
        if self.first.is_empty() || !silent.is_empty() {
            return unknown(format!("no etcd member answered on {}", names(silent)));
        }
        Judgement::Holds
    }
}

fn disagreement(
    node: &NodeId,
    here: &Latest<EtcdStatus>,
    other_node: &NodeId,
    other: &Latest<EtcdStatus>,
) -> Finding {
    let words =
        |status: &EtcdStatus| format!("member {} of cluster {}", status.member, status.cluster);
    let what = format!(
        "etcd on {node} says that it is {}, etcd on {other_node} said that it was {}",
        words(&here.value),
        words(&other.value)
    );
    let witness = vec![
        other.from.witness(words(&other.value)),
        here.from.witness(words(&here.value)),
    ];
    finding(what, here.from.end_us, witness)
}
