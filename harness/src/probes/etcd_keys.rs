//! A watch of etcd's keys, ordered by revision: what happened in the store, and never a value.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt;
use oracle::observation::{EtcdKey, Gap};
use oracle::{Sighting, Source};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::connection::{Identity, Session};
use super::{REQUEST_DEADLINE, requests};
use crate::stream::Stream;

/// The most that an unfinished message may grow to.
const MOST_MESSAGE_BYTES: usize = 32 << 20;
/// A watch that is silent for this long is renewed: a half-open one would be silent for ever.
/// Leases alone change keys every second or two.
const SILENCE: Duration = Duration::from_secs(10);
/// The pause before the next member is tried.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn watch(stream: Stream, members: Vec<SocketAddr>, identity: Identity) {
    let mut next_revision = 1;
    let mut silent_since_us = stream.clock.now_us();
    for member in members.iter().cycle() {
        let before = next_revision;
        let reason = follow(&stream, *member, &identity, &mut next_revision).await;
        if next_revision > before {
            silent_since_us = stream.clock.now_us();
        }
        let gap = Gap {
            since_us: silent_since_us,
            reason: format!("{member}: {reason}"),
        };
        if next_revision > 1 {
            // Before the first key there is no stream that could be broken.
            stream
                .saw(Source::EtcdKeys, silent_since_us, Sighting::Gap(gap))
                .await;
        }
        sleep(PAUSE).await;
    }
}

/// Follows one member until its watch ends; says why.
async fn follow(
    stream: &Stream,
    member: SocketAddr,
    identity: &Identity,
    next_revision: &mut u64,
) -> String {
    let create = json!({"create_request": {
        "key": BASE64_STANDARD.encode("/"),
        "range_end": BASE64_STANDARD.encode("0"),
        "start_revision": next_revision.to_string(),
    }});
    let opened = timeout(REQUEST_DEADLINE, async {
        let mut session = Session::connect(member, identity)
            .await
            .map_err(|error| error.to_string())?;
        let response = session.open(requests::post("/v3/watch", &create)).await?;
        Ok::<_, String>((session, response))
    });
    let (_session, response) = match opened.await {
        Ok(Ok(opened)) => opened,
        Ok(Err(reason)) => return reason,
        Err(_) => return "no answer".to_owned(),
    };
    let mut body = response.into_body();
    let mut pending = Vec::new();
    loop {
        let frame = match timeout(SILENCE, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return error.to_string(),
            Ok(None) => return "the member ended the watch".to_owned(),
            Err(_) => return format!("silent for {} s", SILENCE.as_secs()),
        };
        pending.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
        if pending.len() > MOST_MESSAGE_BYTES {
            return "a message is too long".to_owned();
        }
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let message: Vec<u8> = pending.drain(..=end).collect();
            for key in events(&message) {
                *next_revision = (*next_revision).max(key.revision + 1);
                stream
                    .saw(
                        Source::EtcdKeys,
                        stream.clock.now_us(),
                        Sighting::EtcdKey(key),
                    )
                    .await;
            }
        }
    }
}

#[derive(Deserialize)]
struct Message {
    result: Option<WatchResult>,
}

#[derive(Deserialize)]
struct WatchResult {
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type", default)]
    kind: String,
    kv: KeyValue,
}

#[derive(Deserialize)]
struct KeyValue {
    key: String,
    mod_revision: String,
}

/// Keys of a message, without the probes' own writes, which their source records already.
fn events(message: &[u8]) -> Vec<EtcdKey> {
    let Ok(Message {
        result: Some(result),
    }) = serde_json::from_slice(message)
    else {
        return Vec::new();
    };
    let own = format!("/registry/configmaps/{}/", requests::NAMESPACE);
    result
        .events
        .into_iter()
        .filter_map(|event| {
            let key = String::from_utf8(BASE64_STANDARD.decode(event.kv.key).ok()?).ok()?;
            let revision = event.kv.mod_revision.parse().ok()?;
            (!key.starts_with(&own)).then_some(EtcdKey {
                revision,
                key,
                deleted: event.kind == "DELETE",
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_the_probes_own_are_left_out() {
        let key = |text: &str| BASE64_STANDARD.encode(text);
        let message = json!({"result": {"events": [
            {"kv": {"key": key("/registry/pods/kube-system/a"), "mod_revision": "7", "value": "c2VjcmV0"}},
            {"type": "DELETE", "kv": {"key": key("/registry/leases/x"), "mod_revision": "8"}},
            {"kv": {"key": key("/registry/configmaps/chrysalis-probe/write-3"), "mod_revision": "9"}},
        ]}});
        let seen = events(message.to_string().as_bytes());
        assert_eq!(seen.len(), 2);
        assert_eq!((seen[0].revision, seen[0].deleted), (7, false));
        assert_eq!((seen[1].revision, seen[1].deleted), (8, true));
        assert!(events(b"{half").is_empty());
    }
}
