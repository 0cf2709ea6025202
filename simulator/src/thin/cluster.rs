//! What the cluster does by itself while time passes.

use pivot::AssetGroup;
use terms::{Component, Incarnation};

use super::node::Process;
use super::scene::Quirk;
use super::world::{LeaseState, Pod, World, lasts};

/// How far one tick of the clock goes, in milliseconds.
pub(crate) const TICK_MS: u64 = 100;

impl World {
    /// Lets one tick of time pass.
    pub(crate) fn tick(&mut self) {
        self.now_ms += TICK_MS;
        self.tick_store();
        for index in self.indices() {
            if self.node(index).on {
                self.tick_kubelet(index);
            }
        }
        if self.now_ms.is_multiple_of(lasts::CHECK_MS) {
            self.tick_load_balancer();
        }
        for lock in [Component::KubeControllerManager, Component::KubeScheduler] {
            self.tick_lease(lock);
        }
        self.tick_controllers();
    }

    /// The world turns peculiar, and shows it at once.
    pub(crate) fn turn_peculiar(&mut self, quirk: Quirk) {
        self.quirks.insert(quirk);
        for index in self.indices() {
            self.tick_pods(index);
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
        self.store.leader = (0..self.control_planes).find(|index| healthy.contains(*index));
        if self.store.leader.is_some() {
            self.store.term += 1;
            self.store.leading_since_ms = self.now_ms;
        }
    }

    fn tick_kubelet(&mut self, index: u8) {
        let now_ms = self.now_ms;
        self.node_mut(index)
            .processes
            .retain(|process| process.gone_ms.is_none_or(|gone_ms| now_ms < gone_ms));
        if index < self.control_planes && self.node(index).process(Component::Etcd, None).is_none()
        {
            self.spawn(index, Component::Etcd, None, lasts::ETCD_START_MS);
        }
        self.tick_static_pods(index);
        if self.reachable() {
            self.registered = self.registered.with(index);
            let known = |pod: &&Pod| pod.bound && pod.node == index;
            let bound = self
                .pods
                .iter()
                .filter(known)
                .map(|pod| pod.component)
                .collect();
            self.node_mut(index).known_pods = bound;
        }
        self.tick_pods(index);
    }

    fn tick_static_pods(&mut self, index: u8) {
        let now_ms = self.now_ms;
        let node = self.node_mut(index);
        let secrets = node.secrets;
        let mut starting = Vec::new();
        for component in Component::SELF_HOSTED {
            let wanted = node.manifests.contains(&component);
            let running = node.processes.iter_mut().find(|process| {
                process.component == component
                    && process.incarnation == Some(Incarnation::Bootstrap)
            });
            match running {
                // Without its secrets a container cannot start.
                None if wanted && secrets => starting.push(component),
                Some(process) if !wanted && process.gone_ms.is_none() => {
                    let stop_ms = stop_ms(component);
                    process.gone_ms = Some(now_ms + stop_ms);
                }
                _ => {}
            }
        }
        for component in starting {
            self.spawn(
                index,
                component,
                Some(Incarnation::Bootstrap),
                start_ms(component),
            );
        }
    }

    fn tick_pods(&mut self, index: u8) {
        let known = self.node(index).known_pods.clone();
        for component in Component::SELF_HOSTED {
            let running = self
                .node(index)
                .process(component, Some(Incarnation::SelfHosted))
                .cloned();
            match running {
                None if known.contains(&component) => self.start_pod(index, component),
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
        let takes_ms = if port_taken {
            u64::MAX - self.now_ms
        } else {
            start_ms(component)
        };
        self.spawn(index, component, Some(Incarnation::SelfHosted), takes_ms);
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
        let own = self
            .node_mut(index)
            .processes
            .iter_mut()
            .find(|other| other.pid == process.pid);
        let Some(own) = own else { return };
        if crashes && own.started_ms + lasts::CRASH_MS <= now_ms {
            own.started_ms = now_ms;
            own.ready_ms = now_ms + start_ms(Component::KubeApiserver);
        } else if waits && port_free {
            // The kubelet's back-off is what is left of history's hand-over.
            own.ready_ms = now_ms + lasts::BACK_OFF_MS;
        }
    }

    fn tick_load_balancer(&mut self) {
        let ready = self.ready_apiservers();
        let one = self.has(Quirk::LoadBalancerKnowsOneNode);
        for instance in ready.iter().filter(|(node, _)| !one || *node == 0) {
            self.load_balancer.entry(*instance).or_default();
        }
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
        if lease.holder.is_some_and(running) {
            if self.now_ms >= lease.renewed_ms + lasts::RENEWAL_MS {
                self.leases.insert(
                    lock,
                    LeaseState {
                        renewed_ms: self.now_ms,
                        ..lease
                    },
                );
                self.store.revision += 1;
            }
            return;
        }
        let term_ms = match lease.holder {
            None => 0,
            Some(_) if self.has(Quirk::LeasesLastTooLong) => lasts::LEASE_TOO_LONG_MS,
            Some((_, Incarnation::Bootstrap, _)) => {
                lasts::BOOTSTRAP_LEASE_MS + lasts::CANDIDATE_POLL_MS
            }
            Some(_) => lasts::LEASE_MS + lasts::CANDIDATE_POLL_MS,
        };
        if self.now_ms < lease.renewed_ms + term_ms {
            return;
        }
        if let Some(holder) = self.candidate(lock) {
            let transitions = lease.transitions + 1;
            self.leases.insert(
                lock,
                LeaseState {
                    holder: Some(holder),
                    renewed_ms: self.now_ms,
                    transitions,
                },
            );
            self.store.revision += 1;
        }
    }

    fn candidate(&self, lock: Component) -> Option<(u8, Incarnation, u32)> {
        for incarnation in [Incarnation::Bootstrap, Incarnation::SelfHosted] {
            if incarnation == Incarnation::SelfHosted && self.has(Quirk::ControllersNeverLead) {
                continue;
            }
            for index in self.indices() {
                let process = self.node(index).process(lock, Some(incarnation));
                if let Some(process) = process.filter(|process| process.is_ready(self.now_ms)) {
                    return Some((index, incarnation, process.pid));
                }
            }
        }
        None
    }

    /// The DaemonSet controller makes pods, the scheduler binds them.
    fn tick_controllers(&mut self) {
        if self.acts(Component::KubeControllerManager)
            && self.applied.contains(&AssetGroup::ControlPlane)
        {
            for component in Component::SELF_HOSTED {
                for node in (0..self.control_planes).filter(|node| self.labelled.contains(*node)) {
                    let exists = self
                        .pods
                        .iter()
                        .any(|pod| pod.component == component && pod.node == node);
                    if !exists {
                        self.pods.push(Pod {
                            component,
                            node,
                            bound: false,
                            uid: self.next_uid,
                        });
                        self.next_uid += 1;
                        self.store.revision += 1;
                    }
                }
            }
        }
        if self.acts(Component::KubeScheduler) {
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
}

fn start_ms(component: Component) -> u64 {
    match component {
        Component::KubeApiserver => lasts::APISERVER_START_MS,
        _ => lasts::CONTROLLER_START_MS,
    }
}

fn stop_ms(component: Component) -> u64 {
    match component {
        Component::KubeApiserver => lasts::APISERVER_DRAIN_MS,
        _ => lasts::CONTROLLER_STOP_MS,
    }
}
