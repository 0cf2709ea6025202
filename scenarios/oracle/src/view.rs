//! The view: the latest that is known at an instant, where silence becomes unknown.

use std::collections::{BTreeMap, BTreeSet};

use terms::{Component, Incarnation, NodeId};

use crate::faults::Faults;
use crate::observation::{
    CaseClosed, CaseOpened, EtcdStatus, Lease, NodeInventory, Observation, Operation, OperationEnd,
    OperationEnded, PodStatus, Process, Request, RequestOutcome, Served, Sighting, Source, Step,
};
use crate::reference::{Latest, Reference};

/// An instance serves as long as its last acknowledgement is not older: ten samples at 5 Hz.
pub(crate) const SERVING_US: u64 = 2_000_000;
/// Probes are asked at 5 Hz and have deadlines of their own; a longer silence is the prober's.
pub(crate) const PROBE_STALE_US: u64 = 5_000_000;
/// A node's observer reports at 5 Hz.
pub(crate) const NODE_STALE_US: u64 = 3_000_000;
/// Leases, nodes and pods are read at 5 Hz, through the load balancer, which may have to fail over first.
pub(crate) const CLUSTER_STALE_US: u64 = 5_000_000;

/// The latest that is known, subject by subject.
#[derive(Clone, Debug, Default)]
pub struct View {
    now_us: u64,
    case: Option<CaseOpened>,
    closed: Option<CaseClosed>,
    faults: Faults,
    /// There are few, and looking through them costs less than searching.
    servers: Vec<(Source, Server)>,
    leases: BTreeMap<Component, LeaseSeen>,
    pods: Option<Latest<Vec<PodStatus>>>,
    etcd: BTreeMap<NodeId, Latest<EtcdStatus>>,
    inventories: BTreeMap<NodeId, Latest<NodeInventory>>,
    procedure: Procedure,
    gaps: BTreeMap<Source, u64>,
    repeats: bool,
}

/// What is known of one endpoint.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// When it last answered or was found not to.
    pub asked_us: u64,
    /// The last acknowledgement of each instance behind it; of none, where no certificate was seen.
    pub acknowledged: BTreeMap<Option<(NodeId, Incarnation)>, Reference>,
    /// The last request that was not acknowledged.
    pub failed: Option<Reference>,
    /// How many requests in a row were not acknowledged.
    pub failures: u32,
}

/// What is known of a lease.
#[derive(Clone, Debug)]
pub struct LeaseSeen {
    /// The lease as it was last read.
    pub lease: Latest<Lease>,
    /// Where it was last seen to have been renewed, or to have changed hands.
    pub renewed: Reference,
}

/// How the installer's procedure stands.
#[derive(Clone, Debug, Default)]
pub struct Procedure {
    /// When the first operation of the case's own installer began.
    pub first_started: Option<Reference>,
    /// When the latest operation of the case's own installer began.
    pub started: Option<Reference>,
    /// When it was done, for the first time.
    pub first_done: Option<Reference>,
    /// When it was done, if nothing was started since.
    pub done: Option<Reference>,
    /// How its last operation ended, if nothing was started since.
    pub ended: Option<Latest<OperationEnd>>,
    /// The running operation of another cluster's installer, or of a rival: it must be refused, and nothing of
    /// the case's own hangs on it.
    pub foreign: Option<Reference>,
    /// What was done, and how it had ended, before the latest operation began.
    before: Option<(Option<Reference>, Option<Latest<OperationEnd>>)>,
}

/// The operation that looks only: no procedure begins or ends with it.
const SNAPSHOT: &str = "snapshot";

impl View {
    /// A view in which nothing was seen yet, of a case with these faults.
    pub fn new(faults: Faults) -> Self {
        Self {
            faults,
            ..Self::default()
        }
    }

    /// Adds a fault or a heal that lies ahead; only a live view learns of them one by one.
    pub(crate) fn foresee(&mut self, seen: &Observation) {
        self.faults.add(seen);
    }

    /// Takes in the next observation, in the order of judging.
    pub fn observe(&mut self, seen: &Observation) {
        self.now_us = self.now_us.max(seen.end_us);
        self.repeats = false;
        match &seen.saw {
            Sighting::CaseOpened(case) => self.case = Some(case.clone()),
            Sighting::CaseClosed(closed) => self.closed = Some(closed.clone()),
            Sighting::Request(request) => self.request(seen, request),
            Sighting::Lease(lease) => self.read_lease(seen, lease),
            Sighting::Pods(pods) => match &mut self.pods {
                Some(latest) => self.repeats = latest.again(pods, seen),
                None => self.pods = Some(Latest::new(pods.clone(), seen)),
            },
            Sighting::Etcd(Some(status)) => {
                if let Source::EtcdMember(node) = &seen.source {
                    Latest::renew(&mut self.etcd, node, status, seen);
                }
            }
            Sighting::NodeInventory(inventory) => {
                if let Source::Node(node) = &seen.source {
                    self.repeats = Latest::renew(&mut self.inventories, node, inventory, seen);
                }
            }
            Sighting::Step(step) => self.step(seen, step),
            Sighting::OperationStarted(operation) => self.procedure.start(seen, operation),
            Sighting::OperationEnded(ended) => self.procedure.end(seen, ended),
            Sighting::Gap(_) => {
                self.gaps.insert(seen.source.clone(), seen.end_us);
            }
            _ => {}
        }
    }

