//! What the cluster says of itself: leases, nodes, pods, etcd.

use serde::{Deserialize, Serialize};
use terms::{Component, Incarnation, NodeId};

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
    /// Since when its condition says so, in the case's microseconds. The API writes whole seconds: it may be up to
    /// a second later. None while it is not ready, and in records that do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_since_us: Option<u64>,
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
