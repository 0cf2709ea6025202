//! `selfhost recover --rescue`: a pod that a node runs because it is told so, in the place of a scheduler
//! or a controller manager that nobody brings back: their own pods wait for the one that is lost.

use std::time::Duration;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, DeleteParams, PostParams};
use pivot::{Facts, PodFact};
use serde_json::{Value, json};
use terms::{Component, Incarnation};
use tokio::time::{Instant, sleep};

use crate::facts::FactSource;

/// Where the control plane lives.
const NAMESPACE: &str = "kube-system";
/// How long the component is looked for before it counts as lost: two renewals of a node's lease, which
/// tell that the node is heard of, and a second for the answers.
const LOOK_FOR: Duration = Duration::from_secs(10);
/// How long its own pod may take to be ready.
const RETURNS_WITHIN: Duration = Duration::from_secs(180);

/// How a rescue ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rescued {
    /// The component's own pod is ready and the rescue pod is gone.
    Done,
    /// The component is alive; nothing was changed.
    Alive,
    /// Its own pod is not ready yet; the rescue pod stays.
    Waiting,
}

/// A rescue could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RescueError {
    /// The API refused or did not answer.
    #[error("cannot {doing}; if no apiserver answers, run `selfhost recover` without --rescue")]
    Api {
        /// What was being done.
        doing: String,
        /// What the API said.
        source: Box<kube::Error>,
    },
    /// The pod template is not one of a control-plane component.
    #[error("DaemonSet {0} has no pod template that can be used")]
    Template(Component),
}

impl RescueError {
    fn when(doing: &str) -> impl FnOnce(kube::Error) -> Self {
        let doing = doing.to_owned();
        move |source| Self::Api {
            doing,
            source: Box::new(source),
        }
    }
}

/// Runs a copy of the component on `node` until the component's own pod is ready somewhere.
///
/// # Errors
/// When the API does not answer, or the component has no DaemonSet.
pub(crate) async fn rescue(
    client: &Client,
    facts: &mut impl FactSource,
    component: Component,
    node: &str,
) -> Result<Rescued, RescueError> {
    if seen(facts, component, LOOK_FOR).await {
        return Ok(Rescued::Alive);
    }
    let sets: Api<DaemonSet> = Api::namespaced(client.clone(), NAMESPACE);
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let set = sets.get(component.name()).await;
    let set = set.map_err(RescueError::when(&format!("read DaemonSet {component}")))?;
    let pod = rescue_pod(&set, component, node).ok_or(RescueError::Template(component))?;
    let name = pod.metadata.name.clone().unwrap_or_default();
    match pods.create(&PostParams::default(), &pod).await {
        // An earlier attempt made it.
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        other => drop(other.map_err(RescueError::when(&format!("create pod {name}")))?),
    }
    eprintln!("pod {name} placed on {node}; waiting for a pod of DaemonSet {component}");
    if !seen(facts, component, RETURNS_WITHIN).await {
        return Ok(Rescued::Waiting);
    }
    let deleted = pods.delete(&name, &DeleteParams::default()).await;
    deleted.map_err(RescueError::when(&format!("delete pod {name}")))?;
    while pods
        .get_opt(&name)
        .await
        .map_err(RescueError::when(&format!("look for pod {name}")))?
        .is_some()
    {
        sleep(Duration::from_millis(500)).await;
    }
    Ok(Rescued::Done)
}

/// Waits until the component's own pod is seen ready on a node that is heard of.
async fn seen(facts: &mut impl FactSource, component: Component, within: Duration) -> bool {
    let until = Instant::now() + within;
    while let Ok(facts) = tokio::time::timeout_at(until, facts.next()).await {
        if is_alive(&facts, component) {
            return true;
        }
    }
    false
}

fn is_alive(facts: &Facts, component: Component) -> bool {
    let own = |pod: &PodFact| {
        pod.claims == Some(component)
            && pod.incarnation == Incarnation::SelfHosted
            && pod.ready
            && pod.fresh
    };
    facts.pods_known && facts.pods.iter().flatten().any(own)
}

/// The DaemonSet's pod, bound to a node. Its labels are its own, or the DaemonSet would take it for
/// one of its pods; its port is that of the bootstrap's instances, so that both can run on one node.
fn rescue_pod(set: &DaemonSet, component: Component, node: &str) -> Option<Pod> {
    let template = serde_json::to_value(set.spec.as_ref()?.template.spec.as_ref()?).ok()?;
    let (own, other) = match component {
        Component::KubeControllerManager => ("10257", "10357"),
        Component::KubeScheduler => ("10259", "10359"),
        _ => return None,
    };
    let mut spec: Value = serde_json::from_str(&template.to_string().replace(own, other)).ok()?;
    let fields = spec.as_object_mut()?;
    // The node is given: no scheduler is asked, and the kubelet need not find the label.
    fields.remove("nodeSelector");
    fields.remove("affinity");
    fields.insert("nodeName".to_owned(), json!(node));
    let name = format!("rescue-{component}");
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("{name}-{node}"),
            "namespace": NAMESPACE,
            "labels": { "k8s-app": name },
        },
        "spec": spec,
    }))
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> DaemonSet {
        serde_json::from_value(json!({
            "metadata": { "name": "kube-scheduler" },
            "spec": {
                "selector": { "matchLabels": { "k8s-app": "kube-scheduler" } },
                "template": {
                    "metadata": { "labels": { "k8s-app": "kube-scheduler" } },
                    "spec": {
                        "nodeSelector": { "node-role.kubernetes.io/control-plane": "" },
                        "hostNetwork": true,
                        "containers": [{
                            "name": "kube-scheduler",
                            "command": ["kube-scheduler", "--secure-port=10259"],
                            "livenessProbe": { "httpGet": { "port": 10259, "scheme": "HTTPS" } },
                        }],
                    },
                },
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_rescue_pod_is_bound_unlike_its_siblings_and_on_another_port() {
        let pod = rescue_pod(&set(), Component::KubeScheduler, "cp-2").unwrap();
        assert_eq!(
            pod.metadata.name.as_deref(),
            Some("rescue-kube-scheduler-cp-2")
        );
        let labels = pod.metadata.labels.unwrap();
        assert_eq!(labels["k8s-app"], "rescue-kube-scheduler");
        let spec = serde_json::to_value(pod.spec.unwrap()).unwrap();
        assert_eq!(spec["nodeName"], "cp-2");
        assert_eq!(spec["nodeSelector"], Value::Null);
        let text = spec.to_string();
        assert!(
            text.contains("--secure-port=10359") && !text.contains("10259"),
            "{text}"
        );
        assert!(rescue_pod(&set(), Component::KubeApiserver, "cp-2").is_none());
    }
}
