//! The shape that all pods of the control plane share, whoever starts them.

use serde_json::{Map, Value, json};

/// Where the instance's credentials are inside its container.
pub(super) const CREDENTIALS: &str = "/etc/kubernetes/credentials";
/// Where an apiserver's own serving pairs are inside its container.
pub(super) const SERVING: &str = "/etc/kubernetes/serving";
/// Where configuration without secrets is inside the container.
pub(super) const CONFIGURATION: &str = "/etc/kubernetes/configuration";

/// One instance of a control-plane component, on its node's network.
pub(super) struct ControlPlanePod {
    /// Name of the container: the component.
    pub(super) component: &'static str,
    /// Image reference.
    pub(super) image: String,
    /// Program and arguments.
    pub(super) command: Vec<String>,
    /// Environment of the container.
    pub(super) environment: Vec<Value>,
    /// Directories that the container sees.
    pub(super) volumes: Vec<Volume>,
    /// How the kubelet asks after it.
    pub(super) probes: Probes,
    /// Time to stop, in seconds, before it is killed.
    pub(super) grace_seconds: u32,
    /// Requested share of a core, in thousandths.
    pub(super) cpu_milli: u32,
    /// Requested memory, in mebibytes.
    pub(super) memory_mib: u32,
}

/// A directory and where it comes from.
pub(super) struct Volume {
    /// Name of the volume.
    pub(super) name: &'static str,
    /// Path inside the container.
    pub(super) path: &'static str,
    /// Whether the container may write.
    pub(super) writable: bool,
    /// Kind and reference, as the volume's only other key.
    pub(super) source: Source,
}

/// Where a volume's content comes from.
pub(super) enum Source {
    /// A directory of the node, which must be there before the pod starts.
    Node(&'static str),
    /// A directory of the node that is made if need be.
    NodeMade(&'static str),
    /// A Secret in the pod's namespace.
    Secret(&'static str),
    /// A ConfigMap in the pod's namespace.
    ConfigMap(&'static str),
}

/// Paths and port of an instance's health checks. The port is a number and never a declared
/// container port: on the host network a declared port is a claim on the host's, and the
/// scheduler would see a conflict with the bootstrap instance on the same node.
pub(super) struct Probes {
    /// Port on the loopback address.
    pub(super) port: u16,
    /// `HTTPS` or `HTTP`.
    pub(super) scheme: &'static str,
    /// Path that says: started, and not stuck.
    pub(super) liveness: &'static str,
    /// Path that says: use me.
    pub(super) readiness: &'static str,
}

impl Volume {
    /// A directory that the container may only read.
    pub(super) fn read(name: &'static str, path: &'static str, source: Source) -> Self {
        Self {
            name,
            path,
            writable: false,
            source,
        }
    }

    fn declaration(&self) -> Value {
        let (kind, reference) = match self.source {
            Source::Node(path) => ("hostPath", json!({ "path": path, "type": "Directory" })),
            Source::NodeMade(path) => (
                "hostPath",
                json!({ "path": path, "type": "DirectoryOrCreate" }),
            ),
            Source::Secret(name) => ("secret", json!({ "secretName": name })),
            Source::ConfigMap(name) => ("configMap", json!({ "name": name })),
        };
        json!({ "name": self.name, kind: reference })
    }

    fn mount(&self) -> Value {
        json!({ "name": self.name, "mountPath": self.path, "readOnly": !self.writable })
    }
}

impl Probes {
    fn probe(&self, path: &str, period_seconds: u32, failure_threshold: u32) -> Value {
        json!({
            "httpGet": { "host": "127.0.0.1", "port": self.port, "path": path, "scheme": self.scheme },
            "periodSeconds": period_seconds,
            "timeoutSeconds": 5,
            "failureThreshold": failure_threshold,
        })
    }
}

impl ControlPlanePod {
    /// The pod's specification, without what decides where it runs.
    pub(super) fn spec(&self) -> Map<String, Value> {
        let Self {
            component,
            image,
            command,
            environment,
            volumes,
            probes,
            ..
        } = self;
        let mut container = json!({
            "name": component,
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": command,
            "volumeMounts": volumes.iter().map(Volume::mount).collect::<Vec<_>>(),
            "resources": { "requests": {
                "cpu": format!("{}m", self.cpu_milli),
                "memory": format!("{}Mi", self.memory_mib),
            }},
            // Two minutes to start on a busy machine, then three misses of ten seconds to be
            // called stuck. Readiness is asked every two seconds, and six misses in a row span
            // an etcd election.
            "startupProbe": probes.probe(probes.liveness, 1, 120),
            "livenessProbe": probes.probe(probes.liveness, 10, 3),
            "readinessProbe": probes.probe(probes.readiness, 2, 6),
        });
        if !environment.is_empty() {
            container["env"] = Value::Array(environment.clone());
        }
        let spec = json!({
            "hostNetwork": true,
            "dnsPolicy": "Default",
            "enableServiceLinks": false,
            "automountServiceAccountToken": false,
            "priorityClassName": "system-node-critical",
            "terminationGracePeriodSeconds": self.grace_seconds,
            "tolerations": [{ "operator": "Exists" }],
            "containers": [container],
            "volumes": volumes.iter().map(Volume::declaration).collect::<Vec<_>>(),
        });
        match spec {
            Value::Object(map) => map,
            _ => unreachable!("the literal above is an object"),
        }
    }

    /// A static pod with this name.
    pub(super) fn static_pod(&self, name: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": "kube-system",
                // Labels of its own: a DaemonSet must never take it for one of its pods.
                "labels": { "k8s-app": name, "tier": "control-plane" },
            },
            "spec": self.spec(),
        })
    }

    /// A DaemonSet of this pod, one on each node with the labels of `node_selector`.
    pub(super) fn daemon_set(&self, node_selector: &Value, min_ready_seconds: u32) -> Value {
        let mut spec = self.spec();
        spec.insert("nodeSelector".to_owned(), node_selector.clone());
        spec.insert("serviceAccountName".to_owned(), json!(self.component));
        let labels = json!({ "k8s-app": self.component, "tier": "control-plane" });
        json!({
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": { "name": self.component, "namespace": "kube-system", "labels": labels },
            "spec": {
                "selector": { "matchLabels": { "k8s-app": self.component } },
                "updateStrategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": { "maxUnavailable": 1, "maxSurge": 0 },
                },
                "minReadySeconds": min_ready_seconds,
                "revisionHistoryLimit": 5,
                "template": { "metadata": { "labels": labels }, "spec": spec },
            },
        })
    }
}
