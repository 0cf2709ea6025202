//! What an object holds is changed, as a person with `kubectl edit` would.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use terms::{Change, Changeable};
use tokio::time::timeout;

use super::Effect;
use crate::kubernetes;

/// How long all of it may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// Hexadecimal digits of a value's hash that a proof shows: it may be a secret, and is only told apart.
const DIGITS: usize = 12;

/// Appends a line end to a value; proven by the object's resource version, and by the value's hash before and after.
pub(super) async fn object(change: &Change, kubeconfig: &str) -> Effect {
    let object = format!("{}/{}", change.namespace, change.name);
    let effect = match timeout(DEADLINE, attempt(change, kubeconfig)).await {
        Ok(effect) => effect.map_err(|why| format!("{} {object}: {why}", change.kind.name())),
        Err(_) => Err(format!("not changed within {} s", DEADLINE.as_secs())),
    };
    (vec![object], effect)
}

async fn attempt(change: &Change, kubeconfig: &str) -> Result<String, String> {
    let client = kubernetes::client(kubeconfig)
        .await
        .map_err(|error| error.to_string())?;
    let objects = api(client, change);
    let before = objects.get(&change.name).await;
    let before = before.map_err(|error| error.to_string())?;
    let key = key_of(change, &before)?;
    let patch = Patch::Merge(patch(change.kind, &before, &key)?);
    let parameters = PatchParams::default();
    let patched = objects.patch(&change.name, &parameters, &patch).await;
    patched.map_err(|error| error.to_string())?;
    // What was answered might not be what is kept.
    let after = objects.get(&change.name).await;
    let after = after.map_err(|error| error.to_string())?;
    proof(&key, &before, &after)
}

/// The key whose value changes: the one that is asked for, or the first.
fn key_of(change: &Change, object: &DynamicObject) -> Result<String, String> {
    let values = object.data.get("data").and_then(Value::as_object);
    let mut keys = values.into_iter().flatten().map(|(key, _)| key);
    let found = match &change.key {
        Some(asked) => keys.find(|key| *key == asked),
        None => keys.min(),
    };
    let asked = || {
        change
            .key
            .as_deref()
            .map_or("any value".to_owned(), |key| format!("`{key}`"))
    };
    found
        .cloned()
        .ok_or_else(|| format!("it does not hold {}", asked()))
}

/// The value under this key as the API writes it: a Secret's in base64.
fn written<'a>(object: &'a DynamicObject, key: &str) -> Option<&'a str> {
    object.data.get("data")?.get(key)?.as_str()
}

/// The change, which is refused when somebody else was quicker.
fn patch(kind: Changeable, before: &DynamicObject, key: &str) -> Result<Value, String> {
    let value = written(before, key).ok_or_else(|| format!("`{key}` is not a text"))?;
    let (part, value) = match kind {
        Changeable::ConfigMap => ("data", format!("{value}\n")),
        // Only what is decoded can be appended to, and the API encodes it again.
        Changeable::Secret => {
            let secret = json!({ "data": { key: value } });
            let secret: Secret =
                serde_json::from_value(secret).map_err(|error| error.to_string())?;
            let bytes = secret.data.and_then(|mut data| data.remove(key));
            let text = bytes.and_then(|bytes| String::from_utf8(bytes.0).ok());
            let text = text.ok_or_else(|| format!("`{key}` is not a text"))?;
            ("stringData", format!("{text}\n"))
        }
    };
    let metadata = &before.metadata;
    Ok(json!({
        "metadata": { "uid": metadata.uid, "resourceVersion": metadata.resource_version },
        part: { key: value },
    }))
}

fn proof(key: &str, before: &DynamicObject, after: &DynamicObject) -> Result<String, String> {
    let of = |object: &DynamicObject| {
        let version = object.metadata.resource_version.clone();
        let value = written(object, key).map(hash);
        (version.unwrap_or_default(), value.unwrap_or_default())
    };
    let ((was, old), (is, new)) = (of(before), of(after));
    let said = format!("`{key}`: resource version {was} with {old}…, then {is} with {new}…");
    if before.metadata.uid == after.metadata.uid && was != is && old != new {
        Ok(said)
    } else {
        Err(said)
    }
}

fn hash(value: &str) -> String {
    let hash = format!("{:x}", Sha256::digest(value.as_bytes()));
    hash[..DIGITS].to_owned()
}

fn api(client: Client, change: &Change) -> Api<DynamicObject> {
    let kind = match change.kind {
        Changeable::ConfigMap => ApiResource::erase::<ConfigMap>(&()),
        Changeable::Secret => ApiResource::erase::<Secret>(&()),
    };
    Api::namespaced_with(client, &change.namespace, &kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(version: &str, data: &Value) -> DynamicObject {
        serde_json::from_value(json!({
            "metadata": { "name": "a", "uid": "u", "resourceVersion": version },
            "data": data,
        }))
        .expect("it is an object")
    }

    fn change(key: Option<&str>) -> Change {
        Change {
            kind: Changeable::Secret,
            namespace: "kube-system".to_owned(),
            name: "a".to_owned(),
            key: key.map(str::to_owned),
        }
    }

    #[test]
    fn the_first_value_changes_unless_another_is_named() {
        let object = object("1", &json!({ "b": "", "a": "" }));
        assert_eq!(key_of(&change(None), &object).as_deref(), Ok("a"));
        assert_eq!(key_of(&change(Some("b")), &object).as_deref(), Ok("b"));
        let refused = key_of(&change(Some("c")), &object).expect_err("there is none");
        assert_eq!(refused, "it does not hold `c`");
    }

    #[test]
    fn a_secret_is_appended_to_as_it_is_decoded() {
        // `YQo=` is `a` and a line end.
        let before = object("1", &json!({ "key": "YQo=" }));
        let patch = patch(Changeable::Secret, &before, "key").expect("it is a text");
        assert_eq!(patch["stringData"]["key"], "a\n\n");
        assert_eq!(patch["metadata"]["resourceVersion"], "1");
    }

    #[test]
    fn other_bytes_under_a_new_version_of_the_same_object_are_the_proof() {
        let before = object("1", &json!({ "key": "a" }));
        let after = object("2", &json!({ "key": "a\n" }));
        proof("key", &before, &after).expect("it has changed");
        proof("key", &before, &before).expect_err("nothing has changed");
        let same = object("2", &json!({ "key": "a" }));
        proof("key", &before, &same).expect_err("the value is the same");
    }
}
