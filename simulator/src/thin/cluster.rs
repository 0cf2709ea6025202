//! What the cluster does by itself while time passes.

use pivot::{AssetGroup, ComponentSet, NodeSet};
use terms::{Component, Incarnation};

use super::node::Process;
use super::scene::{CRASH_MS, LEASE_TOO_LONG_MS, PORT_BACK_OFF_MS, Quirk};
use super::world::{Instance, LeaseState, Pod, World};
use crate::timers::Timer;

/// How far one tick of the clock goes, in milliseconds.
pub(crate) const TICK_MS: u64 = 100;

impl World {
    /// Lets one tick of time pass.
    pub(crate) fn tick(&mut self) {
        self.now_ms += TICK_MS;
        self.tick_store();
        for index in self.indices() {
            if self.is_quiet(index) {
                continue;
            }
            let before = self.node(index).clone();
            self.tick_node(index);
            if *self.node(index) == before {
                self.be_quiet(index);
            }
        }
        let check_ms = self.durations.usual_ms(Timer::LoadBalancerCheck);
        if self.now_ms.is_multiple_of(check_ms) {
            self.tick_load_balancer();
        }
        for lock in [Component::KubeControllerManager, Component::KubeScheduler] {
            self.tick_lease(lock);
        }
        self.tick_controllers();
        self.drive_agents();
    }

    /// The world turns peculiar, and shows it at once.
    pub(crate) fn turn_peculiar(&mut self, quirk: Quirk) {
        self.quirks.insert(quirk);
        for index in self.indices() {
            self.tick_pods(index);
        }
    }

    fn tick_node(&mut self, index: u8) {
        let now_ms = self.now_ms;
        self.node_mut(index)
            .processes
            .retain(|process| process.gone_ms.is_none_or(|gone_ms| now_ms < gone_ms));
        if self.node(index).has_kubelet(now_ms) || self.has(Quirk::KubeletsNeedNoPower) {
            self.tick_kubelet(index);
        }
    }

    fn tick_store(&mut self) {
        let healthy = self.etcd_healthy();
        if self
            .store
            .leader
            .is_some_and(|leader| healthy.contains(leader))
        {
            return;
        }
        let candidates: Vec<u8> = (0..self.control_planes)
            .filter(|index| healthy.contains(*index))
            .collect();
        if candidates.len() <= usize::from(self.control_planes) / 2 {
            self.store.leader = None;
            self.changes += 1;
            return;
        }
        let chosen = self.durations.choose("etcd leader", candidates.len());
        self.store.leader = Some(candidates[chosen]);
        self.store.term += 1;
        self.store.commits_ms = self.now_ms + self.durations.next_ms(Timer::EtcdElection, 0);
        self.changes += 1;
    }

    fn tick_kubelet(&mut self, index: u8) {
        if self.node(index).runtime_stopped_ms.is_some() {
            // Without a runtime containers neither start nor end, whatever the kubelet knows.
            return;
        }
        if index < self.control_planes
            && self.node(index).process(Component::Etcd, None).is_none()
            && self.may_start(index, Component::Etcd, None)
        {
            self.start(index, Component::Etcd, None);
        }
        self.tick_static_pods(index);
        self.tick_copies(index);
        if self.reachable() {
            self.registered = self.registered.with(index);
            self.end_deleted_pods(index);
            let known = |pod: &&Pod| pod.bound && !pod.terminating && pod.node == index;
            let bound = self.pods.iter().filter(known);
            let known = bound.fold(0, |set, pod| set | ComponentSet::bit(pod.component));
            let agent = self.has_agent_pod(index);
            let node = self.node_mut(index);
            node.known_pods = ComponentSet(known);
            node.knows_agent = agent;
        }
        self.tick_pods(index);
        self.tick_agent(index);
    }

