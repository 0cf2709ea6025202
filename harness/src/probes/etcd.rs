//! What each etcd member says of itself, over etcd's own JSON gateway.

use std::net::SocketAddr;
use std::time::Duration;

use oracle::observation::EtcdStatus;
use oracle::{Sighting, Source};
use serde::Deserialize;
use serde_json::json;
use terms::NodeId;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::connection::{Identity, Session};
use super::{INTERVAL, REQUEST_DEADLINE, requests};
use crate::stream::Stream;

/// An unchanged status is repeated this often, as a sign of life.
const REPEAT: Duration = Duration::from_secs(1);

pub(super) async fn watch(stream: Stream, node: NodeId, target: SocketAddr, identity: Identity) {
    let source = Source::EtcdMember(node);
    let mut kept: Option<Session> = None;
    let mut last: Option<(u64, Option<EtcdStatus>)> = None;
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let start_us = stream.clock.now_us();
        let status = match timeout(REQUEST_DEADLINE, ask(&mut kept, target, &identity)).await {
            Ok(Some(status)) => Some(status),
            _ => {
                kept = None;
                None
            }
        };
        let news = last.as_ref().is_none_or(|(at_us, before)| {
            changed(before.as_ref(), status.as_ref())
                || start_us - at_us >= u64::try_from(REPEAT.as_micros()).unwrap_or(u64::MAX)
        });
        if news {
            stream
                .saw(source.clone(), start_us, Sighting::Etcd(status.clone()))
                .await;
            last = Some((start_us, status));
        }
    }
}

/// The revision changes with every write and is no news by itself.
fn changed(before: Option<&EtcdStatus>, now: Option<&EtcdStatus>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => {
            (&before.cluster, &before.member, &before.leader, before.term)
                != (&now.cluster, &now.member, &now.leader, now.term)
        }
        (None, None) => false,
        _ => true,
    }
}

async fn ask(
    kept: &mut Option<Session>,
    target: SocketAddr,
    identity: &Identity,
) -> Option<EtcdStatus> {
    if kept.is_none() {
        *kept = Session::connect(target, identity).await.ok();
    }
    let session = kept.as_mut()?;
    let request = requests::post("/v3/maintenance/status", &json!({}));
    let (status, body) = session.request(request).await.ok()?;
    if !status.is_success() {
        return None;
    }
    serde_json::from_slice::<Answer>(&body).ok()?.status()
}

/// The gateway writes 64-bit numbers as decimal texts and leaves zeros out.
#[derive(Deserialize)]
struct Answer {
    header: Header,
    leader: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    cluster_id: Option<String>,
    member_id: Option<String>,
    revision: Option<String>,
    raft_term: Option<String>,
}

impl Answer {
    fn status(self) -> Option<EtcdStatus> {
        let leader = self.leader.filter(|leader| leader != "0");
        Some(EtcdStatus {
            cluster: hexadecimal(&self.header.cluster_id?)?,
            member: hexadecimal(&self.header.member_id?)?,
            leader: leader.as_deref().and_then(hexadecimal),
            term: number(self.header.raft_term),
            revision: number(self.header.revision),
        })
    }
}

fn hexadecimal(decimal: &str) -> Option<String> {
    Some(format!("{:x}", decimal.parse::<u64>().ok()?))
}

fn number(decimal: Option<String>) -> u64 {
    decimal
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_without_a_leader_says_so() {
        let text =
            r#"{"header":{"cluster_id":"10","member_id":"255","raft_term":"3"},"leader":"0"}"#;
        let status = serde_json::from_str::<Answer>(text)
            .unwrap()
            .status()
            .unwrap();
        assert_eq!(
            (status.cluster.as_str(), status.member.as_str()),
            ("a", "ff")
        );
        assert_eq!((status.leader, status.term, status.revision), (None, 3, 0));
    }
}
