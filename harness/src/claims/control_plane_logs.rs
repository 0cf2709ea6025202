//! `control-plane-logs`: what a person reads first when something is wrong.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, LogParams};

use super::deadline::Deadline;
use super::reason::reason;
use super::stage::Stage;

const COMPONENTS: [&str; 3] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];
/// The label that tells the component.
const LABEL: &str = "k8s-app";

/// One line of each component's log on each node can be read. The list is read again when a log
/// cannot be: the pod may have gone in between.
pub(super) async fn readable(stage: &Stage, deadline: Deadline) -> Result<(), String> {
    let pods = &Api::<Pod>::namespaced(stage.client.clone(), "kube-system");
    deadline
        .until("read the logs of control-plane pods", || async move {
            let selector = format!("{LABEL} in ({})", COMPONENTS.join(","));
            let list = pods
                .list(&ListParams::default().labels(&selector))
                .await
                .map_err(reason)?;
            let logs = logs(&list.items, &stage.absent)?;
            try_join_all(logs.iter().map(|log| read(pods, log)))
                .await
                .map(|_| ())
        })
        .await
}

/// Whose log is to be read.
#[derive(Debug, PartialEq)]
struct Log {
    pod: String,
    container: String,
}

async fn read(pods: &Api<Pod>, log: &Log) -> Result<(), String> {
    let parameters = LogParams {
        container: Some(log.container.clone()),
        tail_lines: Some(1),
        ..LogParams::default()
    };
    let text = pods.logs(&log.pod, &parameters).await;
    match text.map_err(|error| format!("{}: {}", log.pod, reason(error)))? {
        empty if empty.trim().is_empty() => Err(format!("the log of {} is empty", log.pod)),
        _ => Ok(()),
    }
}

/// Of each running pod the first container. An error when a component has no such pod.
fn logs(pods: &[Pod], absent: &BTreeSet<String>) -> Result<Vec<Log>, String> {
    let mut logs = Vec::new();
    let mut found = BTreeSet::new();
    for pod in pods {
        let labels = pod.metadata.labels.as_ref();
        let component = labels.and_then(|labels| labels.get(LABEL));
        if let (Some(component), Some(log)) = (component, log(pod, absent)) {
            found.insert(component.as_str());
            logs.push(log);
        }
    }
    match COMPONENTS
        .iter()
        .find(|component| !found.contains(**component))
    {
        Some(component) => Err(format!("there is no running pod of {component}")),
        None => Ok(logs),
    }
}

fn log(pod: &Pod, absent: &BTreeSet<String>) -> Option<Log> {
    let spec = pod.spec.as_ref()?;
    let node = spec.node_name.as_ref()?;
    let runs = pod.status.as_ref()?.phase.as_deref() == Some("Running");
    if !runs || pod.metadata.deletion_timestamp.is_some() || absent.contains(node) {
        return None;
    }
    Some(Log {
        pod: pod.metadata.name.clone()?,
        container: spec.containers.first()?.name.clone(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(component: &str, node: &str, phase: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": format!("{component}-{node}"), "labels": { "k8s-app": component } },
            "spec": { "nodeName": node, "containers": [{ "name": component }] },
            "status": { "phase": phase },
        }))
        .unwrap()
    }

    fn running(node: &str) -> Vec<Pod> {
        COMPONENTS
            .map(|component| pod(component, node, "Running"))
            .into()
    }

    #[test]
    fn the_logs_of_absent_nodes_are_left_out() {
        let mut pods = running("cp-1");
        pods.extend(running("cp-2"));
        assert_eq!(logs(&pods, &BTreeSet::new()).unwrap().len(), 6);
        let logs = logs(&pods, &BTreeSet::from(["cp-2".to_owned()])).unwrap();
        assert_eq!(logs.len(), 3);
        assert_eq!(logs[0].pod, "kube-apiserver-cp-1");
    }

    #[test]
    fn a_component_without_a_running_pod_is_missed() {
        let mut pods = running("cp-1");
        pods[2] = pod("kube-scheduler", "cp-1", "Pending");
        let reason = logs(&pods, &BTreeSet::new()).unwrap_err();
        assert_eq!(reason, "there is no running pod of kube-scheduler");
    }
}
