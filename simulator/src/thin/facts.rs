//! What the installer knows of the world: as on a real node, unknown is absent.

use pivot::{ApiserverFact, ComponentSet, Facts, LeaseFact, NodeSet, PodFact, PodPhase};
use terms::{Component, Incarnation};

use super::world::World;

impl World {
    /// The installer's look at the world.
    pub(crate) fn facts(&self) -> Facts {
        let known = self.reachable();
        let when_known = |set: NodeSet| if known { set } else { NodeSet::default() };
        let mut fresh = NodeSet::default();
        for node in self.indices().filter(|node| self.is_fresh(*node)) {
            fresh = fresh.with(node);
        }
        let mut pods = [None; Facts::MOST_PODS];
        if known {
            for (place, pod) in pods.iter_mut().zip(self.pod_facts()) {
                *place = Some(pod);
            }
        }
        Facts {
            control_planes: self.control_planes,
            nodes: self.indices().end,
            etcd: self.etcd_healthy(),
            registered: when_known(self.registered),
            ready: when_known(fresh),
            labelled: when_known(self.labelled),
            apiservers: self.apiserver_fact(known),
            leases: [Component::KubeControllerManager, Component::KubeScheduler]
                .map(|lock| self.lease_fact(lock)),
            bootstrap_running: self.bootstrap_running(),
            armed: Component::SELF_HOSTED.map(|component| when_known(self.armed(component))),
            pods_known: known,
            stale: known.then(pivot::StaleFact::default),
            pods,
        }
    }

    fn apiserver_fact(&self, load_balancer: bool) -> ApiserverFact {
        let mut fact = ApiserverFact {
            load_balancer,
            ..ApiserverFact::default()
        };
        for (node, incarnation) in self.ready_apiservers() {
            match incarnation {
                Incarnation::Bootstrap => fact.bootstrap = fact.bootstrap.with(node),
                Incarnation::SelfHosted => fact.self_hosted = fact.self_hosted.with(node),
                Incarnation::Checkpoint => {}
            }
        }
        let listed = |(instance, backend): (&(u8, Incarnation), &super::world::Backend)| {
            instance.1 == Incarnation::Bootstrap && backend.listed
        };
        fact.bootstrap_unlisted = !self.load_balancer.iter().any(listed);
        for ((node, incarnation), backend) in &self.load_balancer {
            if *incarnation == Incarnation::SelfHosted && backend.listed {
                fact.listed = fact.listed.with(*node);
            }
        }
        fact
    }

    fn lease_fact(&self, lock: Component) -> LeaseFact {
        let lease = self.leases[&lock];
        let age_ds = if lease.holder.is_some() {
            (self.now_ms - lease.renewed_ms) / 100
        } else {
            255
        };
        LeaseFact {
            age_ds: u8::try_from(age_ds).unwrap_or(u8::MAX),
        }
    }

    fn bootstrap_running(&self) -> u8 {
        let running = self
            .node(0)
            .processes
            .iter()
            .filter(|process| process.incarnation == Some(Incarnation::Bootstrap));
        running.fold(0, |bits, process| {
            bits | ComponentSet::bit(process.component)
        })
    }

    /// Nodes whose agent tells that it could start the component.
    fn armed(&self, component: Component) -> NodeSet {
        let armed = (0..self.control_planes).filter(|node| self.is_armed(*node, component));
        armed.fold(NodeSet::default(), NodeSet::with)
    }

    fn pod_facts(&self) -> impl Iterator<Item = PodFact> + '_ {
        self.pods.iter().map(|pod| {
            let process = self.process_of(pod);
            PodFact {
                claims: Some(pod.component),
                looks_like: Some(pod.component),
                node: pod.bound.then_some(pod.node),
                incarnation: Incarnation::SelfHosted,
                phase: if process.is_some() {
                    PodPhase::Running
                } else {
                    PodPhase::Pending
                },
                ready: process.is_some_and(|process| process.is_ready(self.now_ms)),
                fresh: pod.bound && self.is_fresh(pod.node),
            }
        })
    }
}