    fn request(&mut self, seen: &Observation, request: &Request) {
        let known = self.servers.iter().position(|(of, _)| *of == seen.source);
        let place = known.unwrap_or_else(|| {
            self.servers.push((seen.source.clone(), Server::default()));
            self.servers.len() - 1
        });
        let server = &mut self.servers[place].1;
        server.asked_us = server.asked_us.max(seen.end_us);
        if matches!(request.outcome, RequestOutcome::Acknowledged { .. }) {
            server.acknowledge(request, seen);
            server.failures = 0;
        } else {
            server.failures += 1;
            match &mut server.failed {
                Some(failed) => failed.move_to(seen),
                None => server.failed = Some(Reference::to(seen)),
            }
        }
    }

    fn read_lease(&mut self, seen: &Observation, lease: &Lease) {
        let Some(before) = self.leases.get_mut(&lease.lock) else {
            let first = LeaseSeen {
                lease: Latest::new(lease.clone(), seen),
                renewed: Reference::to(seen),
            };
            self.leases.insert(lease.lock, first);
            return;
        };
        let value = &before.lease.value;
        if value.renewed != lease.renewed || value.holder != lease.holder {
            before.renewed.move_to(seen);
        }
        before.lease.again(lease, seen);
    }

    fn step(&mut self, seen: &Observation, step: &Step) {
        let Some(case) = &self.case else { return };
        if case.is_done(step) {
            self.procedure.be_done(seen);
        }
    }
}

impl Server {
    fn acknowledge(&mut self, request: &Request, seen: &Observation) {
        let is_by = |known: &Option<(NodeId, Incarnation)>| match (known, &request.served_by) {
            (Some((node, incarnation)), Some(by)) => {
                *incarnation == by.incarnation && *node == by.node
            }
            (known, by) => known.is_none() && by.is_none(),
        };
        let mut all = self.acknowledged.iter_mut();
        if let Some((_, last)) = all.find(|(known, _)| is_by(known)) {
            last.move_to(seen);
            return;
        }
        let of = |by: &Served| (by.node.clone(), by.incarnation);
        let by = request.served_by.as_ref().map(of);
        self.acknowledged.insert(by, Reference::to(seen));
    }
}

impl Procedure {
    fn start(&mut self, seen: &Observation, operation: &Operation) {
        if operation.operation == SNAPSHOT {
            return;
        }
        if operation.foreign || operation.rival {
            self.foreign = Some(Reference::to(seen));
            return;
        }
        self.first_started
            .get_or_insert_with(|| Reference::to(seen));
        self.before = Some((self.done.take(), self.ended.take()));
        self.started = Some(Reference::to(seen));
    }

    fn end(&mut self, seen: &Observation, ended: &OperationEnded) {
        if ended.operation == SNAPSHOT || self.foreign.take().is_some() {
            return;
        }
        let end = ended.end;
        // What was refused has changed nothing: what was done before is done still.
        if end == OperationEnd::Refused
            && let Some((Some(done), ended)) = self.before.take()
        {
            self.done = Some(done);
            self.ended = ended;
            return;
        }
        if end == OperationEnd::Done {
            self.be_done(seen);
        }
        self.ended = Some(Latest::new(end, seen));
    }

    fn be_done(&mut self, seen: &Observation) {
        self.first_done.get_or_insert_with(|| Reference::to(seen));
        self.done.get_or_insert_with(|| Reference::to(seen));
    }
}

// === what invariants ask ===

impl View {
    /// The instant of the view, in microseconds of the case.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// Whether the last observation was an inventory, or a reading of the pods, that said the same as the one
    /// before it: what follows from it alone, and not from its time, has been drawn already.
    pub(crate) fn repeats(&self) -> bool {
        self.repeats
    }

    /// What the case is; nothing before its first line.
    pub fn case(&self) -> Option<&CaseOpened> {
        self.case.as_ref()
    }

    /// The last line; nothing as long as the case runs, or when it was cut off.
    pub fn closed(&self) -> Option<&CaseClosed> {
        self.closed.as_ref()
    }

    /// Every fault of the case, later ones too.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// How the installer's procedure stands.
    pub fn procedure(&self) -> &Procedure {
        &self.procedure
    }

    /// The budget of this name in microseconds; nothing when it is not judged.
    pub fn budget_us(&self, name: &str) -> Option<u64> {
        self.case
            .as_ref()?
            .budgets
            .get(name)
            .map(|budget| budget.to_micros())
    }

