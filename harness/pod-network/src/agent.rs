//! The agent's life: watch nodes, and keep the own node's links as they should be.

use std::path::Path;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::runtime::{WatchStreamExt as _, watcher};
use tokio::time::Instant;

use crate::api::{self, ApiError};
use crate::cni_configuration::{self, ConfigurationError};
use crate::links::{self, LinkError};
use crate::node_map::{NodeMap, Wanted};

/// Links are checked again after this time, in seconds, even if no node changed: somebody may
/// have changed them.
const CHECK_EVERY_S: u64 = 15;
/// The node gets its range within this time, in seconds, or the agent gives up, says so and is
/// started again.
const FIRST_RANGE_DEADLINE_S: u64 = 180;
/// A watch is renewed after this time, in seconds, so that one whose other end has vanished is
/// noticed.
const WATCH_RENEWAL_S: u32 = 20;

/// Why the agent ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentError {
    /// No way to the API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The links could not be made.
    #[error("cannot connect this node's pods")]
    Links(#[from] LinkError),
    /// The runtime could not be told.
    #[error("cannot tell the container runtime about the network")]
    Configuration(#[from] ConfigurationError),
    /// Nobody gave the node a range.
    #[error(
        "the node `{node}` has no pod range after {FIRST_RANGE_DEADLINE_S} s; is a controller manager running, with --allocate-node-cidrs?"
    )]
    NoRange {
        /// The own node.
        node: String,
    },
    /// The watch ended, which it never does by itself.
    #[error("the watch of nodes ended; it will be started again with the agent")]
    WatchEnded,
}

/// Runs until something fails that only a fresh start, or a person, can put right.
///
/// # Errors
/// Never returns without one.
pub(crate) async fn run(
    own_node: &str,
    address: Option<&str>,
    cni_directory: &Path,
) -> Result<(), AgentError> {
    let nodes: Api<Node> = Api::all(api::client(address)?);
    let settings = watcher::Config::default().timeout(WATCH_RENEWAL_S);
    let mut events = watcher(nodes, settings).default_backoff().boxed();
    let mut map = NodeMap::default();
    let mut done: Option<Wanted> = None;
    let begun = Instant::now();
    println!("pod-network: watching nodes as {own_node}");
    loop {
        match tokio::time::timeout(Duration::from_secs(CHECK_EVERY_S), events.next()).await {
            Ok(Some(Ok(event))) => map.apply(event),
            // The watch starts again by itself; links stay as they are meanwhile.
            Ok(Some(Err(error))) => {
                println!("pod-network: the watch of nodes failed, trying again: {error}")
            }
            Ok(None) => return Err(AgentError::WatchEnded),
            // Nothing happened for a while: check what is there.
            Err(_) => done = None,
        }
        match map.wanted(own_node) {
            Some(wanted) if done.as_ref() != Some(&wanted) => {
                links::establish(&wanted).await?;
                // Only now: the runtime may start pods as soon as the file is there.
                if cni_configuration::write(cni_directory, wanted.own.range)? {
                    println!(
                        "pod-network: pods of this node get addresses of {}",
                        wanted.own.range
                    );
                }
                println!("pod-network: connected with {} peers", wanted.peers.len());
                done = Some(wanted);
            }
            None if done.is_none()
                && begun.elapsed() > Duration::from_secs(FIRST_RANGE_DEADLINE_S) =>
            {
                return Err(AgentError::NoRange {
                    node: own_node.to_owned(),
                });
            }
            _ => {}
        }
    }
}
