//! A cluster as it looks from outside, five times a second, for tests to bend.

use std::collections::{BTreeMap, BTreeSet};

use oracle::observation::{
    AgentSeen, CheckpointSeen, EtcdStatus, Lease, NodeInventory, OperationEnd, PodStatus, Process,
    ProcessId, RequestKind, RequestOutcome,
};
use oracle::{Sighting, Source};
use terms::{Component, Incarnation, NodeId};

use crate::story::{Story, cp, opened, request};

/// The agent's own static manifest.
pub(crate) const AGENT: &str = "checkpoint-agent.json";
pub(crate) const APISERVER: &str = "bootstrap-kube-apiserver.yaml";
const TICK_MS: u64 = 200;

/// What is true of a node.
#[derive(Clone, Default)]
pub(crate) struct Machine {
    pub(crate) off: bool,
    pub(crate) silent: bool,
    /// The observer cannot look for checkpoints.
    pub(crate) blind: bool,
    pub(crate) manifests: BTreeSet<String>,
    pub(crate) bootstrap_files: BTreeSet<String>,
    pub(crate) processes: BTreeMap<(Component, Option<Incarnation>), u32>,
    pub(crate) missing_files: BTreeSet<String>,
    pub(crate) kubelet: u32,
    pub(crate) checkpoints: Vec<CheckpointSeen>,
    pub(crate) agents: Vec<AgentSeen>,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) story: Story,
    pub(crate) now_ms: u64,
    pub(crate) machines: BTreeMap<NodeId, Machine>,
    pub(crate) leases: BTreeMap<Component, (String, NodeId)>,
    pub(crate) leases_stand: bool,
    pub(crate) leader: Option<NodeId>,
    /// The id of etcd's cluster.
    pub(crate) etcd: &'static str,
    pub(crate) api_fails: bool,
    /// The load balancer lists no self-hosted apiserver.
    pub(crate) unlisted: bool,
    pub(crate) keys: BTreeSet<u64>,
    pub(crate) pods: Vec<PodStatus>,
    next: u64,
}

pub(crate) const SELF_HOSTED: (Component, Option<Incarnation>) =
    (Component::KubeApiserver, Some(Incarnation::SelfHosted));
pub(crate) const BOOTSTRAP: (Component, Option<Incarnation>) =
    (Component::KubeApiserver, Some(Incarnation::Bootstrap));

/// A complete version that lies ready.
pub(crate) fn version(component: Component, generation: &str) -> CheckpointSeen {
    CheckpointSeen {
        component,
        generation: generation.to_owned(),
        complete: true,
        prepared: true,
        mixed: false,
        references: BTreeSet::new(),
    }
}

/// A process of the agent.
pub(crate) fn agent(pid: u32, acting: bool) -> AgentSeen {
    AgentSeen {
        id: ProcessId {
            pid,
            start_ticks: 1,
        },
        incarnation: Some(Incarnation::SelfHosted),
        acting,
    }
}

impl World {
    pub(crate) fn new(control_plane: u32) -> Self {
        let mut story = Story::default();
        story.tell(
            0,
            Source::Runner,
            Sighting::CaseOpened(opened(control_plane)),
        );
        let machine = |number| {
            (
                cp(number),
                Machine {
                    kubelet: 100,
                    ..Machine::default()
                },
            )
        };
        Self {
            story,
            now_ms: 0,
            machines: (1..=control_plane).map(machine).collect(),
            leases: BTreeMap::new(),
            leases_stand: false,
            leader: None,
            etcd: "c1",
            api_fails: false,
            unlisted: false,
            keys: BTreeSet::new(),
            pods: Vec::new(),
            next: 1000,
        }
    }

    /// A cluster that is done.
    pub(crate) fn done(control_plane: u32) -> Self {
        let mut world = Self::new(control_plane);
        world.serve_bootstrap();
        world.serve_self_hosted();
        world.hand_over();
        world.remove_bootstrap();
        world.finish();
        world
    }

