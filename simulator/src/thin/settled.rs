//! What a cluster that has settled would have and this one has not: the conditions of `settle`.

use terms::{Component, Incarnation};

use super::world::World;

/// A write is fresh for this long, as on real nodes.
const FRESH_MS: u64 = 1_000;

impl World {
    /// What is missing, in words, of all nodes but these; after `holding` nothing needs to be
    /// self-hosted yet.
    pub(crate) fn missing(&self, holding: bool, off: &[u8]) -> Vec<String> {
        let mut missing = Vec::new();
        let written = |ms: u64| self.now_ms <= ms + FRESH_MS;
        if !self.store.last_write_ms.is_some_and(written) {
            missing.push("a write through the load balancer".to_owned());
        }
        let living = |index: &u8| !off.contains(index);
        let etcd = self.etcd_healthy();
        for index in (0..self.control_planes).filter(living) {
            if !etcd.contains(index) || self.store.leader.is_none() {
                missing.push(format!("etcd on {}", self.name(index)));
            }
        }
        for index in self.indices().filter(living) {
            if !(self.reachable() && self.is_node_ready(index)) {
                missing.push(format!("{} Ready", self.name(index)));
            }
        }
        if !holding {
            for index in (0..self.control_planes).filter(living) {
                self.missing_self_hosted(index, &mut missing);
            }
        }
        missing
    }

    fn missing_self_hosted(&self, index: u8, missing: &mut Vec<String>) {
        let name = self.name(index);
        if !self.serves((index, Incarnation::SelfHosted)) {
            missing.push(format!("self-hosted apiserver of {name} serving"));
        }
        for component in Component::SELF_HOSTED {
            let ready = self.pods.iter().any(|pod| {
                pod.component == component
                    && pod.node == index
                    && !pod.terminating
                    && self
                        .process_of(pod)
                        .is_some_and(|process| process.is_ready(self.now_ms))
            });
            if !ready {
                missing.push(format!("{component} of {name} ready"));
            }
        }
    }
}
