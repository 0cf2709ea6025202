//! What follows from a state: who serves, who acts, and what the cluster does at once.

use terms::Component;

use super::action::Port;
use super::state::{APISERVER, Joined, Lease, Node, Power, Process, State, Teardown, index};

impl Node {
    /// Whether it has power.
    pub(crate) const fn is_on(&self) -> bool {
        matches!(self.power, Power::On)
    }

    /// Whether its lease was renewed lately.
    pub(crate) fn is_fresh(&self) -> bool {
        self.joined != Joined::No && self.power != Power::OffStale
    }

    /// Whether its kubelet would do something at once if the API answered.
    fn awaits_api(&self) -> bool {
        let waits = self.joined == Joined::No || self.pods.iter().any(|pod| pod.awaits_kubelet());
        self.is_on() && waits
    }

    /// Whether a self-hosted process of this component, or its checkpoint, works.
    pub(crate) fn works(&self, component: usize) -> bool {
        self.is_on() && (self.pods[component].is_ready() || self.runs_copy(component))
    }

    /// Whether the checkpoint of this component runs.
    pub(crate) fn runs_copy(&self, component: usize) -> bool {
        self.is_on() && self.pods[component] == super::state::Pod::Copy
    }

    /// Whether its self-hosted apiserver is ready, the store aside.
    pub(crate) fn has_apiserver(&self) -> bool {
        self.is_on() && self.pods[APISERVER].is_ready()
    }
}

impl State {
    /// Whether a majority of `control_planes` etcd members lives.
    pub(crate) fn has_quorum(&self, control_planes: u8) -> bool {
        let living = self.nodes.iter().filter(|node| node.is_on()).count();
        living > usize::from(control_planes) / 2
    }

    /// Whether the apiserver behind a port works, the store aside.
    pub(crate) fn works_behind(&self, port: Port, node: usize) -> bool {
        match port {
            Port::SelfHosted => self.nodes[node].has_apiserver(),
            Port::Bootstrap => {
                self.nodes[node].runs_copy(APISERVER)
                    || node == 0 && self.bootstrap[APISERVER].works()
            }
        }
    }

    /// Whether the apiserver behind a port says that it is ready.
    pub(crate) fn is_ready_behind(&self, port: Port, node: usize, quorum: bool) -> bool {
        let stops = port == Port::Bootstrap
            && node == 0
            && self.bootstrap[APISERVER] == Process::Stopping
            && !self.nodes[0].runs_copy(APISERVER);
        quorum && !stops && self.works_behind(port, node)
    }

    /// How many apiservers serve.
    pub(crate) fn serving(&self, control_planes: u8) -> u8 {
        if !self.has_quorum(control_planes) {
            return 0;
        }
        let mut count = 0;
        for node in 0..self.nodes.len() {
            for port in [Port::SelfHosted, Port::Bootstrap] {
                count += u8::from(self.works_behind(port, node));
            }
        }
        count
    }

    /// Whether an apiserver answers through the load balancer.
    pub(crate) fn is_reachable(&self, quorum: bool) -> bool {
        quorum
            && (0..self.nodes.len()).any(|node| {
                [Port::SelfHosted, Port::Bootstrap].into_iter().any(|port| {
                    self.nodes[node].listed & port.bit() != 0 && self.works_behind(port, node)
                })
            })
    }

    /// Whether the leader of this lock does its work, given that the API answers.
    pub(crate) fn acts(&self, component: Component, reachable: bool) -> bool {
        reachable && self.holder_works(index(component))
    }

    fn holder_works(&self, component: usize) -> bool {
        match self.leases[component - 1] {
            Lease::Bootstrap => self.bootstrap[component].works(),
            other => other
                .node()
                .is_some_and(|node| self.nodes[node].works(component)),
        }
    }

    /// What the cluster does at once, whatever else may happen.
    pub(crate) fn settle(&mut self, control_planes: u8) {
        self.settle_bootstrap();
        for component in 1..3 {
            if !self.leases[component - 1].is_free() && !self.holder_works(component) {
                let lease = &mut self.leases[component - 1];
                *lease = match lease {
                    Lease::Bootstrap => Lease::BootstrapGone,
                    _ => Lease::SelfHostedGone,
                };
            }
        }
        // Seldom does anybody wait for the API.
        if self.nodes.iter().any(Node::awaits_api)
            && self.is_reachable(self.has_quorum(control_planes))
        {
            for node in self.nodes.iter_mut().filter(|node| node.is_on()) {
                node.joined = node.joined.max(Joined::Registered);
                for pod in node.pods.iter_mut().filter(|pod| pod.awaits_kubelet()) {
                    *pod = pod.started();
                }
            }
        }
    }

    /// The bootstrap node's kubelet follows its directory: all that a change of files leads to at once.
    pub(crate) fn settle_bootstrap(&mut self) {
        if self.nodes[0].is_on() {
            for component in 0..3 {
                let wanted = self.disk.manifests >> component & 1 == 1;
                let process = &mut self.bootstrap[component];
                *process = match *process {
                    // Without its secrets a container cannot start.
                    Process::Gone if wanted && self.disk.secrets => Process::Starting,
                    Process::Starting if !wanted => Process::Gone,
                    Process::Ready if !wanted => Process::Stopping,
                    other => other,
                };
            }
        }
        if self.teardown == Teardown::Unguarded && self.bootstrap[APISERVER] == Process::Gone {
            self.teardown = Teardown::Violated;
        }
    }
}
