//! One fact for each pod of the control plane, of either incarnation.

use k8s_openapi::api::core::v1::Pod;
use pivot::{PodFact, PodPhase};
use terms::{Component, Incarnation};

/// The label selector that finds them all.
pub(super) const SELECTOR: &str = "k8s-app in (kube-apiserver, kube-controller-manager, kube-scheduler, \
    bootstrap-kube-apiserver, bootstrap-kube-controller-manager, bootstrap-kube-scheduler)";

/// The annotation of a static pod's mirror, which no other pod may carry.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// What the API tells of a pod. `index_of` gives a node's index, `fresh` whether its lease was renewed lately.
pub(super) fn pod_fact(
    pod: &Pod,
    index_of: impl Fn(&str) -> Option<u8>,
    fresh: impl Fn(&str) -> bool,
) -> PodFact {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let label = pod
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get("k8s-app"));
    let claims = label
        .map(|label| label.strip_prefix("bootstrap-").unwrap_or(label))
        .and_then(Component::from_name);
    let looks_like = Component::SELF_HOSTED
        .into_iter()
        .find(|component| name.starts_with(component.name()));
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    let status = pod.status.as_ref();
    let ready = status
        .and_then(|status| status.conditions.as_ref())
        .is_some_and(|all| {
            all.iter()
                .any(|one| one.type_ == "Ready" && one.status == "True")
        });
    PodFact {
        claims,
        looks_like,
        node: node.and_then(index_of),
        incarnation: incarnation(pod, name),
        phase: match status.and_then(|status| status.phase.as_deref()) {
            Some("Running") => PodPhase::Running,
            Some("Succeeded" | "Failed") => PodPhase::Ended,
            _ => PodPhase::Pending,
        },
        ready: ready && pod.metadata.deletion_timestamp.is_none(),
        fresh: node.is_some_and(fresh),
    }
}

/// A DaemonSet's pod is self-hosted. A mirror is a static pod's: the checkpoint agent's by its name,
/// otherwise the bootstrap's. A pod of nobody's is never taken for a self-hosted one.
fn incarnation(pod: &Pod, name: &str) -> Incarnation {
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    let annotations = pod.metadata.annotations.as_ref();
    let mirror = annotations.is_some_and(|all| all.contains_key(MIRROR));
    if !mirror && owners.iter().any(|owner| owner.kind == "DaemonSet") {
        Incarnation::SelfHosted
    } else if mirror && name.starts_with("checkpoint-") {
        Incarnation::Checkpoint
    } else {
        Incarnation::Bootstrap
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fact(metadata: &Value, status: &Value) -> PodFact {
        let pod = json!({ "metadata": metadata, "spec": { "nodeName": "cp-2", "containers": [] }, "status": status });
        let pod = serde_json::from_value(pod).unwrap();
        pod_fact(
            &pod,
            |name| (name == "cp-2").then_some(1),
            |name| name == "cp-2",
        )
    }

    #[test]
    fn a_daemon_sets_pod_is_self_hosted_and_a_mirror_is_not() {
        let ready =
            json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] });
        let owner = json!([{ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "kube-scheduler", "uid": "1" }]);
        let own = fact(
            &json!({ "name": "kube-scheduler-x", "labels": { "k8s-app": "kube-scheduler" }, "ownerReferences": owner }),
            &ready,
        );
        let expected = PodFact {
            claims: Some(Component::KubeScheduler),
            looks_like: Some(Component::KubeScheduler),
            node: Some(1),
            incarnation: Incarnation::SelfHosted,
            phase: PodPhase::Running,
            ready: true,
            fresh: true,
        };
        assert_eq!(own, expected);
        let mirror = fact(
            &json!({
                "name": "bootstrap-kube-scheduler-cp-2",
                "labels": { "k8s-app": "bootstrap-kube-scheduler" },
                "annotations": { MIRROR: "1" },
                "ownerReferences": [{ "apiVersion": "v1", "kind": "Node", "name": "cp-2", "uid": "2" }],
            }),
            &ready,
        );
        assert_eq!(
            mirror,
            PodFact {
                looks_like: None,
                incarnation: Incarnation::Bootstrap,
                ..expected
            }
        );
    }

    #[test]
    fn a_pod_that_is_being_deleted_is_not_ready() {
        let ready =
            json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] });
        let leaving =
            json!({ "name": "kube-scheduler-x", "deletionTimestamp": "2024-01-01T00:00:00Z" });
        assert!(!fact(&leaving, &ready).ready);
        assert_eq!(
            fact(&json!({ "name": "x" }), &json!({})).phase,
            PodPhase::Pending
        );
    }
}
