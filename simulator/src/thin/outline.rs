//! What a look at the world would find, in short.

use std::hash::{Hash, Hasher};

use super::world::World;

/// Folds what it is given into one number: looks are outlined too often for a hash that withstands an attacker.
#[derive(Default)]
struct Folder(u64);

/// Without pattern: the fractional part of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Folder {
    const fn fold(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for Folder {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.fold(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.fold(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.fold(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.fold(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.fold(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.fold(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

impl World {
    /// A number that stays as long as looks at the world find the same, but for times and revisions.
    pub(crate) fn outline(&self) -> u64 {
        let mut hasher = Folder::default();
        for index in self.indices() {
            let node = self.node(index);
            (node.on, node.has_kubelet(self.now_ms), node.kubelet.pid).hash(&mut hasher);
            (node.secrets, node.stashed_secrets, node.assets).hash(&mut hasher);
            (&node.manifests, &node.stashed).hash(&mut hasher);
            (&node.kept.active, node.kept.protects).hash(&mut hasher);
            (self.is_node_ready(index), self.labelled.contains(index)).hash(&mut hasher);
            for process in &node.processes {
                let works = process.works(self.now_ms);
                (process.pid, process.started_ms, works, process.gone_ms).hash(&mut hasher);
            }
        }
        for (instance, backend) in &self.load_balancer {
            (instance, backend.listed).hash(&mut hasher);
        }
        for (lock, lease) in &self.leases {
            (lock, lease.holder, lease.transitions).hash(&mut hasher);
        }
        for pod in &self.pods {
            (pod.uid, pod.bound, pod.terminating).hash(&mut hasher);
        }
        (self.store.leader, self.store_commits(), self.authority).hash(&mut hasher);
        hasher.finish()
    }
}
