//! The requests that probes make, and how their ends are told apart.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use oracle::observation::RequestOutcome;
use serde::Deserialize;
use serde_json::json;

use super::connection::ConnectError;

/// The namespace of the probes' own objects.
pub(super) const NAMESPACE: &str = "chrysalis-probe";

/// A request without a body.
pub(super) fn get(path: &str) -> Request<Full<Bytes>> {
    build(Method::GET, path, Bytes::new())
}

/// A request with a JSON body.
pub(super) fn post(path: &str, body: &serde_json::Value) -> Request<Full<Bytes>> {
    build(Method::POST, path, Bytes::from(body.to_string()))
}

fn build(method: Method, path: &str, body: Bytes) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "kubernetes.default.svc")
        .header("user-agent", "chrysalis-probe")
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(Full::new(body))
        .expect("paths and headers are constants of this program and valid")
}

/// A read whose resource version says how far the server's state is. The version is left unset, so
/// that the answer must be current.
pub(super) fn read() -> Request<Full<Bytes>> {
    get(&format!(
        "/api/v1/namespaces/{NAMESPACE}/configmaps?limit=1"
    ))
}

/// A write of an object with a key of its own.
pub(super) fn write(key: u64) -> Request<Full<Bytes>> {
    post(
        &format!("/api/v1/namespaces/{NAMESPACE}/configmaps"),
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name_of(key)}}),
    )
}

/// The namespace of the probes' objects.
pub(super) fn namespace() -> Request<Full<Bytes>> {
    post(
        "/api/v1/namespaces",
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
    )
}

/// The name of the object with this key.
pub(super) fn name_of(key: u64) -> String {
    format!("write-{key}")
}

/// The key of the object with this name.
pub(super) fn key_of(name: &str) -> Option<u64> {
    name.strip_prefix("write-")?.parse().ok()
}

#[derive(Deserialize)]
struct Versioned {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "resourceVersion")]
    resource_version: Option<String>,
}

/// How an answer ended the request.
pub(super) fn answered(status: StatusCode, body: &Bytes) -> RequestOutcome {
    match status {
        StatusCode::UNAUTHORIZED => RequestOutcome::Untrusted("401 Unauthorized".to_owned()),
        status if status.is_success() => RequestOutcome::Acknowledged {
            revision: revision(body),
        },
        status => RequestOutcome::Status(status.as_u16()),
    }
}

/// The resource version of an object or a list.
pub(super) fn revision(body: &Bytes) -> Option<u64> {
    serde_json::from_slice::<Versioned>(body)
        .ok()?
        .metadata
        .resource_version?
        .parse()
        .ok()
}

/// How a failed connection ended the request.
pub(super) fn unconnected(error: &ConnectError) -> RequestOutcome {
    match error {
        ConnectError::Handshake(cause)
            if cause.kind() == std::io::ErrorKind::InvalidData
                && cause.to_string().contains("certificate") =>
        {
            RequestOutcome::Untrusted(error.to_string())
        }
        error => RequestOutcome::Refused(error.to_string()),
    }
}
