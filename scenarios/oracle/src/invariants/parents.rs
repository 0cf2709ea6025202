//! What the API said of the self-hosted pods of each node, and since when without a break.

use std::collections::BTreeMap;

use terms::{Component, Incarnation, NodeId};

use crate::observation::{Observation, PodStatus, Sighting};
use crate::view::{CLUSTER_STALE_US, View};

/// A component on a node.
pub(super) type Place = (NodeId, Component);

/// Follows readings of the pods. A silence longer than the source's staleness begins everything anew.
#[derive(Default)]
pub(super) struct Parents {
    read_us: Option<u64>,
    unbound: BTreeMap<Place, u64>,
    ready: BTreeMap<Place, (String, u64)>,
    /// Stretches of readiness that ended: since when, and until when.
    was_ready: BTreeMap<Place, (u64, u64)>,
    bound: BTreeMap<Place, bool>,
}

impl Parents {
    /// Takes in the next observation.
    pub(super) fn observe(&mut self, view: &View, seen: &Observation) {
        let Sighting::Pods(pods) = &seen.saw else {
            return;
        };
        let silent = |read_us: u64| seen.end_us.saturating_sub(read_us) > CLUSTER_STALE_US;
        let anew = self.read_us.is_none_or(silent);
        self.read_us = Some(seen.end_us);
        if anew {
            self.unbound.clear();
            self.ready.clear();
            self.was_ready.clear();
        } else if view.repeats() {
            return;
        }
        for node in view.control_plane() {
            for component in Component::SELF_HOSTED {
                let pod = pods.iter().find(|pod| is_of(pod, node, component));
                self.place((node.clone(), component), pod, seen);
            }
        }
    }

    fn place(&mut self, place: Place, pod: Option<&PodStatus>, seen: &Observation) {
        self.bound.insert(place.clone(), pod.is_some());
        if pod.is_none() {
            self.unbound.entry(place.clone()).or_insert(seen.start_us);
        } else {
            self.unbound.remove(&place);
        }
        let ready = pod.filter(|pod| pod.ready && !pod.terminating);
        match (ready, self.ready.get(&place)) {
            (Some(pod), Some((uid, _))) if *uid == pod.uid => {}
            (Some(pod), _) => {
                let since = (pod.uid.clone(), seen.end_us);
                self.ready.insert(place, since);
            }
            (None, _) => {
                if let Some((_, since_us)) = self.ready.remove(&place) {
                    self.was_ready.insert(place, (since_us, seen.end_us));
                }
            }
        }
    }

    /// Whether the pods were read lately; otherwise nothing is known of them.
    pub(super) fn are_known(&self, now_us: u64) -> bool {
        let fresh = |read_us: u64| now_us.saturating_sub(read_us) <= CLUSTER_STALE_US;
        self.read_us.is_some_and(fresh)
    }

    /// Since when every reading has said that no pod of the component is bound to the node.
    pub(super) fn unbound_since_us(&self, place: &Place, now_us: u64) -> Option<u64> {
        let since_us = self.unbound.get(place).copied();
        since_us.filter(|_| self.are_known(now_us))
    }

    /// Since when every reading has said that the component's pod on the node, the same one, is ready.
    pub(super) fn ready_since_us(&self, place: &Place) -> Option<u64> {
        self.ready.get(place).map(|(_, since_us)| *since_us)
    }

    /// The stretch of readiness that ended last: since when, and until when.
    pub(super) fn was_ready_us(&self, place: &Place) -> Option<(u64, u64)> {
        self.was_ready.get(place).copied()
    }

    /// Whether a pod of the component was bound to the node when pods were last read.
    pub(super) fn is_bound(&self, place: &Place) -> bool {
        self.bound.get(place).copied().unwrap_or(false)
    }
}

fn is_of(pod: &PodStatus, node: &NodeId, component: Component) -> bool {
    pod.component == component
        && pod.incarnation == Incarnation::SelfHosted
        && pod.node.as_ref() == Some(node)
}
