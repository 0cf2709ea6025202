//! The objects that the suite creates.

use serde_json::{Value, json};

use super::stage::Stage;

/// The name of the Deployment, its Service and its budget.
pub(super) const SERVER: &str = "server";
/// How many pods there are: two, so that one can talk to another.
pub(super) const REPLICAS: usize = 2;
/// Where a pod answers.
pub(super) const PORT: u16 = 8080;
/// What a pod's log begins with; its name follows.
pub(super) const FIRST_WORDS: &str = "answering as";

/// Reads the request before it answers: a connection closed with unread bytes would be reset.
/// The name is what tells pods apart.
const SCRIPT: &str = r#"cat >/tmp/answer <<'END'
while read -r line && [ "${#line}" -gt 1 ]; do :; done
printf 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n%s\n' "$HOSTNAME"
END
echo "answering as $HOSTNAME"
exec socat TCP-LISTEN:8080,fork,reuseaddr EXEC:"/bin/sh /tmp/answer""#;

pub(super) fn namespace(stage: &Stage) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": stage.name, "labels": { "app.kubernetes.io/managed-by": "chrysalis" } },
    })
}

pub(super) fn service() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": SERVER },
        "spec": { "selector": labels(), "ports": [{ "port": PORT, "targetPort": PORT }] },
    })
}

/// Forbids that any pod goes.
pub(super) fn budget() -> Value {
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": { "name": SERVER },
        "spec": { "minAvailable": REPLICAS, "selector": { "matchLabels": labels() } },
    })
}

pub(super) fn deployment(stage: &Stage) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": SERVER },
        "spec": {
            "replicas": REPLICAS,
            "selector": { "matchLabels": labels() },
            "template": { "metadata": { "labels": labels() }, "spec": pod(stage) },
        },
    })
}

fn labels() -> Value {
    json!({ "app.kubernetes.io/name": SERVER })
}

fn pod(stage: &Stage) -> Value {
    let mut pod = json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 1,
        // Only these taints: a pod that tolerates all would be sent to dead nodes, too.
        "tolerations": [
            { "key": "node-role.kubernetes.io/control-plane", "operator": "Exists" },
            { "key": "node-role.kubernetes.io/master", "operator": "Exists" },
        ],
        // Nodes whose taints keep the pods away do not count, so one node is enough if it is the
        // only one.
        "topologySpreadConstraints": [{
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "DoNotSchedule",
            "nodeTaintsPolicy": "Honor",
            "labelSelector": { "matchLabels": labels() },
        }],
        "containers": [{
            "name": SERVER,
            "image": stage.image,
            "imagePullPolicy": "Never",
            "command": ["/bin/sh", "-c", SCRIPT],
            "ports": [{ "containerPort": PORT }],
            "readinessProbe": { "httpGet": { "port": PORT }, "periodSeconds": 1 },
            "volumeMounts": [{ "name": "tools", "mountPath": "/usr", "readOnly": true }],
        }],
        "volumes": [{ "name": "tools", "hostPath": { "path": "/usr", "type": "Directory" } }],
    });
    if !stage.absent.is_empty() {
        pod["affinity"] = elsewhere(stage);
    }
    pod
}

/// Keeps pods off absent nodes, of which the control plane may not yet know that they are.
fn elsewhere(stage: &Stage) -> Value {
    let fields: Vec<Value> = (stage.absent.iter())
        .map(|node| json!({ "key": "metadata.name", "operator": "NotIn", "values": [node] }))
        .collect();
    json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{ "matchFields": fields }],
    } } })
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use k8s_openapi::api::apps::v1::Deployment;
    use k8s_openapi::api::core::v1::{Namespace, Service};
    use k8s_openapi::api::policy::v1::PodDisruptionBudget;
    use serde::de::DeserializeOwned;

    use super::*;

    pub(in crate::claims) fn stage(absent: &[&str]) -> Stage {
        // Nobody listens there, and nobody asks.
        let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        Stage {
            client: kube::Client::try_from(config).unwrap(),
            name: "chrysalis-claims-1".to_owned(),
            image: "registry.k8s.io/kube-proxy:v1.34.4".to_owned(),
            present: BTreeSet::new(),
            absent: absent.iter().map(|node| (*node).to_owned()).collect(),
        }
    }

    pub(in crate::claims) fn assert_is<T: DeserializeOwned + serde::Serialize>(manifest: Value) {
        let parsed: T = serde_json::from_value(manifest.clone()).unwrap();
        assert_eq!(
            serde_json::to_value(parsed).unwrap(),
            manifest,
            "a field is misspelt"
        );
    }

    #[tokio::test]
    async fn every_field_is_one_of_the_api() {
        assert_is::<Namespace>(namespace(&stage(&[])));
        assert_is::<Service>(service());
        assert_is::<PodDisruptionBudget>(budget());
        assert_is::<Deployment>(deployment(&stage(&["cp-1", "cp-2"])));
    }

    #[tokio::test]
    async fn pods_keep_off_each_absent_node() {
        assert_eq!(pod(&stage(&[])).get("affinity"), None);
        let pod = pod(&stage(&["cp-1", "cp-2"]));
        let path = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
        let terms = pod.pointer(path).unwrap();
        // Terms are alternatives, the fields of one are not.
        assert_eq!(terms.as_array().unwrap().len(), 1);
        assert_eq!(terms[0]["matchFields"][1]["values"], json!(["cp-2"]));
        assert_eq!(terms[0]["matchFields"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn the_script_says_what_is_looked_for() {
        assert!(SCRIPT.contains(&format!("echo \"{FIRST_WORDS} $HOSTNAME\"")));
        assert!(SCRIPT.contains(&format!("TCP-LISTEN:{PORT},")));
    }
}
