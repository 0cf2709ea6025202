//! The world: nodes, a store, pods, leases and a load balancer, at one instant.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use pivot::checkpoint::AgentPlan;
use pivot::{AssetGroup, NodeSet};
use terms::{Component, Incarnation, NodeId};

use super::agent::Agents;
use super::node::{Kubelet, Lost, Node, Process};
use super::quiet::Quiet;
use super::scene::{Quirk, Scene};
use crate::timers::{Durations, Timer, Timers};

/// An apiserver by its node and who started it.
pub(crate) type Instance = (u8, Incarnation);

/// A kubelet calls its node not ready when the runtime has not answered for this time (kubelet: `maxWaitForContainerRuntime`).
const RUNTIME_SILENT_MS: u64 = 30_000;

/// Who starts apiservers here.
const INCARNATIONS: [Incarnation; 3] = Incarnation::ALL;

/// The world at one instant.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) now_ms: u64,
    pub(crate) control_planes: u8,
    pub(crate) nodes: Vec<Node>,
    /// The nodes' names.
    names: Vec<NodeId>,
    pub(crate) quirks: BTreeSet<Quirk>,
    pub(crate) store: Store,
    pub(crate) load_balancer: BTreeMap<Instance, Backend>,
    pub(crate) turn: usize,
    pub(crate) applied: BTreeSet<AssetGroup>,
    pub(crate) refused_once: BTreeSet<AssetGroup>,
    pub(crate) registered: NodeSet,
    pub(crate) labelled: NodeSet,
    pub(crate) pods: Vec<Pod>,
    /// Nodes to which a pod of the checkpoint agent is bound.
    pub(crate) agent_pods: NodeSet,
    pub(crate) agents: Agents,
    pub(crate) leases: BTreeMap<Component, LeaseState>,
    pub(crate) authority: u32,
    pub(crate) durations: Durations,
    next_pid: u32,
    pub(crate) next_uid: u32,
    /// Nodes of which it is known that nothing happens on them.
    pub(super) quiet: Vec<Option<Quiet>>,
    /// Counts what may change whether the API can be reached: nodes, the store's leader, the load balancer.
    pub(super) changes: u64,
    /// Where that count was when a node changed last.
    changed: Vec<u64>,
    /// The last answer to whether it can: at which time, after how many changes.
    reached: Cell<Option<(u64, u64, bool)>>,
}

/// What a world is made of.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) control_planes: u8,
    pub(crate) workers: u8,
    pub(crate) quirks: BTreeSet<Quirk>,
    pub(crate) durations: Durations,
    /// What the checkpoint agents follow, if the installer brings any.
    pub(crate) agent: Option<AgentPlan>,
}

/// etcd's data.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) revision: u64,
    /// Keys of the probes, each with the time of its write.
    pub(crate) keys: BTreeMap<u64, u64>,
    /// When the last of them was acknowledged.
    pub(crate) last_write_ms: Option<u64>,
    pub(crate) leader: Option<u8>,
    pub(crate) term: u64,
    /// From when on the leader commits.
    pub(crate) commits_ms: u64,
}

/// A backend of the load balancer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backend {
    pub(crate) listed: bool,
    pub(crate) failures: u8,
}

/// A pod of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) component: Component,
    /// The node that it is meant for.
    pub(crate) node: u8,
    pub(crate) bound: bool,
    pub(crate) uid: u32,
    /// Its deletion was asked for.
    pub(crate) terminating: bool,
}

/// A lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeaseState {
    /// Node, incarnation and process.
    pub(crate) holder: Option<(u8, Incarnation, u32)>,
    pub(crate) renewed_ms: u64,
    pub(crate) transitions: u64,
    /// How long after the last renewal somebody else has taken it.
    pub(crate) taken_after_ms: u64,
}

impl World {
    /// The world before the installer starts: nodes are on, etcd is starting, assets are in place.
    pub fn new(scene: &Scene) -> Self {
        Self::made(Made {
            control_planes: scene.control_planes,
            workers: scene.workers,
            quirks: scene.quirks.clone(),
            durations: Durations::usual(Timers::measured()),
            agent: scene.agent.clone(),
        })
    }

