//! The world: nodes, a store, pods, leases and a load balancer, at one instant.

use std::collections::{BTreeMap, BTreeSet};

use pivot::{AssetGroup, NodeSet};
use terms::{Component, Incarnation, NodeId};

use super::node::{Node, Process};
use super::scene::{Quirk, Scene};

/// How long things take, in milliseconds: near to what was measured on a real cluster of containers.
pub(crate) mod lasts {
    pub(crate) const ETCD_START_MS: u64 = 1_500;
    pub(crate) const ETCD_ELECTION_MS: u64 = 1_200;
    pub(crate) const APISERVER_START_MS: u64 = 4_000;
    pub(crate) const CONTROLLER_START_MS: u64 = 2_000;
    /// A draining apiserver serves on until the load balancer has seen it go.
    pub(crate) const APISERVER_DRAIN_MS: u64 = 3_000;
    pub(crate) const CONTROLLER_STOP_MS: u64 = 300;
    pub(crate) const CRASH_MS: u64 = 2_000;
    /// The third wait of a crashing container.
    pub(crate) const BACK_OFF_MS: u64 = 40_000;
    pub(crate) const BOOTSTRAP_LEASE_MS: u64 = 5_000;
    pub(crate) const LEASE_MS: u64 = 15_000;
    pub(crate) const CANDIDATE_POLL_MS: u64 = 2_000;
    pub(crate) const LEASE_TOO_LONG_MS: u64 = 600_000;
    pub(crate) const RENEWAL_MS: u64 = 1_000;
    pub(crate) const NODE_FRESH_MS: u64 = 10_000;
    pub(crate) const NODE_GRACE_MS: u64 = 40_000;
    pub(crate) const CHECK_MS: u64 = 1_000;
    pub(crate) const UNSYNCED_MS: u64 = 2_000;
}

/// An apiserver by its node and who started it.
pub(crate) type Instance = (u8, Incarnation);

/// The world at one instant.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) now_ms: u64,
    pub(crate) control_planes: u8,
    pub(crate) nodes: Vec<Node>,
    pub(crate) quirks: BTreeSet<Quirk>,
    pub(crate) store: Store,
    pub(crate) load_balancer: BTreeMap<Instance, Backend>,
    pub(crate) turn: usize,
    pub(crate) applied: BTreeSet<AssetGroup>,
    pub(crate) refused_once: BTreeSet<AssetGroup>,
    pub(crate) registered: NodeSet,
    pub(crate) labelled: NodeSet,
    pub(crate) pods: Vec<Pod>,
    pub(crate) leases: BTreeMap<Component, LeaseState>,
    pub(crate) authority: u32,
    next_pid: u32,
    pub(crate) next_uid: u32,
}

/// etcd's data.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) revision: u64,
    /// Keys of the probes, each with the time of its write.
    pub(crate) keys: BTreeMap<u64, u64>,
    pub(crate) leader: Option<u8>,
    pub(crate) term: u64,
    pub(crate) leading_since_ms: u64,
}

/// A backend of the load balancer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backend {
    pub(crate) listed: bool,
    pub(crate) failures: u8,
}

/// A pod of the control plane.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    pub(crate) component: Component,
    /// The node that it is meant for.
    pub(crate) node: u8,
    pub(crate) bound: bool,
    pub(crate) uid: u32,
}

/// A lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseState {
    /// Node, incarnation and process.
    pub(crate) holder: Option<(u8, Incarnation, u32)>,
    pub(crate) renewed_ms: u64,
    pub(crate) transitions: u64,
}

impl World {
    /// The world before the installer starts: nodes are on, etcd is starting, assets are in place.
    pub fn new(scene: &Scene) -> Self {
        let count = scene.control_planes + scene.workers;
        let mut nodes = vec![
            Node {
                on: true,
                ..Node::default()
            };
            usize::from(count)
        ];
        nodes[0].assets = true;
        let locks = [Component::KubeControllerManager, Component::KubeScheduler];
        let lease = LeaseState {
            holder: None,
            renewed_ms: 0,
            transitions: 0,
        };
        Self {
            now_ms: 0,
            control_planes: scene.control_planes,
            nodes,
            quirks: scene.quirks.clone(),
            store: Store {
                revision: 100,
                term: 1,
                ..Store::default()
            },
            load_balancer: BTreeMap::new(),
            turn: 0,
            applied: BTreeSet::new(),
            refused_once: BTreeSet::new(),
            registered: NodeSet::default(),
            labelled: NodeSet::default(),
            pods: Vec::new(),
            leases: locks.into_iter().map(|lock| (lock, lease)).collect(),
            authority: 1,
            next_pid: 1_000,
            next_uid: 1,
        }
    }

    /// The virtual time in milliseconds.
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    pub(crate) fn node(&self, index: u8) -> &Node {
        &self.nodes[usize::from(index)]
    }

