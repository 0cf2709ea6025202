//! Observations: one line of `events.ndjson` each, schema version 1.
//!
//! Times are microseconds of the host's boot-time clock since the case began.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use terms::{
    Actor, Capability, Component, Fault, Incarnation, Milliseconds, Moment, NodeId, StepName,
};

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
    /// Recording failed: what follows may be incomplete.
    RecordingDegraded(String),
    /// The case ended and everything was recorded. Always the last line.
    CaseClosed(CaseClosed),
}

/// What a case is, as far as invariants may know it: never the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseOpened {
    /// The case's id, unique in its run.
    pub case: String,
    /// All nodes.
    pub nodes: Vec<NodeId>,
    /// The node on which the installer runs.
    pub bootstrap_node: NodeId,
    /// What the installer claims.
    pub capabilities: BTreeSet<Capability>,
    /// How many instances of each self-hosted component there should be.
    pub wanted_instances: u32,
    /// The least number of verified self-hosted apiservers, on different nodes, at teardown.
    pub guard_instances: u32,
    /// Budgets in force, by name; absent means not judged.
    pub budgets: BTreeMap<String, Milliseconds>,
    /// What the installer calls a finished procedure.
    pub done_step: StepName,
    /// The end that the case asks for: `done` or `holding`.
    pub expected_end: String,
}

/// A request to an apiserver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What was asked.
    pub kind: RequestKind,
    /// Whether the connection was made for it.
    pub connection: Connection,
    /// How it ended.
    pub outcome: RequestOutcome,
    /// Who answered, as proven by the serving certificate at the handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_by: Option<Served>,
}

/// What a request asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestKind {
    /// `GET /readyz`.
    Ready,
    /// A read of the probe's last own object.
    Read,
    /// A write of an object with this key, never used before.
    Write(u64),
}

/// New or reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// Made for this request.
    New,
    /// Kept from an earlier one.
    Reused,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestOutcome {
    /// It was answered with success; `revision` is the resource version where there is one.
    Acknowledged {
        /// Resource version of the object or list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<u64>,
    },
    /// It was answered with an HTTP status that is no success.
    Status(u16),
    /// No connection could be made.
    Refused(String),
    /// The connection was lost before an answer: a write may have happened.
    Broken(String),
    /// The deadline passed: a write may have happened.
    TimedOut,
    /// The server did not accept the client's credential, or the client not the server's.
    Untrusted(String),
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Served {
    /// The node of the instance.
    pub node: NodeId,
    /// Who started the instance.
    pub incarnation: Incarnation,
}

/// A complete read of the probe's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {
    /// The keys found.
    pub keys: BTreeSet<u64>,
    /// Resource version of the list.
    pub revision: u64,
}

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The lock, by the component that holds it.
    pub lock: Component,
    /// Its holder's identity; none when it was released.
    pub holder: Option<String>,
    /// The node of the holder, as far as its identity tells.
    pub holder_node: Option<NodeId>,
    /// How often the holder changed.
    pub transitions: u64,
    /// Renew time as written in the lease, an opaque text that changes with each renewal.
    pub renewed: String,
}

/// A node object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// The node.
    pub node: NodeId,
    /// Its Ready condition is true.
    pub ready: bool,
}

/// A control-plane pod object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodStatus {
    /// The component.
    pub component: Component,
    /// Who started it.
    pub incarnation: Incarnation,
    /// The node that it is bound to.
    pub node: Option<NodeId>,
    /// The pod's UID.
    pub uid: String,
    /// Its Ready condition is true.
    pub ready: bool,
    /// Its deletion has been asked for.
    pub terminating: bool,
}

/// What an etcd member says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdStatus {
    /// Id of the cluster that it belongs to, in hexadecimal.
    pub cluster: String,
    /// Its own id.
    pub member: String,
    /// The leader's id; none without one.
    pub leader: Option<String>,
    /// Raft term.
    pub term: u64,
    /// Store revision.
    pub revision: u64,
}

/// A change of a key, never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdKey {
    /// Store revision of the change.
    pub revision: u64,
    /// The key.
    pub key: String,
    /// Whether the key was deleted.
    pub deleted: bool,
}

/// What a node's observer sees on its node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInventory {
    /// Control-plane processes.
    pub processes: Vec<Process>,
    /// Files in the kubelet's static manifest directory, by name.
    pub manifests: BTreeSet<String>,
    /// Files that only a bootstrap or recovery needs, by full path.
    pub bootstrap_files: BTreeSet<String>,
    /// Listening TCP ports, with the owner's pid where known.
    pub ports: BTreeMap<u16, Option<u32>>,
    /// The kubelet's process, when it runs.
    pub kubelet: Option<ProcessId>,
}

/// A process of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The component.
    pub component: Component,
    /// Who started it; none for what is not handed over, such as etcd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<Incarnation>,
    /// Which process.
    pub id: ProcessId,
    /// Files that its command line names and that are gone, by full path on the node.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing_files: BTreeSet<String>,
}

/// A process: a pid alone is reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessId {
    /// Process id as seen in the node.
    pub pid: u32,
    /// Start time in clock ticks since boot.
    pub start_ticks: u64,
}

