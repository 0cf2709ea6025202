//! Service accounts of the cluster's own pods and what each may do.

use serde_json::{Value, json};

use super::checkpoint_agent;
use super::identities::KUBELET_CLIENT;
use crate::cluster_file::ClusterFile;

/// All service accounts, roles and bindings.
pub(super) fn objects(cluster: &ClusterFile, agent: bool) -> Vec<Value> {
    let accounts = [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
        "pod-network",
        "coredns",
    ];
    let mut objects: Vec<Value> = accounts.into_iter().map(service_account).collect();
    objects.extend([
        cluster_role(
            "chrysalis:pod-network",
            &json!([{ "apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"] }]),
        ),
        cluster_role(
            "chrysalis:coredns",
            &json!([
                { "apiGroups": [""], "resources": ["services", "namespaces", "pods"], "verbs": ["list", "watch"] },
                { "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"] },
            ]),
        ),
        cluster_role_binding("chrysalis:pod-network", "chrysalis:pod-network", &account("pod-network")),
        cluster_role_binding("chrysalis:coredns", "chrysalis:coredns", &account("coredns")),
        // Under a kubelet's identity kube-proxy may not list EndpointSlices.
        cluster_role_binding("chrysalis:kube-proxy", "system:node-proxier", &account("kube-proxy")),
        cluster_role_binding(
            "chrysalis:kubelet-client",
            "system:kubelet-api-admin",
            &json!({ "kind": "User", "name": KUBELET_CLIENT, "apiGroup": "rbac.authorization.k8s.io" }),
        ),
    ]);
    if agent {
        objects.push(service_account(checkpoint_agent::NAME));
        objects.extend(checkpoint_agent::access(cluster));
    }
    objects
}

fn service_account(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": name, "namespace": "kube-system" },
    })
}

fn account(name: &str) -> Value {
    json!({ "kind": "ServiceAccount", "name": name, "namespace": "kube-system" })
}

fn cluster_role(name: &str, rules: &Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": { "name": name },
        "rules": rules,
    })
}

fn cluster_role_binding(name: &str, role: &str, subject: &Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
        "subjects": [subject],
    })
}
