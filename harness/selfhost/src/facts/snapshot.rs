//! All that was seen, put together into the machine's fixed-width facts.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use pivot::{ApiserverFact, Facts, LeaseFact, NodeSet};
use terms::{Component, Incarnation};

use super::lease_age::LeaseAges;
use super::observed::Observed;
use super::pods::pod_fact;
use crate::assets::{Assets, Machine};
use crate::https::Peer;
use crate::render::checkpoint_agent;

/// A node's lease is renewed each 10 s; one and a half times that is no longer fresh.
pub(super) const FRESH: Duration = Duration::from_secs(15);
/// A checkpoint agent renews its Lease each 2 s; three of them missed is no longer fresh.
const AGENT_FRESH: Duration = Duration::from_secs(6);
/// The label by which DaemonSets of the control plane find their nodes.
const CONTROL_PLANE_LABEL: &str = "node-role.kubernetes.io/control-plane";

/// What each source saw last.
#[derive(Default)]
pub(super) struct Knowledge {
    /// For each control-plane node: its etcd member is healthy.
    pub(super) etcd: Vec<Observed<bool>>,
    /// For each control-plane node and each of its two ports: who is ready there.
    pub(super) serving: Vec<[Observed<Option<Peer>>; 2]>,
    /// The load balancer answered from a ready apiserver.
    pub(super) load_balancer: Observed<bool>,
    /// Servers to which the load balancer sends requests.
    pub(super) listed: Observed<BTreeSet<String>>,
    /// Bootstrap processes on this node.
    pub(super) running: Observed<u8>,
    /// Nodes.
    pub(super) nodes: Observed<Vec<Node>>,
    /// Leases of nodes.
    pub(super) node_leases: Observed<LeaseAges>,
    /// Leases of the controllers.
    pub(super) locks: Observed<LeaseAges>,
    /// What the checkpoint agents told in their Leases: node, and the components that it has armed.
    pub(super) agents: Observed<Vec<(String, Vec<Component>)>>,
    /// Pods of the control plane.
    pub(super) pods: Observed<Vec<Pod>>,
}

impl Knowledge {
    /// Nothing known of this many control-plane nodes.
    pub(super) fn of(control_planes: usize) -> Self {
        Self {
            etcd: (0..control_planes).map(|_| Observed::default()).collect(),
            serving: (0..control_planes).map(|_| Default::default()).collect(),
            ..Self::default()
        }
    }

    /// The facts of this moment.
    pub(super) fn facts(&self, assets: &Assets) -> Facts {
        let nodes = self.nodes.known().unwrap_or_default();
        let node_leases = self.node_leases.known().unwrap_or_default();
        let fresh = |name: &str| node_leases.age(name).is_some_and(|age| age < FRESH);
        let among = |wanted: &dyn Fn(&Node, &str) -> bool| {
            let named = nodes
                .iter()
                .filter_map(|node| Some((node, node.metadata.name.as_deref()?)));
            named
                .filter(|(node, name)| wanted(node, name))
                .filter_map(|(_, name)| assets.index_of(name))
                .fold(NodeSet::default(), NodeSet::with)
        };
        let control_plane = NodeSet::first(small(assets.control_planes));
        let pods = self.pods.known();
        let mut facts = Facts {
            control_planes: small(assets.control_planes),
            nodes: small(assets.machines.len()),
            etcd: self.etcd_healthy(),
            registered: among(&|_, _| true),
            ready: among(&|node, name| is_ready(node) && fresh(name)),
            labelled: among(&|node, _| is_labelled(node)).and(control_plane),
            apiservers: self.apiservers(assets.control_plane(), assets.bootstrap_machine()),
            leases: self.controllers(),
            // Unknown must not look like gone.
            bootstrap_running: self.running.known().unwrap_or(pivot::ComponentSet::ALL.0),
            armed: self.armed(assets),
            pods_known: pods.is_some(),
            stale: self.stale().map(|stale| stale.fact()),
            pods: [None; Facts::MOST_PODS],
        };
        for (place, pod) in facts.pods.iter_mut().zip(pods.iter().flatten()) {
            *place = Some(pod_fact(pod, |name| assets.index_of(name), fresh));
        }
        facts
    }

    fn etcd_healthy(&self) -> NodeSet {
        let healthy = (0..)
            .zip(&self.etcd)
            .filter(|(_, member)| member.known() == Some(true));
        healthy
            .map(|(index, _)| index)
            .fold(NodeSet::default(), NodeSet::with)
    }

    /// An apiserver counts for a node if its certificate says so, on whichever port it was asked.
    fn apiservers(&self, machines: &[Machine], bootstrap: &Machine) -> ApiserverFact {
        let listed = self.listed.known();
        let is_listed = |machine: &Machine, port: &str| {
            let listed = listed.as_ref();
            listed.map(|all| all.contains(&format!("{}-{port}", machine.name)))
        };
        let mut fact = ApiserverFact {
            load_balancer: self.load_balancer.known().unwrap_or(false),
            bootstrap_unlisted: is_listed(bootstrap, "bootstrap") == Some(false),
            ..ApiserverFact::default()
        };
        for ((index, ports), machine) in (0..).zip(&self.serving).zip(machines) {
            if is_listed(machine, "self-hosted") == Some(true) {
                fact.listed = fact.listed.with(index);
            }
            for peer in ports.iter().filter_map(|port| port.known().flatten()) {
                if peer.node != machine.name {
                    continue;
                }
                match peer.incarnation {
                    Some(Incarnation::Bootstrap) => fact.bootstrap = fact.bootstrap.with(index),
                    Some(Incarnation::SelfHosted) => {
                        fact.self_hosted = fact.self_hosted.with(index);
                    }
                    Some(Incarnation::Checkpoint) | None => {}
                }
            }
        }
        fact
    }

    /// A node counts while its agent is heard of: a Lease that nobody renews is a memory.
    fn armed(&self, assets: &Assets) -> [NodeSet; 3] {
        let locks = self.locks.known().unwrap_or_default();
        let agents = self.agents.known().unwrap_or_default();
        Component::SELF_HOSTED.map(|component| {
            let those = agents.iter().filter(|(node, armed)| {
                let age = locks.age(&checkpoint_agent::lease(node));
                armed.contains(&component) && age.is_some_and(|age| age < AGENT_FRESH)
            });
            those
                .filter_map(|(node, _)| assets.index_of(node))
                .fold(NodeSet::default(), NodeSet::with)
        })
    }

    fn controllers(&self) -> [LeaseFact; 2] {
        let locks = self.locks.known().unwrap_or_default();
        ["kube-controller-manager", "kube-scheduler"].map(|name| {
            let age = locks
                .age(name)
                .map_or(u128::MAX, |age| age.as_millis() / 100);
            LeaseFact {
                age_ds: u8::try_from(age).unwrap_or(u8::MAX),
            }
        })
    }
}

fn small(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

fn is_ready(node: &Node) -> bool {
    let conditions = node
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| {
        all.iter()
            .any(|one| one.type_ == "Ready" && one.status == "True")
    })
}

fn is_labelled(node: &Node) -> bool {
    node.metadata
        .labels
        .as_ref()
        .is_some_and(|labels| labels.contains_key(CONTROL_PLANE_LABEL))
}
