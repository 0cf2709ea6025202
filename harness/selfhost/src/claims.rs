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
/// An object that the controller manager keeps in every namespace, with the authority in it.
const AUTHORITY: &str = "/registry/configmaps/kube-system/kube-root-ca.crt";
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
    #[error("etcd does not answer; its members may still be starting")]
    Unreachable(#[from] HttpsError),
    /// etcd did not carry the request out.
    #[error("etcd has not carried the request out (status {status}): {body}")]
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
    Ok(match ask(etcd, local(), &transaction(cluster_id)).await? {
        Asked::Stranger(how) => Claim::Foreign(how),
        Asked::Answer(answer) => judge(&answer, cluster_id),
    })
}

/// What etcd said.
enum Asked {
    Stranger(String),
    Answer(Value),
}

/// The member on this node.
pub(crate) fn local() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, ETCD_PORT))
}

async fn ask(
    etcd: &HttpsClient,
    address: SocketAddr,
    transaction: &Value,
) -> Result<Asked, ClaimError> {
    let reply = match etcd.post(address, "/v3/kv/txn", transaction).await {
        Err(stranger @ HttpsError::Stranger(_)) => {
            return Ok(Asked::Stranger(stranger.to_string()));
        }
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
    Ok(Asked::Answer(answer))
}

/// Whether the etcd whose member is at `address` holds the cluster; nothing is written. One that was never claimed, because
/// its installer claimed nothing, is known by the authority in an object that every cluster has.
///
/// # Errors
/// When etcd does not answer or has no majority yet.
pub(crate) async fn existing(
    etcd: &HttpsClient,
    address: SocketAddr,
    cluster_id: &str,
    authority: &str,
) -> Result<Claim, ClaimError> {
    let (first, behind) = REGISTRY;
    let range = |key: &str| json!({ "request_range": { "key": base64(key) } });
    let count = json!({ "request_range": { "key": base64(first), "range_end": base64(behind), "count_only": true } });
    let looks = json!({ "compare": [], "success": [range(CLAIM), count, range(AUTHORITY)] });
    Ok(match ask(etcd, address, &looks).await? {
        Asked::Stranger(how) => Claim::Foreign(how),
        Asked::Answer(answer) => judge_existing(&answer, cluster_id, authority),
    })
}

fn judge_existing(answer: &Value, cluster_id: &str, authority: &str) -> Claim {
    let value = |index: usize| {
        answer
            .pointer(&format!("/responses/{index}/response_range/kvs/0/value"))
            .and_then(Value::as_str)
    };
    let count = answer
        .pointer("/responses/1/response_range/count")
        .and_then(Value::as_str);
    let count: u64 = count.and_then(|count| count.parse().ok()).unwrap_or(0);
    match value(0) {
        _ if count == 0 => Claim::Foreign(
            "etcd holds no Kubernetes objects, so there is nothing to recover; give a snapshot with --snapshot"
                .to_owned(),
        ),
        Some(claim) if claim == base64(cluster_id) => Claim::Ours,
        Some(_) => Claim::Foreign(format!("etcd's key {CLAIM} names another cluster")),
        None => {
            let object = value(2).and_then(|value| BASE64_STANDARD.decode(value).ok());
            let object = object.unwrap_or_default();
            let wanted = authority.trim().as_bytes();
            let named = !wanted.is_empty()
                && object.windows(wanted.len()).any(|window| window == wanted);
            if named {
                Claim::Ours
            } else {
                Claim::Foreign(format!(
                    "nobody claimed etcd, and its object {AUTHORITY} names another authority than the escrow's"
                ))
            }
        }
    }
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

    #[test]
    fn a_cluster_is_there_and_ours_by_claim_or_by_authority() {
        let kvs = |value: Option<&str>| {
            let kvs: Vec<_> = value
                .map(|value| json!({ "value": base64(value) }))
                .into_iter()
                .collect();
            json!({ "response_range": { "kvs": kvs } })
        };
        let answer = |claim, count: &str, object| {
            let counted = json!({ "response_range": { "count": count } });
            json!({ "succeeded": true, "responses": [kvs(claim), counted, kvs(object)] })
        };
        let object = "\u{1}ca.crt-----PEM-----\n";
        for (claim, count, found, ours) in [
            (Some("abc"), "120", None, true),
            (Some("other"), "120", Some(object), false),
            (Some("abc"), "0", None, false),
            (None, "120", Some(object), true),
            (None, "120", Some("another authority"), false),
            (None, "120", None, false),
            (None, "0", None, false),
        ] {
            let judged = judge_existing(&answer(claim, count, found), "abc", "-----PEM-----\n");
            assert_eq!(judged == Claim::Ours, ours, "{claim:?} {count} {judged:?}");
        }
        assert_ne!(judge_existing(&json!({}), "abc", ""), Claim::Ours);
    }
}