    /// Ends the processes of pods that are to be deleted; a pod whose process is gone is removed.
    fn end_deleted_pods(&mut self, index: u8) {
        let deleted = |pod: &&Pod| pod.terminating && pod.node == index;
        let deleted: Vec<(Component, u32)> = self
            .pods
            .iter()
            .filter(deleted)
            .map(|pod| (pod.component, pod.uid))
            .collect();
        for (component, uid) in deleted {
            let by = Some(Incarnation::SelfHosted);
            match self.node(index).process(component, by) {
                None => {
                    self.pods.retain(|pod| pod.uid != uid);
                    // The next pod's containers are others.
                    self.node_mut(index).back_offs.remove(&(component, by));
                    self.store.revision += 1;
                }
                Some(process) if process.gone_ms.is_none() => {
                    self.stop(index, component, Incarnation::SelfHosted);
                }
                Some(_) => {}
            }
        }
    }

    fn tick_static_pods(&mut self, index: u8) {
        for component in Component::SELF_HOSTED {
            let by = Some(Incarnation::Bootstrap);
            let node = self.node(index);
            let wanted = node.manifests.contains(&component);
            // Without its secrets a container cannot start.
            let startable = wanted && node.secrets;
            match node.process(component, by) {
                None if startable && self.may_start(index, component, by) => {
                    self.start(index, component, by);
                }
                Some(process) if !wanted && process.gone_ms.is_none() => {
                    self.stop(index, component, Incarnation::Bootstrap);
                }
                _ => {}
            }
        }
    }

    /// Copies from checkpoints are static pods too.
    fn tick_copies(&mut self, index: u8) {
        let by = Some(Incarnation::Checkpoint);
        for component in Component::SELF_HOSTED {
            let node = self.node(index);
            let wanted = node.kept.active.contains(&component);
            match node.process(component, by) {
                None if node.kept.can_start(component) && self.may_start(index, component, by) => {
                    self.start(index, component, by);
                }
                Some(process) if !wanted && process.gone_ms.is_none() => {
                    self.stop(index, component, Incarnation::Checkpoint);
                }
                _ => {}
            }
        }
    }

    /// The agent's pod, and the static copy of it that waits for its lock.
    fn tick_agent(&mut self, index: u8) {
        let component = Component::CheckpointAgent;
        for (by, wanted) in [
            (Incarnation::SelfHosted, self.node(index).knows_agent),
            (Incarnation::Checkpoint, self.node(index).kept.protects),
        ] {
            let startable = wanted && self.may_start(index, component, Some(by));
            match self.node(index).process(component, Some(by)) {
                None if startable => self.start(index, component, Some(by)),
                Some(process)
                    if !wanted && by == Incarnation::Checkpoint && process.gone_ms.is_none() =>
                {
                    self.stop(index, component, by);
                }
                _ => {}
            }
        }
    }

    fn start(&mut self, index: u8, component: Component, by: Option<Incarnation>) {
        let takes_ms = self.start_ms(component, index, by);
        self.spawn(index, component, by, Some(takes_ms));
    }

    /// Asks a process to end.
    fn stop(&mut self, index: u8, component: Component, by: Incarnation) {
        let gone_ms = self.now_ms + self.stop_ms(component, index, Some(by));
        let processes = self.node_mut(index).processes.iter_mut();
        processes
            .filter(|process| process.component == component && process.incarnation == Some(by))
            .for_each(|process| process.gone_ms = Some(gone_ms));
    }

    fn tick_pods(&mut self, index: u8) {
        let known = self.node(index).known_pods;
        for component in Component::SELF_HOSTED {
            let running = self
                .node(index)
                .process(component, Some(Incarnation::SelfHosted))
                .cloned();
            match running {
                None if known.contains(component)
                    && self.may_start(index, component, Some(Incarnation::SelfHosted)) =>
                {
                    self.start_pod(index, component);
                }
                Some(process) if component == Component::KubeApiserver => {
                    self.mind_apiserver(index, &process);
                }
                _ => {}
            }
        }
    }

