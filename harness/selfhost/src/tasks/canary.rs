//! A Deployment that proves that controllers act: the controller manager must make its pod, the
//! scheduler bind it and a kubelet start it. Their health would prove less: a standby is green
//! before it has any informer.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use pivot::Why;
use serde_json::json;
use tokio::time::{Instant, interval};

use super::Answer;
use crate::events::boot_us;

/// Every node has it: it is the sandbox image, so that nothing is pulled.
const IMAGE: &str = "registry.k8s.io/pause:3.10.1";
/// Where the canary lives.
const NAMESPACE: &str = "kube-system";
/// The label by which remains of earlier attempts are found.
const LABEL: &str = "selfhost-canary";
/// How often its pod is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Makes a canary, waits until its pod is bound and ready, and removes it.
pub(super) async fn canary(client: &Client, within: Duration) -> Answer {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let remains = ListParams::default().labels(&format!("k8s-app={LABEL}"));
    let removal = DeleteParams::background();
    if let Err(error) = deployments.delete_collection(&removal, &remains).await {
        return Answer::of_api_error("removing earlier canaries", &error);
    }
    // A name of its own: a pod of an earlier attempt proves nothing now.
    let name = format!("{LABEL}-{}", boot_us());
    if let Err(error) = deployments
        .create(&PostParams::default(), &deployment(&name))
        .await
    {
        return Answer::of_api_error("creating the canary", &error);
    }
    let seen = wait(client, &name, within).await;
    let removed = deployments.delete(&name, &removal).await;
    match (seen, removed) {
        (Seen::Ready, Ok(_)) => Answer::done(),
        (Seen::Ready, Err(error)) => Answer::of_api_error("removing the canary", &error),
        (seen, _) => {
            let detail = format!(
                "the canary {name} was not ready within {within:?}: {}",
                seen.words()
            );
            Answer::failed(Why::CanaryLost, detail)
        }
    }
}

/// How far the canary got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    Unbound,
    Bound,
    Ready,
}

impl Seen {
    fn words(self) -> &'static str {
        match self {
            Self::Nothing => "no controller manager made its pod, or the API did not answer",
            Self::Unbound => "no scheduler bound its pod",
            Self::Bound => "no kubelet started its pod",
            Self::Ready => "it was ready",
        }
    }
}

async fn wait(client: &Client, name: &str, within: Duration) -> Seen {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let ours = ListParams::default().labels(&format!("canary={name}"));
    let until = Instant::now() + within;
    let mut looks = interval(LOOK_EVERY);
    let mut seen = Seen::Nothing;
    while Instant::now() < until {
        looks.tick().await;
        // A failed look is no look: the next one tells.
        let Ok(found) = pods.list(&ours).await else {
            continue;
        };
        let best = found.items.iter().map(look).max_by_key(|seen| *seen as u8);
        seen = best.unwrap_or(Seen::Nothing);
        if seen == Seen::Ready {
            break;
        }
    }
    seen
}

fn look(pod: &Pod) -> Seen {
    let bound = pod
        .spec
        .as_ref()
        .is_some_and(|spec| spec.node_name.is_some());
    let conditions = pod
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    let ready = conditions.is_some_and(|all| {
        all.iter()
            .any(|one| one.type_ == "Ready" && one.status == "True")
    });
    match (bound, ready) {
        (true, true) => Seen::Ready,
        (true, false) => Seen::Bound,
        (false, _) => Seen::Unbound,
    }
}

fn deployment(name: &str) -> Deployment {
    let labels = json!({ "k8s-app": LABEL, "canary": name });
    serde_json::from_value(json!({
        "metadata": { "name": name, "namespace": NAMESPACE, "labels": labels },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    // It asks about the controllers and not about the pod network.
                    "hostNetwork": true,
                    "automountServiceAccountToken": false,
                    "enableServiceLinks": false,
                    "terminationGracePeriodSeconds": 0,
                    "tolerations": [{ "operator": "Exists" }],
                    "containers": [{ "name": "pause", "image": IMAGE, "imagePullPolicy": "Never" }],
                },
            },
        },
    }))
    .expect("the literal above is a Deployment")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pod: &serde_json::Value, expected: Seen) {
        assert_eq!(
            look(&serde_json::from_value(pod.clone()).unwrap()),
            expected
        );
    }

    #[test]
    fn only_a_bound_and_ready_pod_proves_anything() {
        let ready = json!({ "conditions": [{ "type": "Ready", "status": "True" }] });
        let spec = json!({ "nodeName": "cp-1", "containers": [] });
        check(&json!({ "spec": spec, "status": ready }), Seen::Ready);
        check(&json!({ "spec": spec, "status": {} }), Seen::Bound);
        check(
            &json!({ "spec": { "containers": [] }, "status": ready }),
            Seen::Unbound,
        );
        assert_eq!(deployment("x").metadata.name.as_deref(), Some("x"));
    }
}
