//! The checkpoint agent: one on each control-plane node, as a DaemonSet's pod, and as the static
//! copy with which it protects itself.

use serde_json::{Value, json};

use super::release::AGENT_IMAGE;
use crate::cluster_file::{ClusterFile, Role};

/// Name of the DaemonSet, and of the static copy's pod.
pub(crate) const NAME: &str = "checkpoint-agent";
/// The agent's own directory on a node: its credentials and its plan.
pub(crate) const DIRECTORY: &str = "/etc/kubernetes/checkpoint-agent";
/// Group of all agents; what they may do is bound to it.
pub(super) const GROUP: &str = "chrysalis:checkpoint-agents";
/// The namespace of the control plane.
const NAMESPACE: &str = "kube-system";
/// Directories of the node that the agent sees, at the same places: manifests and what they are
/// prepared from, checkpoints, and the socket by which it asks whether the runtime is there.
const DIRECTORIES: [(&str, &str, &str); 3] = [
    ("kubernetes", "/etc/kubernetes", "Directory"),
    ("state", "/var/lib/selfhost", "DirectoryOrCreate"),
    ("runtime", "/run/containerd", "Directory"),
];

/// User as which a node's agent acts.
pub(super) fn user(node: &str) -> String {
    format!("chrysalis:checkpoint-agent:{node}")
}

/// Name of the Lease that a node's agent renews.
pub(crate) fn lease(node: &str) -> String {
    format!("{NAME}-{node}")
}

/// The DaemonSet.
pub(super) fn daemon_set() -> Value {
    let node = json!({ "name": "NODE_NAME", "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } });
    let mut spec = spec("$(NODE_NAME)", &json!([node]));
    spec["nodeSelector"] = json!({ "node-role.kubernetes.io/control-plane": "" });
    spec["serviceAccountName"] = json!(NAME);
    spec["priorityClassName"] = json!("system-node-critical");
    spec["tolerations"] = json!([{ "operator": "Exists" }]);
    let labels = json!({ "k8s-app": NAME });
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": { "name": NAME, "namespace": NAMESPACE, "labels": labels },
        "spec": {
            "selector": { "matchLabels": labels },
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 1, "maxSurge": 0 } },
            "template": { "metadata": { "labels": labels }, "spec": spec },
        },
    })
}

/// The static copy on one node: labels of its own, and nothing that the API would have to tell.
pub(crate) fn static_pod(node: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": { "k8s-app": format!("{NAME}-copy") },
        },
        "spec": spec(node, &json!([])),
    })
}

fn spec(node: &str, environment: &Value) -> Value {
    let mounts = DIRECTORIES.map(|(name, path, _)| json!({ "name": name, "mountPath": path }));
    let volumes = DIRECTORIES.map(
        |(name, path, kind)| json!({ "name": name, "hostPath": { "path": path, "type": kind } }),
    );
    let mut container = json!({
        "name": NAME,
        "image": AGENT_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": [
            "selfhost",
            "checkpoint",
            format!("--node={node}"),
            format!("--policy={DIRECTORY}/plan.json"),
        ],
        "resources": { "requests": { "cpu": "10m", "memory": "24Mi" } },
        "volumeMounts": mounts,
    });
    if environment.as_array().is_some_and(|all| !all.is_empty()) {
        container["env"] = environment.clone();
    }
    json!({
        // It tells instances of one component apart by the processes of its node.
        "hostPID": true,
        "hostNetwork": true,
        "dnsPolicy": "Default",
        "enableServiceLinks": false,
        "automountServiceAccountToken": false,
        "terminationGracePeriodSeconds": 5,
        "containers": [container],
        "volumes": volumes,
    })
}

/// What agents may do: read what they copy, and tell of themselves, each in a Lease of its own.
pub(super) fn access(cluster: &ClusterFile) -> Vec<Value> {
    let group = json!({ "kind": "Group", "name": GROUP, "apiGroup": "rbac.authorization.k8s.io" });
    let read = json!(["get", "list", "watch"]);
    let mut objects = vec![
        role(
            "chrysalis:checkpoint-agent",
            &json!([
                { "apiGroups": [""], "resources": ["pods", "secrets", "configmaps"], "verbs": read },
                { "apiGroups": ["apps"], "resources": ["daemonsets"], "verbs": read },
                { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": read },
                // A creation cannot be bound to a name.
                { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"] },
            ]),
        ),
        role_binding("chrysalis:checkpoint-agent", &group),
    ];
    for node in cluster
        .nodes
        .iter()
        .filter(|node| node.role == Role::ControlPlane)
    {
        let name = user(&node.name);
        let user = json!({ "kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io" });
        objects.push(role(
            &name,
            &json!([{
                "apiGroups": ["coordination.k8s.io"],
                "resources": ["leases"],
                "resourceNames": [lease(&node.name)],
                "verbs": ["update", "patch"],
            }]),
        ));
        objects.push(role_binding(&name, &user));
    }
    objects
}

fn role(name: &str, rules: &Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "rules": rules,
    })
}

fn role_binding(name: &str, subject: &Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
        "subjects": [subject],
    })
}