    fn start_pod(&mut self, index: u8, component: Component) {
        // A pod without owner is a process that nobody starts again.
        let lost = self.has(Quirk::PodsWithoutOwner)
            && self
                .pods
                .iter()
                .any(|pod| pod.component == component && pod.node == index && pod.uid == 0);
        if lost {
            return;
        }
        let port_taken = component == Component::KubeApiserver
            && self.has(Quirk::OneApiserverPort)
            && self
                .node(index)
                .process(component, Some(Incarnation::Bootstrap))
                .is_some();
        let by = Some(Incarnation::SelfHosted);
        if port_taken {
            self.spawn(index, component, by, None);
        } else {
            self.start(index, component, by);
        }
        if self.has(Quirk::PodsWithoutOwner) {
            for pod in &mut self.pods {
                if pod.component == component && pod.node == index {
                    pod.uid = 0;
                }
            }
        }
    }

    /// Crashes, and what waits for a port.
    fn mind_apiserver(&mut self, index: u8, process: &Process) {
        let crashes = self.has(Quirk::ApiserversCrash)
            || self.has(Quirk::OneApiserverServes) && index + 1 != self.control_planes;
        let waits = process.ready_ms == u64::MAX;
        let port_free = self
            .node(index)
            .process(Component::KubeApiserver, Some(Incarnation::Bootstrap))
            .is_none();
        let now_ms = self.now_ms;
        let restarts = crashes && process.started_ms + CRASH_MS <= now_ms;
        let start_ms = if restarts {
            self.start_ms(process.component, index, process.incarnation)
        } else {
            0
        };
        let own = self
            .node_mut(index)
            .processes
            .iter_mut()
            .find(|other| other.pid == process.pid);
        let Some(own) = own else { return };
        if restarts {
            own.started_ms = now_ms;
            own.ready_ms = now_ms + start_ms;
        } else if waits && port_free {
            // The kubelet's back-off is what is left of history's hand-over.
            own.ready_ms = now_ms + PORT_BACK_OFF_MS;
        }
    }

    fn tick_load_balancer(&mut self) {
        let ready: Vec<Instance> = if self.has(Quirk::LoadBalancerListsTheUnready) {
            self.running_apiservers().collect()
        } else {
            self.ready_apiservers().collect()
        };
        let one = self.has(Quirk::LoadBalancerKnowsOneNode);
        let misses = self.has(Quirk::LoadBalancerMissesSelfHosted);
        let known = |(node, incarnation): &&Instance| {
            (!one || *node == 0) && !(misses && *incarnation == Incarnation::SelfHosted)
        };
        for instance in ready.iter().filter(known) {
            self.load_balancer.entry(*instance).or_default();
        }
        self.changes += 1;
        for (instance, backend) in &mut self.load_balancer {
            if ready.contains(instance) {
                backend.failures = 0;
                backend.listed = true;
            } else {
                backend.failures = backend.failures.saturating_add(1);
                backend.listed &= backend.failures < 2;
            }
        }
    }

    fn tick_lease(&mut self, lock: Component) {
        if !self.reachable() {
            return;
        }
        let lease = self.leases[&lock];
        let running = |(node, incarnation, pid): (u8, Incarnation, u32)| {
            let process = self.node(node).process(lock, Some(incarnation));
            process.is_some_and(|process| process.pid == pid && process.works(self.now_ms))
        };
        let early = self.has(Quirk::LeasesAreTakenEarly);
        if !early && lease.holder.is_some_and(running) {
            if self.now_ms >= lease.renewed_ms + self.durations.usual_ms(Timer::LeaseRenewal) {
                let renewed_ms = self.now_ms;
                self.leases.insert(
                    lock,
                    LeaseState {
                        renewed_ms,
                        ..lease
                    },
                );
                self.store.revision += 1;
            }
            return;
        }
        let is_held = self.now_ms < lease.renewed_ms + lease.taken_after_ms;
        if !early && is_held && lease.holder.is_some() {
            return;
        }
        if let Some(holder) = self.candidate(lock) {
            let taken = LeaseState {
                holder: Some(holder),
                renewed_ms: self.now_ms,
                transitions: lease.transitions + 1,
                taken_after_ms: self.taken_after_ms(lock, holder.1),
            };
            self.leases.insert(lock, taken);
            self.store.revision += 1;
        }
    }

