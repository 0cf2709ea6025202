//! The cluster's DNS: CoreDNS and its Service.

use serde_json::{Value, json};

use super::release::Release;
use crate::cluster_file::ClusterFile;

/// Names of the cluster only. There is no `forward`, because nothing may be asked outside, and
/// so no `loop` check, which would exit on a node whose resolver is on a loopback address.
const COREFILE: &str = "\
.:53 {
    errors
    health {
        lameduck 3s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        ttl 30
    }
    cache 30
    loadbalance
}
";

/// The files of CoreDNS's ConfigMap.
pub(super) fn configuration() -> Value {
    json!({ "Corefile": COREFILE })
}

/// The Service at the tenth address of the range, and the Deployment behind it.
pub(super) fn objects(cluster: &ClusterFile, release: Release) -> Vec<Value> {
    let labels = json!({ "k8s-app": "kube-dns" });
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": "kube-dns", "namespace": "kube-system", "labels": labels },
        "spec": {
            "selector": labels,
            "clusterIP": cluster.service_cidr.address(10),
            "ports": [
                { "name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53 },
                { "name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53 },
            ],
        },
    });
    let replicas = cluster.nodes.len().min(2);
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "coredns", "namespace": "kube-system", "labels": labels },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": labels },
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 1 } },
            "template": { "metadata": { "labels": labels }, "spec": pod_spec(cluster, release) },
        },
    });
    vec![service, deployment]
}

fn pod_spec(cluster: &ClusterFile, release: Release) -> Value {
    let probe = |path: &str, port: u16, period_seconds: u32| {
        json!({
            "httpGet": { "path": path, "port": port, "scheme": "HTTP" },
            "periodSeconds": period_seconds,
            "timeoutSeconds": 5,
            "failureThreshold": 5,
        })
    };
    let container = json!({
        "name": "coredns",
        "image": release.coredns_image(),
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        // The load balancer instead of the `kubernetes` Service, whose endpoints lag behind the
        // start and stop of apiservers.
        "env": [
            { "name": "KUBERNETES_SERVICE_HOST", "value": cluster.load_balancer },
            { "name": "KUBERNETES_SERVICE_PORT", "value": "6443" },
        ],
        "resources": { "requests": { "cpu": "20m", "memory": "32Mi" } },
        "volumeMounts": [{ "name": "configuration", "mountPath": "/etc/coredns", "readOnly": true }],
        "livenessProbe": probe("/health", 8080, 10),
        "readinessProbe": probe("/ready", 8181, 1),
    });
    json!({
        "serviceAccountName": "coredns",
        "dnsPolicy": "Default",
        "enableServiceLinks": false,
        "priorityClassName": "system-cluster-critical",
        "terminationGracePeriodSeconds": 10,
        "tolerations": [
            { "key": "CriticalAddonsOnly", "operator": "Exists" },
            { "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" },
            // Back within half a minute after its node died, not within five.
            { "key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30 },
            { "key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30 },
        ],
        "topologySpreadConstraints": [{
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": { "matchLabels": { "k8s-app": "kube-dns" } },
        }],
        "containers": [container],
        "volumes": [{ "name": "configuration", "configMap": { "name": "coredns" } }],
    })
}