/// A step, with the case's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Who announced it.
    pub actor: Actor,
    /// The step.
    pub step: StepName,
    /// Which side of it.
    pub moment: Moment,
    /// How often this actor announced this address in this case, from 1, across restarts.
    pub occurrence: u32,
    /// Whether the actor waits there.
    pub held: bool,
    /// The actor's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An operation of the installer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// `bootstrap`, `resume`, …
    pub operation: String,
    /// Whether another installer, of another cluster, is being run (which must be refused).
    #[serde(default)]
    pub foreign: bool,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationEnded {
    /// Which one.
    pub operation: String,
    /// How.
    pub end: OperationEnd,
    /// The installer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationEnd {
    /// The procedure is done.
    Done,
    /// It holds and waits for a person.
    Holding,
    /// It refused to begin and changed nothing.
    Refused,
    /// It failed otherwise.
    Failed,
    /// It was killed, by a fault or with its node.
    Killed,
    /// It did not end within its deadline.
    Overdue,
}

/// A fault and its effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// Index of the timeline entry, from 0.
    pub entry: u32,
    /// The fault as written.
    pub fault: Fault,
    /// The nodes (or none, for the installer or objects) that the selectors resolved to.
    pub targets: Vec<NodeId>,
    /// What was done, object by object.
    pub objects: Vec<String>,
    /// Whether it was proven that it took effect, and how; otherwise why not.
    pub effect: Result<String, String>,
    /// What the fault really does in containers.
    pub fidelity: String,
}

/// Lasting faults undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealRecord {
    /// Index of the timeline entry.
    pub entry: u32,
    /// The nodes that were healed.
    pub nodes: Vec<NodeId>,
    /// Whether the mechanism was proven undone, and how; otherwise why not.
    pub effect: Result<String, String>,
}

/// A timeline entry begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Index of the entry, from 0.
    pub entry: u32,
    /// What it is, in words.
    pub what: String,
    /// Whether it begins (otherwise it ends).
    pub begins: bool,
}

/// The result of watching the cluster settle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Index of the timeline entry.
    pub entry: u32,
    /// What was still missing when the time was up; empty when it settled.
    pub missing: Vec<String>,
    /// Claims of the user-level suite that failed, by name, with their error.
    pub failed_claims: BTreeMap<String, String>,
    /// How long it took.
    pub took_ms: u64,
}

/// A credential that was valid before, tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// What it is, such as `client certificate from before the pivot`.
    pub name: String,
    /// Accepted, refused (with the server's words), or not known because nobody answered.
    pub accepted: Option<Result<(), String>>,
}

/// A control sample of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSample {
    /// How late a timer of 100 ms fired.
    pub timer_late_us: u64,
    /// How long a write of 4 KiB and its fsync took.
    pub fsync_us: u64,
}

/// A silence of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Since when.
    pub since_us: u64,
    /// Why, as far as is known.
    pub reason: String,
}

/// The end of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseClosed {
    /// How the procedure stood in the end: `done`, `holding`, or another word for neither.
    pub end: String,
    /// Why the runner ended early, if it did: a cause that makes the case inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// Trouble that is nobody's verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Which kind.
    pub cause: Cause,
    /// In words.
    pub detail: String,
}

/// Why a case is inconclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A fault could not be injected, had no effect, or its address was never reached.
    Fault,
    /// Too little was seen.
    Samples,
    /// The host was too slow or too full.
    Host,
    /// The environment failed: the engine, the network, the image.
    Environment,
    /// The harness itself failed.
    Harness,
}

impl CaseOpened {
    /// Whether this step says that the procedure is done: the done step completed, or a mark of that name reached.
    pub fn is_done(&self, step: &Step) -> bool {
        let is_mark = self.done_step.as_str() == "done";
        step.step == self.done_step && (is_mark || step.moment == Moment::Completed)
    }
}

impl Settled {
    /// What was still missing when the time was up, in words; nothing when the cluster settled.
    pub fn failure(&self) -> Option<String> {
        if self.missing.is_empty() && self.failed_claims.is_empty() {
            return None;
        }
        let claims = self
            .failed_claims
            .iter()
            .map(|(name, error)| format!("{name} ({error})"));
        let all: Vec<_> = self.missing.iter().cloned().chain(claims).collect();
        Some(format!(
            "the cluster did not settle in {} ms: {}",
            self.took_ms,
            all.join("; ")
        ))
    }
}

impl NodeInventory {
    /// Manifests of apiservers, by the component's name in the file's name.
    pub fn apiserver_manifests(&self) -> impl Iterator<Item = &String> {
        let component = Component::KubeApiserver.name();
        self.manifests
            .iter()
            .filter(move |name| name.contains(component))
    }

    /// Manifests of the temporary apiserver: of apiservers, other than checkpoints.
    pub fn temporary_manifests(&self) -> impl Iterator<Item = &String> {
        self.apiserver_manifests()
            .filter(|name| !name.contains(Incarnation::Checkpoint.name()))
    }

    /// Whether a process of this component and incarnation runs.
    pub fn runs(&self, component: Component, incarnation: Incarnation) -> bool {
        let is_it = |process: &&Process| {
            process.component == component && process.incarnation == Some(incarnation)
        };
        self.processes.iter().any(|process| is_it(&process))
    }
}
