//! `deployment-rolls-out`.

use std::collections::BTreeSet;

use futures::try_join;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;
use kube::api::ListParams;

use super::answering_pod::AnsweringPod;
use super::deadline::Deadline;
use super::manifests::{self, REPLICAS, SERVER};
use super::namespace::create;
use super::reason::reason;
use super::stage::Stage;

/// Creates the Deployment, and its Service and budget before it, so that nobody asks for them too
/// early: DNS remembers for a while that a name is not there.
pub(super) async fn available(
    stage: &Stage,
    deadline: Deadline,
) -> Result<Vec<AnsweringPod>, String> {
    let services = Api::<Service>::namespaced(stage.client.clone(), &stage.name);
    let budgets = Api::<PodDisruptionBudget>::namespaced(stage.client.clone(), &stage.name);
    let deployments = &Api::<Deployment>::namespaced(stage.client.clone(), &stage.name);
    try_join!(
        deadline.once("create a Service", create(&services, manifests::service())),
        deadline.once(
            "create a disruption budget",
            create(&budgets, manifests::budget())
        ),
    )?;
    let creation = create(deployments, manifests::deployment(stage));
    deadline.once("create a Deployment", creation).await?;
    let pods = &Api::<Pod>::namespaced(stage.client.clone(), &stage.name);
    let what = format!("wait for {REPLICAS} available replicas");
    let found = deadline.until(&what, || look(deployments, pods)).await?;
    let nodes: BTreeSet<&str> = found.iter().map(|pod| pod.node.as_str()).collect();
    if nodes.len() < REPLICAS.min(stage.present.len()) {
        let present: Vec<&str> = stage.present.iter().map(String::as_str).collect();
        return Err(format!(
            "all replicas are on {nodes:?}, though there are {}",
            present.join(", ")
        ));
    }
    Ok(found)
}

async fn look(deployments: &Api<Deployment>, pods: &Api<Pod>) -> Result<Vec<AnsweringPod>, String> {
    let deployment = deployments.get(SERVER).await.map_err(reason)?;
    let list = pods
        .list(&ListParams::default())
        .await
        .map_err(reason)?
        .items;
    let available = available_replicas(&deployment);
    let found: Vec<AnsweringPod> = list
        .iter()
        .filter_map(|pod| AnsweringPod::new(pods, pod))
        .collect();
    if available >= REPLICAS && found.len() >= REPLICAS {
        return Ok(found);
    }
    let states: Vec<String> = list.iter().map(state).collect();
    let states = if states.is_empty() {
        "there is no pod".to_owned()
    } else {
        states.join("; ")
    };
    Err(format!("{available} are available; {states}"))
}

/// None while the controller has not yet seen the Deployment.
fn available_replicas(deployment: &Deployment) -> usize {
    let status = deployment.status.as_ref();
    status
        .filter(|status| status.observed_generation >= deployment.metadata.generation)
        .and_then(|status| status.available_replicas)
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0)
}

/// How a pod is, in words: its place, its phase, and what its conditions or container complain of.
fn state(pod: &Pod) -> String {
    let name = pod.metadata.name.as_deref().unwrap_or("?");
    let node = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.node_name.as_deref())
        .unwrap_or("no node");
    let status = pod.status.as_ref();
    let phase = status
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("Unknown");
    let mut words = format!("{name} on {node} is {phase}");
    let conditions = status
        .and_then(|status| status.conditions.as_ref())
        .into_iter()
        .flatten();
    let unmet = conditions.filter(|condition| condition.status != "True");
    let mut complaints: Vec<String> = unmet
        .filter_map(|condition| condition.message.clone())
        .collect();
    let containers = status
        .and_then(|status| status.container_statuses.as_ref())
        .into_iter()
        .flatten();
    for waiting in containers.filter_map(|container| container.state.as_ref()?.waiting.as_ref()) {
        let parts = [waiting.reason.as_deref(), waiting.message.as_deref()];
        complaints.push(parts.into_iter().flatten().collect::<Vec<_>>().join(": "));
    }
    complaints.dedup();
    if !complaints.is_empty() {
        words = format!("{words} ({})", complaints.join(", "));
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_tells_what_a_pod_waits_for() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": { "name": "server-1" },
            "spec": { "nodeName": "cp-1", "containers": [] },
            "status": {
                "phase": "Pending",
                "conditions": [{ "type": "Ready", "status": "False", "message": "not ready" }],
                "containerStatuses": [{
                    "name": "server", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
                    "state": { "waiting": { "reason": "ErrImageNeverPull" } },
                }],
            },
        }))
        .unwrap();
        assert_eq!(
            state(&pod),
            "server-1 on cp-1 is Pending (not ready, ErrImageNeverPull)"
        );
    }

    #[test]
    fn a_status_of_an_earlier_generation_tells_nothing() {
        let deployment = |observed: i64| -> Deployment {
            serde_json::from_value(json!({
                "metadata": { "generation": 2 },
                "status": { "observedGeneration": observed, "availableReplicas": 2 },
            }))
            .unwrap()
        };
        assert_eq!(available_replicas(&deployment(1)), 0);
        assert_eq!(available_replicas(&deployment(2)), 2);
    }
}
