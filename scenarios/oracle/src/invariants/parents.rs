//! What the API said of the self-hosted pods of each node, and since when without a break.

use std::collections::BTreeMap;

use terms::{Component, Incarnation, NodeId};

use crate::observation::{Observation, PodStatus, Sighting};
use crate::reference::Reference;
use crate::view::{CLUSTER_STALE_US, View};

/// A component on a node.
pub(super) type Place = (NodeId, Component);

/// Follows readings of the pods. A silence longer than the source's staleness begins everything anew.
#[derive(Default)]
pub(super) struct Parents {
    read_us: Option<u64>,
    /// When the latest reading began.
    began_us: u64,
    /// When the readings began that have gone on without a silence since.
    reading_since_us: u64,
    /// The last reading that said that a pod is bound.
    last_bound: BTreeMap<Place, Reference>,
    ready: BTreeMap<Place, Ready>,
    /// Stretches of readiness that ended: since when at the earliest, and until when at the latest.
    was_ready: BTreeMap<Place, (u64, u64)>,
    bound: BTreeMap<Place, bool>,
}

/// A pod that every reading calls ready since it first did.
struct Ready {
    uid: String,
    /// It cannot have been ready for longer: the beginning of the reading before that, or, if that is earlier, what
    /// its condition says.
    since_us: u64,
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
            self.reading_since_us = seen.start_us;
            self.began_us = seen.start_us;
            self.ready.clear();
            self.was_ready.clear();
        } else if view.repeats() {
            self.again(seen);
            return;
        }
        for node in view.control_plane() {
            for component in Component::SELF_HOSTED {
                let pod = pods.iter().find(|pod| is_of(pod, node, component));
                self.place((node.clone(), component), pod, seen);
            }
        }
        self.began_us = seen.start_us;
    }

    /// A reading says what the one before it said.
    fn again(&mut self, seen: &Observation) {
        for (place, last) in &mut self.last_bound {
            if self.bound.get(place).copied().unwrap_or(false) {
                last.move_to(seen);
            }
        }
        self.began_us = seen.start_us;
    }

    fn place(&mut self, place: Place, pod: Option<&PodStatus>, seen: &Observation) {
        self.bound.insert(place.clone(), pod.is_some());
        if pod.is_some() {
            let bound = Reference::to(seen);
            self.last_bound.insert(place.clone(), bound);
        }
        let ready = pod.filter(|pod| pod.ready && !pod.terminating);
        match (ready, self.ready.get(&place)) {
            (Some(pod), Some(ready)) if ready.uid == pod.uid => {}
            (Some(pod), _) => {
                let ready = Ready {
                    uid: pod.uid.clone(),
                    since_us: pod
                        .ready_since_us
                        .map_or(self.began_us, |said_us| said_us.min(self.began_us)),
                };
                self.ready.insert(place, ready);
            }
            (None, _) => {
                if let Some(ready) = self.ready.remove(&place) {
                    let stretch = (ready.since_us, seen.end_us);
                    self.was_ready.insert(place, stretch);
                }
            }
        }
    }

    /// Whether the pods were read lately; otherwise nothing is known of them.
    pub(super) fn are_known(&self, now_us: u64) -> bool {
        let fresh = |read_us: u64| now_us.saturating_sub(read_us) <= CLUSTER_STALE_US;
        self.read_us.is_some_and(fresh)
    }

    /// Whether the pods were read without a silence from then on until now.
    pub(super) fn are_known_since(&self, since_us: u64, now_us: u64) -> bool {
        self.are_known(now_us) && self.reading_since_us <= since_us
    }

    /// The last reading that said that a pod of the component is bound to the node.
    pub(super) fn last_bound(&self, place: &Place) -> Option<&Reference> {
        self.last_bound.get(place)
    }

    /// Since when at the earliest the pod has been ready that every reading calls so.
    pub(super) fn ready_since_us(&self, place: &Place) -> Option<u64> {
        self.ready.get(place).map(|ready| ready.since_us)
    }

    /// The stretch of readiness that ended last: since when at the earliest, and until when at the latest.
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
