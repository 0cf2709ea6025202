//! The network of the cluster: kube-proxy and the pod network agent, one of each on every node.

use serde_json::{Value, json};

use super::release::Release;
use crate::cluster_file::ClusterFile;

/// Where a pod finds its service account's token and the cluster authority.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Both DaemonSets.
pub(super) fn daemon_sets(cluster: &ClusterFile, release: Release) -> Vec<Value> {
    vec![kube_proxy(release), pod_network(cluster, release)]
}

/// The files of kube-proxy's ConfigMap.
pub(super) fn kube_proxy_configuration(cluster: &ClusterFile) -> Value {
    let configuration = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": { "kubeconfig": "/etc/kube-proxy/kubeconfig.json" },
        "mode": "iptables",
        "clusterCIDR": cluster.pod_cidr,
        "detectLocalMode": "ClusterCIDR",
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        // Otherwise it tries to write kernel settings that a container may not, and exits.
        "conntrack": { "maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s" },
        "iptables": { "minSyncPeriod": "0.2s", "syncPeriod": "30s" },
    });
    // The load balancer, never one apiserver, and never the `kubernetes` Service, which works
    // only once kube-proxy does.
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "cluster", "cluster": {
            "server": format!("https://{}:6443", cluster.load_balancer),
            "certificate-authority": format!("{SERVICE_ACCOUNT}/ca.crt"),
        }}],
        "users": [{ "name": "kube-proxy", "user": { "tokenFile": format!("{SERVICE_ACCOUNT}/token") } }],
        "contexts": [{ "name": "cluster", "context": { "cluster": "cluster", "user": "kube-proxy" } }],
        "current-context": "cluster",
    });
    json!({
        "config.json": format!("{configuration:#}\n"),
        "kubeconfig.json": format!("{kubeconfig:#}\n"),
    })
}

fn kube_proxy(release: Release) -> Value {
    let container = json!({
        "name": "kube-proxy",
        "image": release.component_image("kube-proxy"),
        "imagePullPolicy": "IfNotPresent",
        "command": ["kube-proxy", "--config=/etc/kube-proxy/config.json", "--hostname-override=$(NODE_NAME)"],
        "env": [node_name()],
        // It writes rules and kernel settings of the node's network.
        "securityContext": { "privileged": true },
        "resources": { "requests": { "cpu": "20m", "memory": "32Mi" } },
        "volumeMounts": [
            { "name": "configuration", "mountPath": "/etc/kube-proxy", "readOnly": true },
            { "name": "xtables-lock", "mountPath": "/run/xtables.lock" },
            { "name": "modules", "mountPath": "/lib/modules", "readOnly": true },
        ],
    });
    let volumes = json!([
        { "name": "configuration", "configMap": { "name": "kube-proxy" } },
        { "name": "xtables-lock", "hostPath": { "path": "/run/xtables.lock", "type": "FileOrCreate" } },
        { "name": "modules", "hostPath": { "path": "/lib/modules" } },
    ]);
    daemon_set("kube-proxy", &container, &volumes)
}

fn pod_network(cluster: &ClusterFile, release: Release) -> Value {
    let container = json!({
        "name": "pod-network",
        "image": release.pod_network_image(),
        "imagePullPolicy": "IfNotPresent",
        "command": ["/usr/local/bin/pod-network"],
        "env": [
            node_name(),
            { "name": "KUBERNETES_API", "value": format!("https://{}:6443", cluster.load_balancer) },
        ],
        // It makes links, routes and one rule on the node, and lets it forward.
        "securityContext": { "privileged": true },
        "resources": { "requests": { "cpu": "10m", "memory": "16Mi" } },
        "volumeMounts": [
            { "name": "cni-configuration", "mountPath": "/etc/cni/net.d" },
            { "name": "node", "mountPath": "/host" },
        ],
    });
    let volumes = json!([
        { "name": "cni-configuration", "hostPath": { "path": "/etc/cni/net.d", "type": "DirectoryOrCreate" } },
        // The agent's image holds the agent only; it runs the node's ip, bridge and iptables.
        { "name": "node", "hostPath": { "path": "/", "type": "Directory" } },
    ]);
    daemon_set("pod-network", &container, &volumes)
}

fn node_name() -> Value {
    json!({ "name": "NODE_NAME", "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } })
}

/// One pod on every node, whatever state the node is in: without these no node becomes ready.
fn daemon_set(name: &str, container: &Value, volumes: &Value) -> Value {
    let labels = json!({ "k8s-app": name });
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": { "name": name, "namespace": "kube-system", "labels": labels },
        "spec": {
            "selector": { "matchLabels": labels },
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 1, "maxSurge": 0 } },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "serviceAccountName": name,
                    "hostNetwork": true,
                    "dnsPolicy": "Default",
                    "enableServiceLinks": false,
                    "priorityClassName": "system-node-critical",
                    "terminationGracePeriodSeconds": 5,
                    "tolerations": [{ "operator": "Exists" }],
                    "containers": [container],
                    "volumes": volumes,
                },
            },
        },
    })
}
