//! What a look at the world would find, in short.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::world::World;

impl World {
    /// A number that stays as long as looks at the world find the same, but for times and revisions.
    pub(crate) fn outline(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
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
