//! From a parent as the API gives it to a static pod that needs no API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use terms::{Component, Incarnation};

/// Names of the volumes' sources that a version holds as files, with their directory in it.
pub(crate) const COPIED: [(&str, &str, &str); 2] = [
    ("secret", "secretName", "secrets"),
    ("configMap", "name", "configuration"),
];
/// What of a pod's specification a static pod keeps. All else refers to the API or to where it runs.
const KEPT_OF_POD: [&str; 6] = [
    "hostNetwork",
    "dnsPolicy",
    "enableServiceLinks",
    "automountServiceAccountToken",
    "terminationGracePeriodSeconds",
    "securityContext",
];
/// What of a container it keeps as it is.
const KEPT_OF_CONTAINER: [&str; 5] = [
    "name",
    "image",
    "volumeMounts",
    "resources",
    "securityContext",
];
/// The probes, whose port changes.
const PROBES: [&str; 3] = ["startupProbe", "livenessProbe", "readinessProbe"];

/// A parent has something that a static pod cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{component} cannot be checkpointed: its pod has {what}; take it out of the DaemonSet")]
pub(crate) struct Unfit {
    component: Component,
    what: String,
}

/// The port of an instance that is not the self-hosted one, so that both can run on one node.
const fn port(component: Component) -> u16 {
    match component {
        Component::KubeApiserver => 6444,
        Component::KubeControllerManager => 10357,
        _ => 10359,
    }
}

/// Secrets and ConfigMaps that the parent mounts: the kind's place in [`COPIED`], and the name.
///
/// # Errors
/// A volume whose source cannot be copied.
pub(crate) fn sources(component: Component, pod: &Value) -> Result<Vec<(usize, String)>, Unfit> {
    let mut found = Vec::new();
    for volume in list(pod, "/spec/volumes") {
        for (place, (kind, key, _)) in COPIED.into_iter().enumerate() {
            let Some(source) = volume.get(kind) else {
                continue;
            };
            if source.get("items").is_some() {
                return Err(unfit(
                    component,
                    format!("chosen items in the volume of {kind}"),
                ));
            }
            let name = source.get(key).and_then(Value::as_str).unwrap_or_default();
            found.push((place, name.to_owned()));
        }
    }
    Ok(found)
}

/// The static pod. Its files lie below `directory`.
///
/// # Errors
/// Names what a static pod cannot have.
pub(crate) fn of_parent(
    component: Component,
    pod: &Value,
    directory: &str,
) -> Result<Value, Unfit> {
    let spec = &pod["spec"];
    if !list(pod, "/spec/initContainers").is_empty() {
        return Err(unfit(component, "init containers".to_owned()));
    }
    let mut kept = pick(spec, &KEPT_OF_POD);
    let containers = list(pod, "/spec/containers");
    let containers = containers
        .iter()
        .map(|container| container_of(component, pod, container));
    kept.insert(
        "containers".to_owned(),
        Value::Array(containers.collect::<Result<_, _>>()?),
    );
    let volumes = list(pod, "/spec/volumes");
    let volumes = volumes
        .iter()
        .map(|volume| volume_of(component, volume, directory));
    kept.insert(
        "volumes".to_owned(),
        Value::Array(volumes.collect::<Result<_, _>>()?),
    );
    let name = format!("checkpoint-{component}");
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "kube-system",
            // Labels of its own: a DaemonSet must never take it for one of its pods.
            "labels": { "k8s-app": name, "tier": "control-plane" },
        },
        "spec": kept,
    }))
}

/// The user, by number, as whom all of the parent's containers run; none where the pod leaves it to the image.
///
/// # Errors
/// When its containers run as different users: a file has one owner.
pub(crate) fn user(component: Component, pod: &Value) -> Result<Option<u32>, Unfit> {
    let said = |of: &Value| {
        let user = of.pointer("/securityContext/runAsUser")?.as_u64()?;
        u32::try_from(user).ok()
    };
    let of_all = said(&pod["spec"]);
    let mut users = list(pod, "/spec/containers")
        .iter()
        .map(|container| said(container).or(of_all));
    let first = users.next().flatten();
    if users.all(|user| user == first) {
        Ok(first)
    } else {
        let what = "containers that run as different users";
        Err(unfit(component, what.to_owned()))
    }
}