    /// The control-plane nodes of the case.
    pub fn control_plane(&self) -> Vec<&NodeId> {
        let nodes = self.case.iter().flat_map(|case| &case.nodes);
        nodes.filter(|node| node.is_control_plane()).collect()
    }

    /// Control-plane nodes that belong to the cluster: one that lost its disk is an empty machine, until
    /// manifests lie on it again.
    pub fn equipped_control_plane(&self) -> Vec<&NodeId> {
        let is_equipped = |node: &NodeId| {
            let Some(lost_us) = self.faults.disk_lost_us(node, self.now_us) else {
                return true;
            };
            self.inventory(node).is_some_and(|latest| {
                latest.from.start_us > lost_us && !latest.value.manifests.is_empty()
            })
        };
        let mut nodes = self.control_plane();
        nodes.retain(|node| is_equipped(node));
        nodes
    }

    /// Control-plane nodes that have power now.
    pub fn living_control_plane(&self) -> Vec<&NodeId> {
        let mut nodes = self.control_plane();
        nodes.retain(|node| !self.faults.is_off(node, self.now_us));
        nodes
    }

    /// What is known of an endpoint.
    pub fn server(&self, source: &Source) -> Option<&Server> {
        let mut servers = self.servers.iter();
        let found = servers.find(|(of, _)| of == source);
        found.map(|(_, server)| server)
    }

    /// Apiservers that serve, by node and incarnation, as their own endpoints say.
    pub fn serving(&self) -> BTreeSet<(NodeId, Option<Incarnation>)> {
        let mut serving = BTreeSet::new();
        for (source, server) in &self.servers {
            let (Source::Apiserver(node) | Source::BootstrapApiserver(node)) = source else {
                continue;
            };
            for (by, last) in &server.acknowledged {
                if self.now_us.saturating_sub(last.end_us) <= SERVING_US {
                    serving.insert((
                        node.clone(),
                        by.as_ref().map(|(_, incarnation)| *incarnation),
                    ));
                }
            }
        }
        serving
    }

    /// Whether no control-plane node has power.
    pub fn all_are_off(&self) -> bool {
        let mut nodes = self.case.iter().flat_map(|case| &case.nodes);
        nodes.all(|node| !node.is_control_plane() || self.faults.is_off(node, self.now_us))
    }

    /// Whether an endpoint was asked recently; otherwise nothing is known of it.
    pub fn is_asked(&self, source: &Source) -> bool {
        let gap_us = self.gaps.get(source).copied().unwrap_or(0);
        self.server(source).is_some_and(|server| {
            server.asked_us > gap_us
                && self.now_us.saturating_sub(server.asked_us) <= PROBE_STALE_US
        })
    }

    /// The lease of a lock, as last read, however old.
    pub fn lease(&self, lock: Component) -> Option<&LeaseSeen> {
        self.leases.get(&lock)
    }

    /// The control-plane pods, as last read, however old.
    pub fn pods(&self) -> Option<&Latest<Vec<PodStatus>>> {
        self.pods.as_ref()
    }

    /// What each etcd member last said of itself, however old.
    pub fn etcd(&self) -> &BTreeMap<NodeId, Latest<EtcdStatus>> {
        &self.etcd
    }

    /// A node's inventory as it last was, however old: for what is on its disk.
    pub fn last_inventory(&self, node: &NodeId) -> Option<&Latest<NodeInventory>> {
        self.inventories.get(node)
    }

    /// A node's inventory; unknown after silence, while the node is off, and until it was seen after that.
    pub fn inventory(&self, node: &NodeId) -> Option<&Latest<NodeInventory>> {
        if self.faults.is_off(node, self.now_us) {
            return None;
        }
        let latest = self.inventories.get(node)?;
        let back_us = self.faults.power_back_us(node, self.now_us).unwrap_or(0);
        latest.fresh(self.now_us, NODE_STALE_US)?;
        let gap_us = self
            .gaps
            .get(&Source::Node(node.clone()))
            .copied()
            .unwrap_or(0);
        (latest.from.start_us >= back_us.max(gap_us)).then_some(latest)
    }

    /// A node's processes of a component, as last seen, however old.
    pub fn last_processes(
        &self,
        node: &NodeId,
        component: Component,
    ) -> impl Iterator<Item = &Process> {
        let processes = self
            .inventories
            .get(node)
            .map(|latest| latest.value.processes.as_slice());
        processes
            .unwrap_or_default()
            .iter()
            .filter(move |process| process.component == component)
    }

    /// How the procedure stands in the end: the runner's word, or what the steps say.
    pub fn end(&self) -> &str {
        match &self.closed {
            Some(closed) => &closed.end,
            None if self.procedure.done.is_some() => "done",
            None => "open",
        }
    }
}
