//! Whose etcd is this? A claim in etcd itself is the one place that no installer of another cluster
//! can overlook.

use std::net::{Ipv4Addr, SocketAddr};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::assets::ETCD_PORT;
use crate::https::{HttpsClient, HttpsError};

/// The key that holds the cluster's identity.
const CLAIM: &str = "/chrysalis/cluster";
/// The first key of Kubernetes, and the first one behind its keys.
const REGISTRY: (&str, &str) = ("/registry/", "/registry0");

/// What became of the claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The etcd is ours, now or already before.
    Ours,
    /// The etcd belongs to another cluster; says how that shows.
    Foreign(String),
}

/// The claim could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimError {
    /// etcd did not answer.
    #[error("etcd on this node does not answer; its members may still be starting")]
    Unreachable(#[from] HttpsError),
    /// etcd did not carry the request out.
    #[error("etcd on this node has not carried the claim out (status {status}): {body}")]
    NotDone {
        /// HTTP status.
        status: u16,
        /// The beginning of the answer.
        body: String,
    },
}

/// Claims this node's etcd for a cluster, in one transaction: an etcd that is empty of Kubernetes and
/// of claims becomes ours.
///
/// # Errors
/// When etcd does not answer or has no majority yet.
pub(crate) async fn claim(etcd: &HttpsClient, cluster_id: &str) -> Result<Claim, ClaimError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ETCD_PORT));
    let reply = match etcd
        .post(address, "/v3/kv/txn", &transaction(cluster_id))
        .await
    {
        Err(stranger @ HttpsError::Stranger(_)) => return Ok(Claim::Foreign(stranger.to_string())),
        reply => reply?,
    };
    let body = String::from_utf8_lossy(&reply.body).into_owned();
    let answer = serde_json::from_str(&body)
        .ok()
        .filter(|_| reply.status == 200);
    let answer: Value = answer.ok_or_else(|| ClaimError::NotDone {
        status: reply.status,
        body: body.chars().take(300).collect(),
    })?;
    Ok(judge(&answer, cluster_id))
}

fn transaction(cluster_id: &str) -> Value {
    let (first, behind) = REGISTRY;
    json!({
        "compare": [
            { "target": "CREATE", "result": "EQUAL", "key": base64(CLAIM), "create_revision": "0" },
            // Over a range, the comparison must hold for every key in it.
            { "target": "CREATE", "result": "EQUAL", "key": base64(first), "range_end": base64(behind), "create_revision": "0" },
        ],
        "success": [{ "request_put": { "key": base64(CLAIM), "value": base64(cluster_id) } }],
        "failure": [{ "request_range": { "key": base64(CLAIM) } }],
    })
}

fn judge(answer: &Value, cluster_id: &str) -> Claim {
    if answer["succeeded"] == Value::Bool(true) {
        return Claim::Ours;
    }
    let held = answer
        .pointer("/responses/0/response_range/kvs/0/value")
        .and_then(Value::as_str);
    match held {
        Some(value) if value == base64(cluster_id) => Claim::Ours,
        Some(_) => Claim::Foreign(format!("etcd's key {CLAIM} names another cluster")),
        None => Claim::Foreign(format!(
            "etcd holds Kubernetes objects under {} although nobody claimed it",
            REGISTRY.0
        )),
    }
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &Value, ours: bool) {
        let claim = judge(answer, "abc");
        assert_eq!(matches!(claim, Claim::Ours), ours, "{claim:?}");
    }

    #[test]
    fn only_an_empty_etcd_or_our_own_is_ours() {
        let held = |by: &str| json!({ "responses": [{ "response_range": { "kvs": [{ "value": base64(by) }] } }] });
        check(
            &json!({ "succeeded": true, "responses": [{ "response_put": {} }] }),
            true,
        );
        check(&held("abc"), true);
        check(&held("other"), false);
        check(
            &json!({ "responses": [{ "response_range": { "header": {} } }] }),
            false,
        );
        check(&json!({}), false);
    }
}
