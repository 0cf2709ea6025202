//! Leases, nodes and control-plane pods, read through the load balancer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use oracle::observation::{Lease, NodeStatus, PodStatus};
use oracle::{Sighting, Source};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use terms::{Component, Incarnation, NodeId};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::connection::{Identity, Session};
use super::{INTERVAL, REQUEST_DEADLINE, requests};
use crate::evidence::CaseClock;
use crate::stream::Stream;

/// What is unchanged is repeated this often, as a sign of life.
const REPEAT: Duration = Duration::from_secs(1);
/// Nodes and pods are read each fifth time: they change slowly and are large.
const LISTS_EVERY: u64 = 5;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/";
const NODES: &str = "/api/v1/nodes?limit=500";
const PODS: &str = "/api/v1/namespaces/kube-system/pods?limit=500&labelSelector=k8s-app%20in%20(kube-apiserver,kube-controller-manager,kube-scheduler)";

pub(super) async fn watch(stream: Stream, target: SocketAddr, identity: Identity) {
    let mut reader = Reader {
        stream,
        target,
        identity,
        kept: None,
        told: BTreeMap::new(),
    };
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in 0.. {
        ticks.tick().await;
        for lock in [Component::KubeControllerManager, Component::KubeScheduler] {
            reader.lease(lock).await;
        }
        if tick % LISTS_EVERY == 0 {
            reader.nodes().await;
            reader.pods().await;
        }
    }
}

struct Reader {
    stream: Stream,
    target: SocketAddr,
    identity: Identity,
    kept: Option<Session>,
    told: BTreeMap<String, (u64, Sighting)>,
}

impl Reader {
    async fn lease(&mut self, lock: Component) {
        let start_us = self.stream.clock.now_us();
        let Some(lease) = self.read::<LeaseObject>(&format!("{LEASES}{lock}")).await else {
            return;
        };
        self.tell(lock.name(), start_us, Sighting::Lease(lease.lease(lock)))
            .await;
    }

    async fn nodes(&mut self) {
        let start_us = self.stream.clock.now_us();
        let Some(list) = self.read::<List<NodeObject>>(NODES).await else {
            return;
        };
        let nodes = list.items.into_iter().map(NodeObject::status).collect();
        self.tell("nodes", start_us, Sighting::Nodes(nodes)).await;
    }

    async fn pods(&mut self) {
        let start_us = self.stream.clock.now_us();
        let Some(list) = self.read::<List<PodObject>>(PODS).await else {
            return;
        };
        let pods = list
            .items
            .into_iter()
            .filter_map(|pod| pod.status(self.stream.clock))
            .collect();
        self.tell("pods", start_us, Sighting::Pods(pods)).await;
    }

    async fn tell(&mut self, subject: &str, start_us: u64, saw: Sighting) {
        let repeat_us = u64::try_from(REPEAT.as_micros()).unwrap_or(u64::MAX);
        let news = self
            .told
            .get(subject)
            .is_none_or(|(at_us, before)| *before != saw || start_us - at_us >= repeat_us);
        if news {
            self.told
                .insert(subject.to_owned(), (start_us, saw.clone()));
            self.stream.saw(Source::Cluster, start_us, saw).await;
        }
    }

    /// Nothing is told of a read that failed: the load balancer's own probe records outages.
    async fn read<T: DeserializeOwned>(&mut self, path: &str) -> Option<T> {
        let answer = timeout(REQUEST_DEADLINE, self.ask(path))
            .await
            .ok()
            .flatten();
        if answer.is_none() {
            self.kept = None;
        }
        serde_json::from_slice(&answer?).ok()
    }

    async fn ask(&mut self, path: &str) -> Option<Bytes> {
        if self.kept.is_none() {
            self.kept = Session::connect(self.target, &self.identity).await.ok();
        }
        let (_, body) = self
            .kept
            .as_mut()?
            .request(requests::get(path))
            .await
            .ok()?;
        Some(body)
    }
}

#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeaseObject {
    spec: LeaseSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeaseSpec {
    holder_identity: Option<String>,
    lease_transitions: Option<u64>,
    renew_time: Option<String>,
}

impl LeaseObject {
    /// A holder's identity is the node's name, an underscore and a number of the process's own.
    fn lease(self, lock: Component) -> Lease {
        let holder = self
            .spec
            .holder_identity
            .filter(|holder| !holder.is_empty());
        let holder_node = holder
            .as_deref()
            .and_then(|holder| holder.split_once('_'))
            .map(|(node, _)| NodeId::new(node));
        Lease {
            lock,
            holder,
            holder_node,
            transitions: self.spec.lease_transitions.unwrap_or_default(),
            renewed: self.spec.renew_time.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    uid: String,
    deletion_timestamp: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    owner_references: Vec<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    last_transition_time: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    conditions: Vec<Condition>,
}

impl Status {
    fn ready(&self) -> bool {
        self.readiness().is_some()
    }

    /// The condition that says that it is ready.
    fn readiness(&self) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.kind == "Ready" && condition.status == "True")
    }
}

#[derive(Deserialize)]
struct NodeObject {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

impl NodeObject {
    fn status(self) -> NodeStatus {
        NodeStatus {
            ready: self.status.ready(),
            node: NodeId::new(self.metadata.name),
        }
    }
}

#[derive(Deserialize)]
struct PodObject {
    metadata: Metadata,
    #[serde(default)]
    spec: PodSpec,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    node_name: Option<String>,
}

impl PodObject {
    fn status(self, clock: CaseClock) -> Option<PodStatus> {
        let component = Component::from_name(self.metadata.labels.get("k8s-app")?)?;
        let managed = self
            .metadata
            .owner_references
            .iter()
            .any(|owner| owner.kind == "DaemonSet");
        Some(PodStatus {
            component,
            incarnation: if managed {
                Incarnation::SelfHosted
            } else {
                Incarnation::Bootstrap
            },
            node: self.spec.node_name.map(NodeId::new),
            uid: self.metadata.uid,
            ready: self.status.ready(),
            ready_since_us: self
                .status
                .readiness()
                .and_then(|ready| ready.last_transition_time)
                .map(|since| clock.from_wall(since)),
            terminating: self.metadata.deletion_timestamp.is_some(),
        })
    }
}