    pub(crate) fn made(made: Made) -> Self {
        let Made {
            control_planes,
            workers,
            quirks,
            durations,
            agent,
        } = made;
        let kubelet = Kubelet {
            pid: 200,
            started_ms: 0,
        };
        let mut nodes = vec![
            Node {
                on: true,
                kubelet,
                ..Node::default()
            };
            usize::from(control_planes + workers)
        ];
        nodes[0].assets = true;
        let names = (1..=usize::from(control_planes))
            .map(NodeId::control_plane)
            .chain((1..=usize::from(workers)).map(NodeId::worker));
        let locks = [Component::KubeControllerManager, Component::KubeScheduler];
        let lease = LeaseState {
            holder: None,
            renewed_ms: 0,
            transitions: 0,
            taken_after_ms: 0,
        };
        Self {
            now_ms: 0,
            control_planes,
            nodes,
            names: names.collect(),
            quirks,
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
            agent_pods: NodeSet::default(),
            agents: Agents::new(agent, control_planes),
            leases: locks.into_iter().map(|lock| (lock, lease)).collect(),
            authority: 1,
            durations,
            next_pid: 1_000,
            next_uid: 1,
            quiet: vec![None; usize::from(control_planes + workers)],
            changes: 0,
            changed: vec![0; usize::from(control_planes + workers)],
            reached: Cell::new(None),
        }
    }

    /// The virtual time in milliseconds.
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The template of a component's DaemonSet: nothing rolls out here.
    #[expect(clippy::unused_self, reason = "a rollout will make it the world's")]
    pub(crate) const fn template(&self, _component: Component) -> u32 {
        1
    }

    /// Whether a pod of the agent is bound to the node.
    pub(crate) const fn has_agent_pod(&self, node: u8) -> bool {
        self.agent_pods.contains(node)
    }

    /// How long something takes this entity this time, in milliseconds.
    pub(crate) fn lasts_ms(&mut self, timer: Timer, entity: u64) -> u64 {
        self.durations.next_ms(timer, entity)
    }

    pub(crate) fn is_on(&self, node: u8) -> bool {
        self.node(node).on
    }

    pub(crate) fn is_up(&self, node: u8) -> bool {
        self.node(node).is_up(self.now_ms)
    }

    /// The installer's unit is to start with its node.
    pub(crate) fn enable_unit(&mut self, node: u8) {
        self.node_mut(node).unit = true;
    }

    /// The installer's unit does not start with its node any more.
    pub(crate) fn disable_unit(&mut self, node: u8) {
        self.node_mut(node).unit = false;
    }

    pub(crate) fn has_unit(&self, node: u8) -> bool {
        self.node(node).unit
    }

    /// Whether a write was ever acknowledged.
    pub(crate) const fn has_written(&self) -> bool {
        self.store.last_write_ms.is_some()
    }

    /// The node of etcd's leader, once it commits.
    pub(crate) fn etcd_leader(&self) -> Option<NodeId> {
        let leader = self.store.leader.filter(|_| self.store_commits())?;
        Some(self.name(leader))
    }

    /// The nodes of those who hold a lease.
    pub(crate) fn holders(&self) -> BTreeMap<Component, Option<NodeId>> {
        let holder = |lease: &LeaseState| lease.holder.map(|(node, ..)| self.name(node));
        let leases = self.leases.iter();
        leases.map(|(lock, lease)| (*lock, holder(lease))).collect()
    }

    /// Index of a node by its name.
    pub(crate) fn index(&self, name: &NodeId) -> Option<u8> {
        self.indices().find(|index| self.name(*index) == *name)
    }

    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    pub(crate) fn node(&self, index: u8) -> &Node {
        &self.nodes[usize::from(index)]
    }

    /// The node, for whoever changes it.
    pub(crate) fn node_mut(&mut self, index: u8) -> &mut Node {
        self.quiet[usize::from(index)] = None;
        self.changes += 1;
        self.changed[usize::from(index)] = self.changes;
        &mut self.nodes[usize::from(index)]
    }

    /// A number that is another one whenever the node may have changed.
    pub(super) fn changes_of(&self, index: u8) -> u64 {
        self.changed[usize::from(index)]
    }

    /// Indices of all nodes.
    pub(crate) fn indices(&self) -> std::ops::Range<u8> {
        0..u8::try_from(self.nodes.len()).expect("a scene has at most sixteen nodes")
    }

    /// Number of a process's place, for what is drawn for it.
    pub(crate) fn place(node: u8, component: Component, incarnation: Option<Incarnation>) -> u64 {
        let incarnation = incarnation.map_or(0, |incarnation| incarnation as u64 + 1);
        (u64::from(node) << 16) | ((component as u64) << 8) | incarnation
    }

    pub(crate) fn name(&self, node: u8) -> NodeId {
        self.names[usize::from(node)].clone()
    }

    pub(crate) fn next_pid(&mut self) -> u32 {
        self.next_pid += 1;
        self.next_pid
    }

    /// Starts a process that is ready after this time; none for one that waits for something.
    pub(crate) fn spawn(
        &mut self,
        node: u8,
        component: Component,
        incarnation: Option<Incarnation>,
        takes_ms: Option<u64>,
    ) {
        let process = Process {
            component,
            incarnation,
            pid: self.next_pid(),
            started_ms: self.now_ms,
            ready_ms: takes_ms.map_or(u64::MAX, |takes_ms| self.now_ms + takes_ms),
            gone_ms: None,
        };
        self.node_mut(node).processes.push(process);
    }