fn volume_of(component: Component, volume: &Value, directory: &str) -> Result<Value, Unfit> {
    let name = &volume["name"];
    for (kind, key, place) in COPIED {
        if let Some(source) = volume.get(kind).and_then(|source| source[key].as_str()) {
            let path = format!("{directory}/{place}/{source}");
            return Ok(json!({ "name": name, "hostPath": { "path": path, "type": "Directory" } }));
        }
    }
    for kind in ["hostPath", "emptyDir"] {
        if let Some(source) = volume.get(kind) {
            return Ok(json!({ "name": name, kind: source }));
        }
    }
    Err(unfit(
        component,
        format!("the volume {name}, which only the API can fill"),
    ))
}

fn container_of(component: Component, pod: &Value, container: &Value) -> Result<Value, Unfit> {
    let mut kept = pick(container, &KEPT_OF_CONTAINER);
    if container.get("envFrom").is_some() {
        return Err(unfit(
            component,
            "an environment from API objects".to_owned(),
        ));
    }
    let environment = environment(component, pod, container)?;
    // There is no registry that a node could ask while the API is gone.
    kept.insert("imagePullPolicy".to_owned(), json!("IfNotPresent"));
    let mut command = Vec::new();
    for key in ["command", "args"] {
        let words = container.get(key).and_then(Value::as_array);
        let words = words.into_iter().flatten().filter_map(Value::as_str);
        command.extend(words.map(|word| literal(word, &environment)));
    }
    kept.insert("command".to_owned(), json!(flags(component, command)));
    for probe in PROBES {
        if let Some(found) = container.get(probe) {
            let mut found = found.clone();
            if let Some(asked) = found.get_mut("httpGet") {
                asked["port"] = json!(port(component));
            }
            kept.insert(probe.to_owned(), found);
        }
    }
    Ok(Value::Object(kept))
}

/// The container's environment with what the API would fill in.
fn environment(
    component: Component,
    pod: &Value,
    container: &Value,
) -> Result<BTreeMap<String, String>, Unfit> {
    let mut all = BTreeMap::new();
    for variable in list(container, "/env") {
        let name = variable["name"].as_str().unwrap_or_default().to_owned();
        let field = variable
            .pointer("/valueFrom/fieldRef/fieldPath")
            .and_then(Value::as_str);
        let told = match field {
            Some("status.hostIP" | "status.podIP") => pod.pointer("/status/hostIP"),
            Some("spec.nodeName") => pod.pointer("/spec/nodeName"),
            None if variable.get("valueFrom").is_none() => variable.get("value"),
            _ => None,
        };
        match told.and_then(Value::as_str) {
            Some(value) => all.insert(name, value.to_owned()),
            None if variable.get("valueFrom").is_none() => all.insert(name, String::new()),
            None => {
                return Err(unfit(
                    component,
                    format!("the variable {name}, whose value only the API knows"),
                ));
            }
        };
    }
    Ok(all)
}

fn literal(word: &str, environment: &BTreeMap<String, String>) -> String {
    environment
        .iter()
        .fold(word.to_owned(), |word, (name, value)| {
            word.replace(&format!("$({name})"), value)
        })
}

/// The parent's flags with the copy's port and certificate, and without a claim on what is the parent's.
fn flags(component: Component, command: Vec<String>) -> Vec<String> {
    let (own, parents) = (Incarnation::Checkpoint, Incarnation::SelfHosted);
    let changed = command.into_iter().map(|word| {
        if word.starts_with("--secure-port=") {
            format!("--secure-port={}", port(component))
        } else if word.starts_with("--tls-cert-file=")
            || word.starts_with("--tls-private-key-file=")
        {
            word.replace(&format!("/{parents}."), &format!("/{own}."))
        } else {
            word
        }
    });
    let mut flags: Vec<String> = changed.collect();
    let added: &[&str] = match component {
        // An apiserver withdraws its address from the `kubernetes` endpoints when it starts and when
        // it stops, its parent's with the same address too.
        Component::KubeApiserver => &["--endpoint-reconciler-type=none"],
        // A short lease, so that the parent need not wait long for it.
        _ => &[
            "--leader-elect-lease-duration=5s",
            "--leader-elect-renew-deadline=3s",
            "--leader-elect-retry-period=1s",
        ],
    };
    for flag in added {
        let name = flag.split_once('=').map_or(*flag, |(name, _)| name);
        flags.retain(|word| !word.starts_with(&format!("{name}=")));
        flags.push((*flag).to_owned());
    }
    flags
}

fn pick(from: &Value, keys: &[&str]) -> Map<String, Value> {
    let found = keys
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), from.get(*key)?.clone())));
    found.collect()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn unfit(component: Component, what: String) -> Unfit {
    Unfit { component, what }
}
