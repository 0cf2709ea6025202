//! A new revision of a self-hosted component's DaemonSet, as a person with `kubectl edit` makes one.

use std::time::Duration;

use k8s_openapi::api::apps::v1::DaemonSet;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use terms::Roll;
use tokio::time::timeout;

use super::Effect;
use crate::kubernetes;

/// Where the self-hosted control plane lives.
const NAMESPACE: &str = "kube-system";
/// How long all of it may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// The template's annotation that counts rolls: a change of it alone is a new revision.
const COUNT: &str = "chrysalis/rolls";
/// The template's annotation that says what the last roll appended. It stands in the object, not in the injector, so that it
/// goes back with the object when a snapshot is restored.
const FLAG: &str = "chrysalis/rolled-flag";
/// The same for the user that the last roll set.
const USER: &str = "chrysalis/rolled-user";

/// Changes the DaemonSet's template; proven when the same object's generation has risen.
pub(super) async fn daemon_set(roll: &Roll, kubeconfig: &str) -> Effect {
    let objects = vec![format!("{NAMESPACE}/{}", roll.component)];
    match timeout(DEADLINE, attempt(roll, kubeconfig)).await {
        Ok(effect) => (objects, effect),
        Err(_) => {
            let late = format!("not rolled within {} s", DEADLINE.as_secs());
            (objects, Err(late))
        }
    }
}

async fn attempt(roll: &Roll, kubeconfig: &str) -> Result<String, String> {
    let name = roll.component.name();
    let client = kubernetes::client(kubeconfig)
        .await
        .map_err(|error| error.to_string())?;
    let all: Api<DaemonSet> = Api::namespaced(client, NAMESPACE);
    let failed = |error: kube::Error| format!("DaemonSet {NAMESPACE}/{name}: {error}");
    let before = all.get(name).await.map_err(failed)?;
    let change = Patch::Merge(change(roll, &before)?);
    // Without a resource version: only the status changes of itself, and the UID in the change is
    // a precondition.
    let parameters = PatchParams::default();
    let patched = all.patch(name, &parameters, &change).await;
    proof(name, &before, &patched.map_err(failed)?)
}

/// What of the DaemonSet changes: annotations, the arguments of its only container, and its pods' user.
fn change(roll: &Roll, before: &DaemonSet) -> Result<Value, String> {
    let object = serde_json::to_value(before).map_err(|error| error.to_string())?;
    let annotation = |key: &str| {
        let annotations = object.pointer("/spec/template/metadata/annotations");
        annotations?.get(key)?.as_str()
    };
    let count: u64 = match annotation(COUNT) {
        None => 0,
        Some(count) => count
            .parse()
            .map_err(|_| format!("the annotation {COUNT} is not a number: {count}"))?,
    };
    let containers = object.pointer("/spec/template/spec/containers");
    let containers = containers.and_then(Value::as_array).map(Vec::as_slice);
    let [container] = containers.unwrap_or_default() else {
        return Err("its pods do not have exactly one container".to_owned());
    };
    let mut container = container.clone();
    // Arguments follow the command: whoever has any is given another one.
    let has = |key: &str| container.get(key).is_some_and(Value::is_array);
    let key = if has("args") { "args" } else { "command" };
    let words = container.get_mut(key).and_then(Value::as_array_mut);
    let words = words.ok_or("its container says neither command nor arguments")?;
    if let Some(earlier) = annotation(FLAG)
        && words.last().and_then(Value::as_str) == Some(earlier)
    {
        words.pop();
    }
    words.extend(roll.flag.iter().map(|flag| json!(flag)));
    let mut spec = json!({ "containers": [container] });
    // A user that the cluster came with stays as long as no roll says otherwise.
    if roll.user.is_some() || annotation(USER).is_some() {
        spec["securityContext"] = json!({ "runAsUser": roll.user });
    }
    Ok(json!({
        "metadata": { "uid": before.metadata.uid },
        "spec": { "template": {
            // A merge takes out what is `null`: without a flag there is no such annotation.
            "metadata": { "annotations": {
                COUNT: (count + 1).to_string(),
                FLAG: roll.flag,
                USER: roll.user.map(|user| user.to_string()),
            } },
            "spec": spec,
        } },
    }))
}

