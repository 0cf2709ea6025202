//! What faults through the API hit: objects that are deleted, changed, or get a new revision.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Component;

/// A kind of API object that can be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub enum Resource {
    /// A pod.
    Pod,
    /// A DaemonSet.
    DaemonSet,
    /// A Deployment.
    Deployment,
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
    /// A Lease.
    Lease,
    /// A node object (the machine itself stays).
    Node,
    /// What gives rights within a namespace.
    RoleBinding,
    /// What gives rights in the whole cluster.
    ClusterRoleBinding,
}

impl Resource {
    /// Whether its objects live in namespaces.
    pub const fn is_namespaced(self) -> bool {
        !matches!(self, Self::Node | Self::ClusterRoleBinding)
    }
}

/// Which object is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// What kind of object.
    pub kind: Resource,
    /// Its namespace; none for objects that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A label selector, such as `k8s-app=kube-apiserver`, instead of a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// At most this many of the objects that the selector finds, by name; all unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Which DaemonSet gets a new revision, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Roll {
    /// The component.
    pub component: Component,
    /// An argument, such as `--name=value`, that the revision has at its end. What an earlier roll appended goes; without one that
    /// is all that happens, and the revision is harmless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    /// The user, by number, as whom the revision's processes run. What an earlier roll said goes in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<u32>,
}

/// What kind of object is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Changeable {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

impl Changeable {
    /// The name that a scenario writes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// Which value changes. It gets another line end at its end: other bytes, which mean the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What kind of object.
    pub kind: Changeable,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The key whose value changes; the first one unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