    pub(crate) fn unique(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn machine(&mut self, number: u32) -> &mut Machine {
        self.machines
            .get_mut(&cp(number))
            .expect("the test names a machine of its world")
    }

    // === a bootstrap, phase by phase ===

    pub(crate) fn serve_bootstrap(&mut self) {
        self.start("bootstrap", false);
        let nodes: Vec<_> = self.machines.keys().cloned().collect();
        for node in nodes {
            let machine = self
                .machines
                .get_mut(&node)
                .expect("the node was just listed");
            machine.manifests.insert("etcd.yaml".to_owned());
            machine.processes.insert((Component::Etcd, None), 10);
        }
        self.leader = Some(cp(1));
        self.machine(1).manifests.insert(APISERVER.to_owned());
        self.machine(1)
            .bootstrap_files
            .insert("/etc/kubernetes/bootstrap-secrets/ca.key".to_owned());
        for (pid, component) in (20..).zip(Component::SELF_HOSTED) {
            self.machine(1)
                .processes
                .insert((component, Some(Incarnation::Bootstrap)), pid);
        }
        for component in [Component::KubeControllerManager, Component::KubeScheduler] {
            self.leases
                .insert(component, (format!("cp-1_bootstrap-{component}"), cp(1)));
        }
        self.step("bootstrap-serving");
        self.run(3_000);
    }

    pub(crate) fn serve_self_hosted(&mut self) {
        let nodes: Vec<_> = self.machines.keys().cloned().collect();
        for node in nodes {
            for (pid, component) in (30..).zip(Component::SELF_HOSTED) {
                let machine = self
                    .machines
                    .get_mut(&node)
                    .expect("the node was just listed");
                machine
                    .processes
                    .insert((component, Some(Incarnation::SelfHosted)), pid);
                let uid = format!("uid-{node}-{component}");
                let incarnation = Incarnation::SelfHosted;
                self.pods.push(PodStatus {
                    component,
                    incarnation,
                    node: Some(node.clone()),
                    uid,
                    ready: true,
                    ready_since_us: None,
                    terminating: false,
                });
            }
        }
        self.step("self-hosted-serving");
        // Long enough to be worth keeping.
        self.run(6_000);
        self.keep_checkpoints();
        self.run(1_000);
    }

    /// Agents keep a version of every self-hosted instance.
    pub(crate) fn keep_checkpoints(&mut self) {
        for machine in self.machines.values_mut() {
            machine.manifests.insert(AGENT.to_owned());
            machine.agents = vec![agent(70, true), agent(71, false)];
            let hosted = |component: &Component| {
                let own = (*component, Some(Incarnation::SelfHosted));
                machine.processes.contains_key(&own)
            };
            let components = Component::SELF_HOSTED.into_iter().filter(hosted);
            machine.checkpoints = components
                .map(|component| version(component, "g1"))
                .collect();
        }
    }

    pub(crate) fn hand_over(&mut self) {
        let node = self
            .machines
            .keys()
            .next_back()
            .expect("a world has a control-plane node")
            .clone();
        self.end_bootstrap_controllers();
        for component in [Component::KubeControllerManager, Component::KubeScheduler] {
            self.leases.insert(
                component,
                (format!("{node}_self-{component}"), node.clone()),
            );
        }
        self.run(3_000);
        self.step("controllers-handed-over");
    }

    pub(crate) fn end_bootstrap_controllers(&mut self) {
        for component in [Component::KubeControllerManager, Component::KubeScheduler] {
            self.machine(1)
                .processes
                .remove(&(component, Some(Incarnation::Bootstrap)));
        }
    }

    pub(crate) fn remove_bootstrap(&mut self) {
        self.machine(1).manifests.remove(APISERVER);
        self.run(1_000);
        self.machine(1).processes.remove(&BOOTSTRAP);
        self.run(1_000);
        self.step("bootstrap-removed");
    }

    pub(crate) fn finish(&mut self) {
        self.machine(1).bootstrap_files.clear();
        self.run(400);
        self.step("done");
        self.end("bootstrap", OperationEnd::Done);
        self.run(4_000);
        self.credential(Some(Ok(())));
    }

    /// Settles, reads everything back and closes.
    pub(crate) fn close(mut self, end: &str) -> Story {
        self.run(1_000);
        self.settle(&[]);
        self.read_back();
        self.story.close(self.now_ms + 1, end);
        self.story
    }

    // === what is seen ===

    pub(crate) fn run(&mut self, for_ms: u64) {
        for _ in 0..for_ms / TICK_MS {
            self.now_ms += TICK_MS;
            self.requests();
            self.nodes();
            self.cluster();
        }
    }

    /// Apiservers that serve: their process runs on a node with power.
    fn serving(&self) -> Vec<(NodeId, Incarnation)> {
        let mut serving = Vec::new();
        for (node, machine) in self.machines.iter().filter(|(_, machine)| !machine.off) {
            for (component, incarnation) in machine.processes.keys() {
                if let (Component::KubeApiserver, Some(incarnation)) = (component, incarnation) {
                    serving.push((node.clone(), *incarnation));
                }
            }
        }
        if self.api_fails { Vec::new() } else { serving }
    }

    fn requests(&mut self) {
        let serving = self.serving();
        let nodes: Vec<_> = self.machines.keys().cloned().collect();
        for node in &nodes {
            for (incarnation, source) in [
                (Incarnation::SelfHosted, Source::Apiserver(node.clone())),
                (
                    Incarnation::Bootstrap,
                    Source::BootstrapApiserver(node.clone()),
                ),
            ] {
                // A copy serves on the port of the temporary ones.
                let copy = (node.clone(), Incarnation::Checkpoint);
                let is_copy = incarnation == Incarnation::Bootstrap && serving.contains(&copy);
                let incarnation = if is_copy {
                    Incarnation::Checkpoint
                } else {
                    incarnation
                };
                let serves = serving.contains(&(node.clone(), incarnation));
                let saw = if serves {
                    request(
                        RequestKind::Ready,
                        RequestOutcome::Acknowledged { revision: None },
                        Some((node, incarnation)),
                    )
                } else {
                    request(
                        RequestKind::Ready,
                        RequestOutcome::Refused("refused".to_owned()),
                        None,
                    )
                };
                self.story
                    .tell_span(self.now_ms - 50, self.now_ms, source, saw);
            }
        }
        let key = self.unique();
        let listed = |(_, incarnation): &&(NodeId, Incarnation)| {
            !self.unlisted || *incarnation != Incarnation::SelfHosted
        };
        let saw = match serving.iter().rfind(listed) {
            Some((node, incarnation)) => {
                self.keys.insert(key);
                let outcome = RequestOutcome::Acknowledged {
                    revision: Some(key),
                };
                request(RequestKind::Write(key), outcome, Some((node, *incarnation)))
            }
            None => request(RequestKind::Write(key), RequestOutcome::TimedOut, None),
        };
        self.story
            .tell_span(self.now_ms - 50, self.now_ms, Source::LoadBalancer, saw);
    }

    fn nodes(&mut self) {
        for (node, machine) in &self.machines {
            if machine.off {
                continue;
            }
            if let Some(leader) = &self.leader {
                let status = EtcdStatus {
                    cluster: self.etcd.to_owned(),
                    member: format!("m-{node}"),
                    leader: Some(format!("m-{leader}")),
                    term: 2,
                    revision: self.next,
                };
                self.story.tell(
                    self.now_ms,
                    Source::EtcdMember(node.clone()),
                    Sighting::Etcd(Some(status)),
                );
            }
            if !machine.silent {
                let saw = Sighting::NodeInventory(machine.inventory());
                self.story.tell_span(
                    self.now_ms - 20,
                    self.now_ms,
                    Source::Node(node.clone()),
                    saw,
                );
            }
        }
    }

    fn cluster(&mut self) {
        if self.serving().is_empty() {
            return;
        }
        for (lock, (holder, node)) in &self.leases {
            let renewed = if self.leases_stand {
                "then".to_owned()
            } else {
                self.now_ms.to_string()
            };
            let lease = Lease {
                lock: *lock,
                holder: Some(holder.clone()),
                holder_node: Some(node.clone()),
                transitions: 0,
                renewed,
            };
            self.story.tell_span(
                self.now_ms - 20,
                self.now_ms,
                Source::Cluster,
                Sighting::Lease(lease),
            );
        }
        let saw = Sighting::Pods(self.pods.clone());
        self.story
            .tell_span(self.now_ms - 20, self.now_ms, Source::Cluster, saw);
    }
}

impl Machine {
    fn inventory(&self) -> NodeInventory {
        let process =
            |(&(component, incarnation), &pid): (&(Component, Option<Incarnation>), &u32)| {
                Process {
                    component,
                    incarnation,
                    id: ProcessId {
                        pid,
                        start_ticks: u64::from(pid),
                    },
                    missing_files: self.missing_files.clone(),
                }
            };
        NodeInventory {
            processes: self.processes.iter().map(process).collect(),
            manifests: self.manifests.clone(),
            bootstrap_files: self.bootstrap_files.clone(),
            ports: BTreeMap::new(),
            checkpoints: if self.blind {
                Vec::new()
            } else {
                self.checkpoints.clone()
            },
            blind_to_checkpoints: self.blind,
            agents: self.agents.clone(),
            workload: None,
            kubelet: Some(ProcessId {
                pid: self.kubelet,
                start_ticks: 1,
            }),
        }
    }
}
