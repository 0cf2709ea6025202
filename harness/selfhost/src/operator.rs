//! One operator at a time: a key in etcd that lasts as long as its holder lives.
//!
//! The key hangs on a lease of etcd's, which the holder renews: whoever is killed or cut off loses it
//! within [`LASTS_S`] seconds. It lies in etcd and not in the API, because a recovery begins without an API.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::assets::ETCD_PORT;
use crate::https::{HttpsClient, HttpsError};

/// The key that names who is at work.
const KEY: &str = "/chrysalis/operation";
/// How long the key outlives its holder, in seconds.
const LASTS_S: u32 = 30;
/// How often the holder renews it: a third of that and less.
const RENEW_EVERY: Duration = Duration::from_secs(8);

/// Who is at work, and with what: the value of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Operation {
    /// The node.
    pub(crate) node: String,
    /// The node's boot.
    pub(crate) boot: String,
    /// `bootstrap`, `recovery`, `rescue` or `joining`.
    pub(crate) doing: String,
}

impl Operation {
    /// An operation of this node in its present boot.
    pub(crate) fn of_node(node: &str, doing: &str) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self {
            node: node.to_owned(),
            boot: boot.trim().to_owned(),
            doing: doing.to_owned(),
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "a {} on node {}", self.doing, self.node)
    }
}

/// What became of asking for the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is ours.
    Ours,
    /// Somebody else has it.
    Taken(String),
}

/// etcd did not carry out what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperatorError {
    /// It did not answer.
    #[error("etcd does not answer")]
    Unreachable(#[from] HttpsError),
    /// It answered something else.
    #[error("etcd has not said who is at work: {0}")]
    Answer(String),
}

/// The key, ours or not.
pub(crate) struct OperatorLock {
    etcd: HttpsClient,
    address: SocketAddr,
    ours: Operation,
    lease: Mutex<Option<String>>,
}

impl OperatorLock {
    /// The key in this node's etcd. Nothing is asked yet.
    pub(crate) fn new(etcd: HttpsClient, ours: Operation) -> Self {
        Self::at(
            etcd,
            SocketAddr::from((Ipv4Addr::LOCALHOST, ETCD_PORT)),
            ours,
        )
    }

    /// The same, for a node whose own etcd is no member yet: another member is asked.
    pub(crate) fn at(etcd: HttpsClient, address: SocketAddr, ours: Operation) -> Self {
        Self {
            etcd,
            address,
            ours,
            lease: Mutex::new(None),
        }
    }

    /// Takes the key if nobody has it. One that an earlier process of this node left is taken over: the
    /// lock on the node itself, which the caller holds, proves that that process is gone.
    ///
    /// # Errors
    /// When etcd does not answer, or has no majority.
    pub(crate) async fn take(&self) -> Result<Turn, OperatorError> {
        if self.held().is_some() {
            return Ok(Turn::Ours);
        }
        let granted = self
            .ask("/v3/lease/grant", &json!({ "TTL": LASTS_S.to_string() }))
            .await?;
        let lease = granted["ID"].as_str().map(ToOwned::to_owned);
        let lease = lease.ok_or_else(|| OperatorError::Answer(granted.to_string()))?;
        let free = json!({ "target": "CREATE", "result": "EQUAL", "key": base64(KEY), "create_revision": "0" });
        let mut answer = self.put_if(&free, &lease).await?;
        if answer["succeeded"] != Value::Bool(true) {
            let value = answer.pointer("/responses/0/response_range/kvs/0/value");
            let value = value.and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(other) = self.somebody_else(&value) {
                self.revoke(&lease).await;
                return Ok(Turn::Taken(other));
            }
            let same =
                json!({ "target": "VALUE", "result": "EQUAL", "key": base64(KEY), "value": value });
            answer = self.put_if(&same, &lease).await?;
        }
        if answer["succeeded"] == Value::Bool(true) {
            *self.place() = Some(lease);
            return Ok(Turn::Ours);
        }
        self.revoke(&lease).await;
        Err(OperatorError::Answer(
            "it changed hands while it was asked for".to_owned(),
        ))
    }

    /// Renews the key for as long as it is ours, and returns who took it when it was lost.
    pub(crate) async fn keep(&self) -> String {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            let Some(lease) = self.held() else { continue };
            let renewed = self
                .ask("/v3/lease/keepalive", &json!({ "ID": lease }))
                .await;
            let expired = renewed.is_ok_and(|answer| {
                answer
                    .pointer("/result/TTL")
                    .and_then(Value::as_str)
                    .is_none()
            });
            if expired {
                // etcd was away for longer than the key lasts. If it is free, it is ours again.
                *self.place() = None;
                match self.take().await {
                    Ok(Turn::Taken(by)) => return by,
                    Ok(Turn::Ours) => {}
                    // Not known: what was ours is asked for again at the next turn.
                    Err(_) => *self.place() = Some(lease),
                }
            }
        }
    }

    /// Gives the key up; one that cannot be given up now ends by itself.
    pub(crate) async fn release(&self) {
        let lease = self.place().take();
        if let Some(lease) = lease {
            self.revoke(&lease).await;
        }
    }

    fn somebody_else(&self, value: &str) -> Option<String> {
        let text = BASE64_STANDARD.decode(value).unwrap_or_default();
        match serde_json::from_slice::<Operation>(&text) {
            Ok(operation) if operation.node == self.ours.node => None,
            Ok(operation) => Some(operation.to_string()),
            Err(_) => Some(format!("something that etcd's key {KEY} does not name")),
        }
    }

    async fn put_if(&self, condition: &Value, lease: &str) -> Result<Value, OperatorError> {
        let value = serde_json::to_string(&self.ours).expect("an operation is plain data");
        let put = json!({ "key": base64(KEY), "value": base64(&value), "lease": lease });
        let transaction = json!({
            "compare": [condition],
            "success": [{ "request_put": put }],
            "failure": [{ "request_range": { "key": base64(KEY) } }],
        });
        self.ask("/v3/kv/txn", &transaction).await
    }

    async fn revoke(&self, lease: &str) {
        let _ = self.ask("/v3/lease/revoke", &json!({ "ID": lease })).await;
    }

    async fn ask(&self, path: &str, body: &Value) -> Result<Value, OperatorError> {
        let reply = self.etcd.post(self.address, path, body).await?;
        let said = || {
            String::from_utf8_lossy(&reply.body)
                .chars()
                .take(300)
                .collect()
        };
        serde_json::from_slice(&reply.body)
            .ok()
            .filter(|_| reply.status == 200)
            .ok_or_else(|| OperatorError::Answer(said()))
    }

    fn held(&self) -> Option<String> {
        self.place().clone()
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::https::tests::silent_client;

    fn check(node: &str, expected: Option<&str>) {
        let lock = OperatorLock::new(silent_client(), Operation::of_node("cp-1", "recovery"));
        let value = serde_json::to_string(&Operation::of_node(node, "bootstrap")).unwrap();
        assert_eq!(lock.somebody_else(&base64(&value)).as_deref(), expected);
    }

    #[test]
    fn only_what_this_node_left_is_taken_over() {
        check("cp-1", None);
        check("cp-2", Some("a bootstrap on node cp-2"));
        let lock = OperatorLock::new(silent_client(), Operation::of_node("cp-1", "recovery"));
        assert!(lock.somebody_else(&base64("torn")).is_some());
    }
}