    /// Whether the node's etcd member works.
    fn is_etcd_healthy(&self, index: u8) -> bool {
        let process = self.node(index).process(Component::Etcd, None);
        process.is_some_and(|process| process.works(self.now_ms))
    }

    /// Nodes whose etcd member works.
    pub(crate) fn etcd_healthy(&self) -> NodeSet {
        let healthy = (0..self.control_planes).filter(|index| self.is_etcd_healthy(*index));
        healthy.fold(NodeSet::default(), NodeSet::with)
    }

    /// etcd has a leader that commits.
    pub(crate) fn store_commits(&self) -> bool {
        self.store.leader.is_some()
            && self.store.commits_ms <= self.now_ms
            && self.etcd_healthy().count() > u32::from(self.control_planes) / 2
    }

    /// Whether this apiserver answers requests.
    pub(crate) fn serves(&self, instance: Instance) -> bool {
        self.is_apiserver(instance, Process::works) && self.store_commits()
    }

    /// Whether this apiserver says that it is ready.
    pub(crate) fn says_ready(&self, instance: Instance) -> bool {
        self.is_apiserver(instance, Process::is_ready) && self.store_commits()
    }

    /// An apiserver asks the etcd member of its own node.
    fn is_apiserver(&self, instance: Instance, counts: impl Fn(&Process, u64) -> bool) -> bool {
        let (index, incarnation) = instance;
        let node = self.node(index);
        let runs = node.processes.iter().any(|process| {
            process.component == Component::KubeApiserver
                && process.incarnation == Some(incarnation)
                && counts(process, self.now_ms)
        });
        runs && self.is_etcd_healthy(index)
    }

    /// Apiservers that say that they are ready.
    pub(crate) fn ready_apiservers(&self) -> impl Iterator<Item = Instance> + '_ {
        (0..self.control_planes)
            .flat_map(|index| INCARNATIONS.map(|incarnation| (index, incarnation)))
            .filter(|instance| self.says_ready(*instance))
    }

    /// Apiservers whose process runs, ready or not.
    pub(crate) fn running_apiservers(&self) -> impl Iterator<Item = Instance> + '_ {
        (0..self.control_planes)
            .flat_map(|index| INCARNATIONS.map(|incarnation| (index, incarnation)))
            .filter(|(index, incarnation)| {
                let node = self.node(*index);
                node.process(Component::KubeApiserver, Some(*incarnation))
                    .is_some()
            })
    }

    /// Whether an apiserver answers through the load balancer. Everybody asks at every instant, so the
    /// answer is kept as long as nothing changes.
    pub(crate) fn reachable(&self) -> bool {
        let now = (self.now_ms, self.changes);
        if let Some((now_ms, changes, answer)) = self.reached.get()
            && (now_ms, changes) == now
        {
            return answer;
        }
        let answer = self.reaches();
        self.reached.set(Some((now.0, now.1, answer)));
        answer
    }

    fn reaches(&self) -> bool {
        let works = |instance| self.is_apiserver(instance, Process::works);
        let mut backends = self.load_balancer.iter();
        backends.any(|(instance, backend)| backend.listed && works(*instance))
            && self.store_commits()
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

    /// Whether the installer takes the node's lease as renewed lately.
    pub(crate) fn is_fresh(&self, node: u8) -> bool {
        self.is_heard_of(node, |lost| lost.fresh_until_ms)
    }

    /// Whether the node is Ready, as the API says. Its kubelet says that it is not once the runtime has
    /// been silent for a while.
    pub(crate) fn is_node_ready(&self, node: u8) -> bool {
        let stopped_ms = self.node(node).runtime_stopped_ms;
        let silent = stopped_ms.is_some_and(|since_ms| self.now_ms >= since_ms + RUNTIME_SILENT_MS);
        !silent && self.is_heard_of(node, |lost| lost.ready_until_ms)
    }

    fn is_heard_of(&self, node: u8, until_ms: impl Fn(&Lost) -> u64) -> bool {
        let state = self.node(node);
        let remembered = || {
            state
                .lost
                .as_ref()
                .is_some_and(|lost| self.now_ms < until_ms(lost))
        };
        let speaks = state.is_up(self.now_ms) && !state.kubelet_stopped;
        self.registered.contains(node) && (speaks || remembered())
    }

    /// The pod's process, if it runs.
    pub(crate) fn process_of(&self, pod: &Pod) -> Option<&Process> {
        self.node(pod.node)
            .process(pod.component, Some(Incarnation::SelfHosted))
            .filter(|_| pod.bound)
    }
}