    /// How long after its last renewal a lease of this holder is somebody else's.
    fn taken_after_ms(&mut self, lock: Component, holder: Incarnation) -> u64 {
        let term_ms = match holder {
            _ if self.has(Quirk::LeasesLastTooLong) => return LEASE_TOO_LONG_MS,
            Incarnation::Bootstrap => self.durations.usual_ms(Timer::BootstrapLease),
            _ => self.durations.usual_ms(Timer::Lease),
        };
        term_ms + self.durations.next_ms(Timer::LeaseTaken, lock as u64)
    }

    fn candidate(&mut self, lock: Component) -> Option<(u8, Incarnation, u32)> {
        for incarnation in Incarnation::ALL {
            if incarnation == Incarnation::SelfHosted && self.has(Quirk::ControllersNeverLead) {
                continue;
            }
            let ready = |index: u8| {
                let process = self.node(index).process(lock, Some(incarnation))?;
                let ready = process.is_ready(self.now_ms);
                ready.then_some((index, incarnation, process.pid))
            };
            let ready: Vec<_> = self.indices().filter_map(ready).collect();
            if !ready.is_empty() {
                return Some(ready[self.durations.choose(lock.name(), ready.len())]);
            }
        }
        None
    }

    /// The DaemonSet controller makes pods, the scheduler binds them.
    fn tick_controllers(&mut self) {
        let applied =
            self.applied.contains(&AssetGroup::ControlPlane) || self.has(Quirk::PodsNeedNoAssets);
        if applied && self.acts(Component::KubeControllerManager) {
            for component in Component::SELF_HOSTED {
                let own = self.pods.iter().filter(|pod| pod.component == component);
                let made = own.fold(NodeSet::default(), |set, pod| set.with(pod.node));
                for node in (0..self.control_planes).filter(|node| self.labelled.contains(*node)) {
                    if !made.contains(node) {
                        self.pods.push(Pod {
                            component,
                            node,
                            bound: false,
                            uid: self.next_uid,
                            terminating: false,
                        });
                        self.next_uid += 1;
                        self.store.revision += 1;
                    }
                }
            }
        }
        if self.acts(Component::KubeScheduler) || self.has(Quirk::PodsAreBoundUnled) {
            self.place_agents();
            let unschedulable = self.has(Quirk::ApiserverCannotBeScheduled);
            for pod in &mut self.pods {
                let refused = unschedulable && pod.component == Component::KubeApiserver;
                if !(pod.bound || refused) {
                    pod.bound = true;
                    self.store.revision += 1;
                }
            }
        }
    }

    /// The agents' DaemonSet has its pods where the control plane's have theirs.
    fn place_agents(&mut self) {
        let made = self.acts(Component::KubeControllerManager)
            && self.applied.contains(&AssetGroup::ControlPlane);
        if made && self.agents.plan.is_some() {
            self.agent_pods = self.labelled;
        }
    }

    fn start_ms(&mut self, component: Component, node: u8, by: Option<Incarnation>) -> u64 {
        let timer = match component {
            Component::Etcd => Timer::EtcdStart,
            Component::KubeApiserver => Timer::ApiserverStart,
            Component::CheckpointAgent => Timer::AgentStart,
            _ => Timer::ControllerStart,
        };
        self.durations
            .next_ms(timer, Self::place(node, component, by))
    }

    pub(crate) fn stop_ms(
        &mut self,
        component: Component,
        node: u8,
        by: Option<Incarnation>,
    ) -> u64 {
        let timer = match component {
            Component::KubeApiserver => Timer::ApiserverDrain,
            _ => Timer::ControllerStop,
        };
        self.durations
            .next_ms(timer, Self::place(node, component, by))
    }
}