    pub(crate) fn node_mut(&mut self, index: u8) -> &mut Node {
        &mut self.nodes[usize::from(index)]
    }

    /// Indices of all nodes.
    pub(crate) fn indices(&self) -> std::ops::Range<u8> {
        0..u8::try_from(self.nodes.len()).expect("a scene has at most sixteen nodes")
    }

    pub(crate) fn name(&self, node: u8) -> NodeId {
        if node < self.control_planes {
            NodeId::control_plane(usize::from(node) + 1)
        } else {
            NodeId::worker(usize::from(node - self.control_planes) + 1)
        }
    }

    pub(crate) fn spawn(
        &mut self,
        node: u8,
        component: Component,
        incarnation: Option<Incarnation>,
        takes_ms: u64,
    ) {
        self.next_pid += 1;
        let process = Process {
            component,
            incarnation,
            pid: self.next_pid,
            started_ms: self.now_ms,
            ready_ms: self.now_ms + takes_ms,
            gone_ms: None,
        };
        self.node_mut(node).processes.push(process);
    }

    /// A node's processes end at once.
    pub(crate) fn power_off(&mut self, node: u8) {
        if self.has(Quirk::EtcdDoesNotSync) && self.store.leader == Some(node) {
            let horizon_ms = self.now_ms.saturating_sub(lasts::UNSYNCED_MS);
            self.store
                .keys
                .retain(|_, written_ms| *written_ms < horizon_ms);
        }
        let now_ms = self.now_ms;
        let node = self.node_mut(node);
        node.on = false;
        node.since_ms = now_ms;
        node.processes.clear();
        node.known_pods.clear();
    }

    pub(crate) fn power_on(&mut self, node: u8) {
        let now_ms = self.now_ms;
        let node = self.node_mut(node);
        if !node.on {
            node.on = true;
            node.since_ms = now_ms;
        }
    }

    /// Kills a process of the component on the node, whoever started it; says which.
    pub(crate) fn kill(&mut self, component: Component, node: u8) -> Option<u32> {
        let processes = &mut self.node_mut(node).processes;
        let index = processes
            .iter()
            .position(|process| process.component == component)?;
        Some(processes.remove(index).pid)
    }

    /// Nodes whose etcd member works.
    pub(crate) fn etcd_healthy(&self) -> NodeSet {
        let mut healthy = NodeSet::default();
        for index in 0..self.control_planes {
            let process = self.node(index).process(Component::Etcd, None);
            if process.is_some_and(|process| process.works(self.now_ms)) {
                healthy = healthy.with(index);
            }
        }
        healthy
    }

    /// etcd has a leader that commits.
    pub(crate) fn store_commits(&self) -> bool {
        self.etcd_healthy().count() > u32::from(self.control_planes) / 2
            && self.store.leader.is_some()
            && self.store.leading_since_ms + lasts::ETCD_ELECTION_MS <= self.now_ms
    }

    /// Apiservers that answer requests.
    pub(crate) fn serving(&self) -> Vec<Instance> {
        if !self.store_commits() {
            return Vec::new();
        }
        self.apiservers(Process::works)
    }

    /// Apiservers that say that they are ready.
    pub(crate) fn ready_apiservers(&self) -> Vec<Instance> {
        if !self.store_commits() {
            return Vec::new();
        }
        self.apiservers(Process::is_ready)
    }

    fn apiservers(&self, counts: impl Fn(&Process, u64) -> bool) -> Vec<Instance> {
        let mut all = Vec::new();
        for index in 0..self.control_planes {
            for process in &self.node(index).processes {
                if process.component == Component::KubeApiserver && counts(process, self.now_ms) {
                    all.extend(process.incarnation.map(|incarnation| (index, incarnation)));
                }
            }
        }
        all
    }

    /// Whether an apiserver answers through the load balancer.
    pub(crate) fn reachable(&self) -> bool {
        let serving = self.serving();
        self.load_balancer
            .iter()
            .any(|(instance, backend)| backend.listed && serving.contains(instance))
    }

    /// Whether the leader of this lock does its work.
    pub(crate) fn acts(&self, lock: Component) -> bool {
        let Some((node, incarnation, pid)) = self.leases.get(&lock).and_then(|lease| lease.holder)
        else {
            return false;
        };
        let process = self.node(node).process(lock, Some(incarnation));
        self.reachable()
            && process.is_some_and(|process| process.pid == pid && process.is_ready(self.now_ms))
    }

    /// Whether the node's lease was renewed lately.
    pub(crate) fn is_fresh(&self, node: u8, grace_ms: u64) -> bool {
        let state = self.node(node);
        self.registered.contains(node) && (state.on || self.now_ms < state.since_ms + grace_ms)
    }

    /// The pod's process, if it runs.
    pub(crate) fn process_of(&self, pod: &Pod) -> Option<&Process> {
        self.node(pod.node)
            .process(pod.component, Some(Incarnation::SelfHosted))
            .filter(|_| pod.bound)
    }
}