fn proof(name: &str, before: &DaemonSet, after: &DaemonSet) -> Result<String, String> {
    let (before, after) = (&before.metadata, &after.metadata);
    let (was, is) = (before.generation, after.generation);
    match (was, is) {
        (Some(was), Some(is)) if is > was && before.uid.is_some() && before.uid == after.uid => Ok(
            format!("DaemonSet {NAMESPACE}/{name}: generation {was}, then {is}"),
        ),
        _ => Err(format!(
            "DaemonSet {NAMESPACE}/{name}: generation {was:?} of {:?}, then {is:?} of {:?}",
            before.uid, after.uid
        )),
    }
}

#[cfg(test)]
mod tests {
    use terms::Component;

    use super::*;

    fn daemon_set(generation: i64, mut annotations: Value, command: &[&str]) -> DaemonSet {
        // As a merge leaves them.
        let all = annotations
            .as_object_mut()
            .expect("annotations are an object");
        all.retain(|_, value| !value.is_null());
        serde_json::from_value(json!({
            "metadata": { "name": "kube-apiserver", "uid": "u", "generation": generation },
            "spec": {
                "selector": {},
                "template": {
                    "metadata": { "annotations": annotations },
                    "spec": { "containers": [{ "name": "kube-apiserver", "command": command }] },
                },
            },
        }))
        .expect("it is a DaemonSet")
    }

    fn changed(flag: Option<&str>, annotations: Value, command: &[&str]) -> (Value, Value) {
        let roll = Roll {
            component: Component::KubeApiserver,
            flag: flag.map(str::to_owned),
            user: None,
        };
        let change = change(&roll, &daemon_set(1, annotations, command)).expect("it can be rolled");
        assert_eq!(change["metadata"]["uid"], "u");
        let template = &change["spec"]["template"];
        let command = template["spec"]["containers"][0]["command"].clone();
        (template["metadata"]["annotations"].clone(), command)
    }

    #[test]
    fn a_flag_comes_last_and_goes_with_the_next_roll() {
        let plain = ["kube-apiserver", "--a"];
        let (annotations, command) = changed(Some("--b=1"), json!({}), &plain);
        assert_eq!(command, json!(["kube-apiserver", "--a", "--b=1"]));
        assert_eq!(
            annotations,
            json!({ COUNT: "1", FLAG: "--b=1", USER: null })
        );
        let rolled = ["kube-apiserver", "--a", "--b=1"];
        let (annotations, command) = changed(None, annotations, &rolled);
        assert_eq!(command, json!(plain));
        assert_eq!(annotations, json!({ COUNT: "2", FLAG: null, USER: null }));
    }

    #[test]
    fn a_user_stays_until_the_next_roll() {
        let rolled = |user, annotations| {
            let roll = Roll {
                component: Component::KubeScheduler,
                flag: None,
                user,
            };
            let before = daemon_set(1, annotations, &["kube-scheduler"]);
            let change = change(&roll, &before).expect("it can be rolled");
            let template = &change["spec"]["template"];
            (
                template["metadata"]["annotations"].clone(),
                template["spec"].get("securityContext").cloned(),
            )
        };
        let (annotations, context) = rolled(Some(65_534), json!({}));
        assert_eq!(context, Some(json!({ "runAsUser": 65_534 })));
        let (_, context) = rolled(None, annotations);
        assert_eq!(context, Some(json!({ "runAsUser": null })));
        let (_, context) = rolled(None, json!({}));
        assert_eq!(context, None, "nothing of the cluster's own is touched");
    }

    #[test]
    fn what_somebody_else_wrote_stays() {
        // The last roll's flag was taken out by hand, and the cluster's own is at the end.
        let (_, command) = changed(None, json!({ FLAG: "--b" }), &["kube-apiserver", "--a"]);
        assert_eq!(command, json!(["kube-apiserver", "--a"]));
    }

    #[test]
    fn without_a_new_generation_of_the_same_object_there_is_no_proof() {
        let before = daemon_set(1, json!({}), &[]);
        let mut after = daemon_set(2, json!({}), &[]);
        assert_eq!(
            proof("kube-apiserver", &before, &after).expect("it rose"),
            "DaemonSet kube-system/kube-apiserver: generation 1, then 2"
        );
        proof("kube-apiserver", &before, &before).expect_err("it did not rise");
        after.metadata.uid = Some("another".to_owned());
        proof("kube-apiserver", &before, &after).expect_err("it is another object");
    }
}
