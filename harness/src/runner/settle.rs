//! Settling: everything that should be there is there at one instant, stays for the stable time,
//! and then a user's claims hold.

use std::collections::BTreeMap;
use std::time::Duration;

use oracle::Sighting;
use oracle::observation::Settled;
use scenarios::Settle;
use terms::{Component, Incarnation, NodeId};
use tokio::time::{Instant, sleep};

use crate::claims::Claims;
use crate::console::Console;
use crate::stream::{Picture, Stream};

/// How often the picture is looked at.
pub(super) const INTERVAL: Duration = Duration::from_millis(200);
/// An answer older than this is none: five times the probes' interval.
const FRESH_US: u64 = 1_000_000;
/// Lists are read each second.
const FRESH_LIST_US: u64 = 3_000_000;

/// Watches one case's cluster settle.
#[derive(Debug)]
pub(super) struct Settler {
    pub(super) case: String,
    pub(super) stream: Stream,
    pub(super) nodes: Vec<NodeId>,
    pub(super) claims: Claims,
}

impl Settler {
    /// Waits as long as the entry says, runs the claims, and records the result. A time-out is a
    /// finding, not an error. After `holding` nothing needs to be self-hosted yet. Says whether all is well.
    pub(super) async fn settle(
        &self,
        entry: u32,
        wanted: &Settle,
        holding: bool,
        off: &[NodeId],
        console: &Console,
    ) -> bool {
        let start_us = self.stream.clock.now_us();
        let begun = Instant::now();
        let deadline = begun + wanted.within.to_duration();
        let mut since: Option<Instant> = None;
        let missing = loop {
            let missing = self.missing(holding, off);
            let now = Instant::now();
            if missing.is_empty() {
                let stable_since = *since.get_or_insert(now);
                if now - stable_since >= wanted.stable_for.to_duration() {
                    break missing;
                }
                console.waiting_for(&self.case, &format!("{} of quiet", wanted.stable_for));
            } else {
                since = None;
                console.waiting_for(&self.case, &missing.join(", "));
            }
            if now >= deadline {
                break if missing.is_empty() {
                    vec!["a quiet time that is long enough".to_owned()]
                } else {
                    missing
                };
            }
            sleep(INTERVAL).await;
        };
        let failed_claims = if missing.is_empty() && !holding {
            console.waiting_for(&self.case, "a user's claims");
            self.claims.check_without(off).await
        } else {
            BTreeMap::new()
        };
        let is_well = missing.is_empty() && failed_claims.is_empty();
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let settled = Settled {
            entry,
            missing,
            failed_claims,
            took_ms,
        };
        self.stream
            .saw(oracle::Source::Runner, start_us, Sighting::Settled(settled))
            .await;
        is_well
    }

    fn missing(&self, holding: bool, off: &[NodeId]) -> Vec<String> {
        let now_us = self.stream.clock.now_us();
        let living: Vec<&NodeId> = self
            .nodes
            .iter()
            .filter(|node| !off.contains(node))
            .collect();
        let picture = self.stream.picture();
        let picture = picture.borrow();
        missing(&picture, now_us, &living, holding)
    }
}

/// What is not as it should be, in words; empty when all is well. Judged on one picture, so that
/// nothing counts that was true once and no longer is.
fn missing(picture: &Picture, now_us: u64, nodes: &[&NodeId], holding: bool) -> Vec<String> {
    let mut missing = Vec::new();
    let control_planes: Vec<&NodeId> = nodes
        .iter()
        .copied()
        .filter(|node| node.is_control_plane())
        .collect();
    if picture
        .last_write_us
        .is_none_or(|at_us| at_us + FRESH_US < now_us)
    {
        missing.push("a write through the load balancer".to_owned());
    }
    for node in &control_planes {
        let healthy = picture.etcd.get(*node).is_some_and(|seen| {
            seen.at_us + 2 * FRESH_US >= now_us
                && seen
                    .value
                    .as_ref()
                    .is_some_and(|status| status.leader.is_some())
        });
        if !healthy {
            missing.push(format!("etcd on {node}"));
        }
    }
    let fresh_nodes = picture
        .nodes
        .as_ref()
        .filter(|seen| seen.at_us + FRESH_LIST_US >= now_us);
    for node in nodes {
        let ready = fresh_nodes.is_some_and(|seen| {
            seen.value
                .iter()
                .any(|status| &&status.node == node && status.ready)
        });
        if !ready {
            missing.push(format!("{node} Ready"));
        }
    }
    if holding {
        return missing;
    }
    let serving = picture.self_hosted_apiservers(now_us.saturating_sub(FRESH_US));
    let fresh_pods = picture
        .pods
        .as_ref()
        .filter(|seen| seen.at_us + FRESH_LIST_US >= now_us);
    for node in control_planes {
        if !serving.contains(node) {
            missing.push(format!("self-hosted apiserver of {node} serving"));
        }
        for component in Component::SELF_HOSTED {
            let ready = fresh_pods.is_some_and(|seen| {
                seen.value.iter().any(|pod| {
                    pod.component == component
                        && pod.incarnation == Incarnation::SelfHosted
                        && pod.node.as_ref() == Some(node)
                        && pod.ready
                        && !pod.terminating
                })
            });
            if !ready {
                missing.push(format!("{component} of {node} ready"));
            }
        }
    }
    missing
}
