//! The end of a case: what is read once more before the record is closed.

use std::net::SocketAddr;
use std::time::Duration;

use oracle::{Sighting, Source};
use terms::NodeId;
use tokio::time::{sleep, timeout};

use crate::probes::{self, CredentialProbe, Identity};
use crate::stream::Stream;

/// How long the complete read of written keys is tried for.
const READ_BACK_WITHIN: Duration = Duration::from_secs(30);
/// The pause between tries.
const PAUSE: Duration = Duration::from_millis(500);
/// How long each living node's observer is waited for.
const INVENTORY_WITHIN: Duration = Duration::from_secs(5);

/// Reads all written keys, in as many tries as fit. When nobody answers, nothing is recorded, and
/// the oracle says that it does not know.
pub(super) async fn read_back(stream: &Stream, target: SocketAddr, identity: &Identity) {
    if stream.picture().borrow().last_write_us.is_none() {
        // Nothing was ever acknowledged, so there is nothing to hold against a read.
        return;
    }
    let reading = async {
        loop {
            let start_us = stream.clock.now_us();
            if let Ok(found) = probes::read_back(target, identity).await {
                stream
                    .saw(Source::LoadBalancer, start_us, Sighting::ReadBack(found))
                    .await;
                return;
            }
            sleep(PAUSE).await;
        }
    };
    // Running out of time is an answer too: no read-back.
    let _ = timeout(READ_BACK_WITHIN, reading).await;
}

/// Tries old credentials again.
pub(super) async fn credentials(stream: &Stream, probe: &CredentialProbe) {
    probe.try_again(stream).await;
}

/// Waits until every living node was looked at once more.
pub(super) async fn inventories(stream: &Stream, living: &[NodeId]) {
    let since_us = stream.clock.now_us();
    let mut picture = stream.picture();
    let seen = picture.wait_for(|now| {
        living.iter().all(|node| {
            now.inventories
                .get(node)
                .is_some_and(|seen| seen.at_us > since_us)
        })
    });
    // A node that stays silent is unknown to the oracle; waiting longer would not change that.
    let _ = timeout(INVENTORY_WITHIN, seen).await;
}
