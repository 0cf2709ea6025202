//! Server-side apply of a group of objects, converging.

use futures::{StreamExt, stream};
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use pivot::{AssetGroup, Outcome, Why};
use serde_json::Value;

use super::{Answer, chain};
use crate::assets::Assets;

/// Who owns the fields that are applied.
pub(super) const FIELD_MANAGER: &str = "selfhost";
/// How many objects are applied side by side: enough to hide the round trips, few enough not to
/// crowd out kubelets at an apiserver that has just started.
const SIDE_BY_SIDE: usize = 8;

/// Applies every object of a group. Where several fail, a refusal is told before a failure.
pub(super) async fn apply(assets: &Assets, client: &Client, group: AssetGroup) -> Answer {
    let objects = match assets.objects(group) {
        Ok(objects) => objects,
        Err(error) => return Answer::failed(Why::Disk, chain(&error)),
    };
    let answers: Vec<Answer> = stream::iter(objects)
        .map(|object| apply_object(client, object))
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let refused = answers
        .iter()
        .find(|answer| matches!(answer.outcome, Outcome::Refused(_)));
    let unfinished = answers
        .iter()
        .find(|answer| answer.outcome != Outcome::Done);
    refused.or(unfinished).cloned().unwrap_or_else(Answer::done)
}

/// Applies one object.
pub(super) async fn apply_object(client: &Client, object: Value) -> Answer {
    let Some((api, name, title)) = place_of(client, &object) else {
        let detail = format!("an asset has no kind, version or name: {object:.200}");
        return Answer::refused(Why::ObjectRefused, detail);
    };
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    match api.patch(&name, &parameters, &Patch::Apply(&object)).await {
        Ok(_) => Answer::done(),
        Err(error) => Answer::of_api_error(&format!("applying {title}"), &error),
    }
}

/// The API of an object's kind in its namespace, its name, and what to call it.
fn place_of(client: &Client, object: &Value) -> Option<(Api<DynamicObject>, String, String)> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let (version, kind, name) = (
        text("/apiVersion")?,
        text("/kind")?,
        text("/metadata/name")?,
    );
    let (group, version) = version.rsplit_once('/').unwrap_or(("", version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let api = match text("/metadata/namespace") {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    Some((api, name.to_owned(), format!("{kind} {name}")))
}
