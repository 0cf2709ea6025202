//! The suite's namespace, and the order of what happens in it.

use std::time::Duration;

use futures::join;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::answering_pod::AnsweringPod;
use super::deadline::{Deadline, Suite};
use super::reason::reason;
use super::stage::Stage;
use super::{
    Failures, all_failed, eviction, failed, manifests, name, pod_access, rollout, service, token,
};

/// How long the request to delete the namespace may take. Nobody waits until it is gone.
const DELETION: Duration = Duration::from_secs(2);

/// Checks what needs a namespace.
pub(super) async fn checked(stage: &Stage, suite: &Suite, kubeconfig: &str) -> Failures {
    let failures = match prepare(stage, suite.claim()).await {
        Ok(()) => {
            let (token, mut failures) = join!(
                token::accepted(stage, suite.claim(), kubeconfig),
                pods(stage, suite)
            );
            failures.extend(failed(name::TOKEN, token));
            failures
        }
        Err(reason) => all_failed(&name::OF_NAMESPACE, &reason),
    };
    let namespaces = Api::<Namespace>::all(stage.client.clone());
    // What it leaves behind when this fails has a name of its own and disturbs no later check.
    let _ = timeout(
        DELETION,
        namespaces.delete(&stage.name, &DeleteParams::default()),
    )
    .await;
    failures
}

/// Creates an object from its manifest.
pub(super) async fn create<K>(objects: &Api<K>, manifest: Value) -> Result<K, String>
where
    K: Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    let object = serde_json::from_value(manifest).map_err(|error| error.to_string())?;
    objects
        .create(&PostParams::default(), &object)
        .await
        .map_err(reason)
}

/// No pod is admitted before its service account is there.
async fn prepare(stage: &Stage, deadline: Deadline) -> Result<(), String> {
    let namespaces = Api::<Namespace>::all(stage.client.clone());
    let creation = create(&namespaces, manifests::namespace(stage));
    deadline.once("create a namespace", creation).await?;
    let accounts = &Api::<ServiceAccount>::namespaced(stage.client.clone(), &stage.name);
    let what = "wait for the service account of a new namespace";
    let look = || async move { accounts.get("default").await.map_err(reason) };
    deadline.until(what, look).await.map(|_| ())
}

async fn pods(stage: &Stage, suite: &Suite) -> Failures {
    let pods: Vec<AnsweringPod> = match rollout::available(stage, suite.claim()).await {
        Ok(pods) => pods,
        Err(reason) => {
            let mut failures = all_failed(&name::OF_PODS, "its Deployment did not roll out");
            failures.insert(name::ROLLOUT.to_owned(), reason);
            return failures;
        }
    };
    let (service, logs, exec, port_forward) = join!(
        service::reachable(stage, suite.claim(), &pods),
        pod_access::logs(&pods, suite.claim()),
        pod_access::exec(&pods, suite.claim()),
        pod_access::port_forward(&pods, suite.claim()),
    );
    // Last, since a pod that is evicted would be missed by the others.
    let eviction = eviction::refused(stage, suite.claim(), &pods).await;
    let results = [
        failed(name::SERVICE, service),
        failed(name::LOGS, logs),
        failed(name::EXEC, exec),
        failed(name::PORT_FORWARD, port_forward),
        failed(name::EVICTION, eviction),
    ];
    results.into_iter().flatten().collect()
}
