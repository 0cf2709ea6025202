//! Observations: one line of `events.ndjson` each, schema version 1.
//!
//! Times are microseconds of the host's boot-time clock since the case began.

mod case;
mod cluster;
mod node;
mod procedure;
mod quality;
mod request;
mod timeline;

use serde::{Deserialize, Serialize};
use terms::NodeId;

pub use case::{CaseClosed, CaseOpened, Cause, CheckpointTimes, Trouble};
pub use cluster::{EtcdKey, EtcdStatus, Lease, NodeStatus, PodStatus};
pub use node::{
    AgentSeen, Answering, CheckpointSeen, ContainerSeen, NodeInventory, Process, ProcessId,
    WorkloadSeen,
};
pub use procedure::{Operation, OperationEnd, OperationEnded, Step};
pub use quality::{Crowd, Gap, HostSample};
pub use request::{Connection, Credential, ReadBack, Request, RequestKind, RequestOutcome, Served};
pub use timeline::{Entry, FaultRecord, HealRecord, Settled};

/// Something that was seen, when, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Version of this record: 1.
    pub v: u32,
    /// Who saw it.
    pub source: Source,
    /// Position within the source, from 0, without gaps.
    pub seq: u64,
    /// When looking began.
    pub start_us: u64,
    /// When the answer was there.
    pub end_us: u64,
    /// What was seen.
    pub saw: Sighting,
}

/// A source of observations. The order is the order of ties.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The runner itself: what it did, and when.
    Runner,
    /// The installer's step stream.
    Steps,
    /// Requests to one apiserver, past the load balancer.
    Apiserver(NodeId),
    /// Requests to a node's temporary apiserver, on the bootstrap port, past the load balancer.
    BootstrapApiserver(NodeId),
    /// Requests through the load balancer.
    LoadBalancer,
    /// Reads of leases and nodes.
    Cluster,
    /// One etcd member's own words.
    EtcdMember(NodeId),
    /// The revision-ordered watch of etcd's keys.
    EtcdKeys,
    /// The observer on a node.
    Node(NodeId),
    /// Samples of the host that never touch the cluster.
    Host,
}

/// What was seen. Externally tagged; new kinds may be added within version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sighting {
    /// A case began. Always the first line.
    CaseOpened(CaseOpened),
    /// A request to an apiserver, and how it ended.
    Request(Request),
    /// All probe keys that a complete read found, for the read-back of acknowledged writes.
    ReadBack(ReadBack),
    /// A lease as the API gave it.
    Lease(Lease),
    /// All nodes as the API gave them.
    Nodes(Vec<NodeStatus>),
    /// Control-plane pods as the API gave them.
    Pods(Vec<PodStatus>),
    /// An etcd member answered, or did not (`None`).
    Etcd(Option<EtcdStatus>),
    /// A key of etcd changed.
    EtcdKey(EtcdKey),
    /// A node's control-plane processes, manifests, bootstrap files and ports.
    NodeInventory(NodeInventory),
    /// The installer reached a step.
    Step(Step),
    /// An operation of the installer was started by the runner.
    OperationStarted(Operation),
    /// An operation ended.
    OperationEnded(OperationEnded),
    /// A fault was injected.
    Fault(FaultRecord),
    /// Lasting faults were undone.
    Heal(HealRecord),
    /// A timeline entry began or ended.
    Entry(Entry),
    /// The cluster was watched until it settled, or the time was up.
    Settled(Settled),
    /// A client's credential, valid before a procedure, was tried again.
    Credential(Credential),
    /// A control sample of the host.
    HostSample(HostSample),
    /// A source was silent for longer than it may be, or its stream broke.
    Gap(Gap),
    /// The case cannot be run truthfully on this backend, for this reason, and was not begun.
    NotApplicable(String),
    /// Recording failed: what follows may be incomplete.
    RecordingDegraded(String),
    /// The case ended and everything was recorded. Always the last line.
    CaseClosed(CaseClosed),
}
