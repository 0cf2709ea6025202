//! Why something could not be done to a cluster.

use thiserror::Error;

use crate::docker::{EngineError, Power};

/// Why something could not be done to a cluster or to one of its nodes.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// The engine failed.
    #[error("cluster {cluster}: cannot {doing}")]
    Engine {
        /// The cluster.
        cluster: String,
        /// What was being done.
        doing: String,
        /// Why not.
        #[source]
        source: EngineError,
    },
    /// The name is taken.
    #[error(
        "a cluster named {0} exists already; choose another name, or remove it with `chrysalis cluster down {0}` (or `chrysalis reap`, if it was left by a run that is gone)"
    )]
    Exists(String),
    /// No such cluster.
    #[error("there is no cluster named {0}; `chrysalis cluster list` shows those that there are")]
    NoCluster(String),
    /// No such node.
    #[error("cluster {cluster} has no node {node}; it has {known}")]
    NoNode {
        /// The cluster.
        cluster: String,
        /// The name that was asked for.
        node: String,
        /// The names that there are.
        known: String,
    },
    /// The image is not on this engine.
    #[error("the engine has no image {0}; build it with `chrysalis image build`")]
    ImageMissing(String),
    /// Neither profile works here.
    #[error(
        "no node profile works with image {image} on this host (privileged: {privileged}; capabilities: {capabilities}); `chrysalis doctor` says more"
    )]
    NoProfile {
        /// The image that was tried.
        image: String,
        /// What the engine said to `--privileged`.
        privileged: String,
        /// What the engine said to the list of capabilities.
        capabilities: String,
    },
    /// All ranges are taken.
    #[error(
        "all 254 subnets of 10.231.0.0/16 are taken; `chrysalis reap` removes networks that dead runs left"
    )]
    PoolExhausted,
    /// Somebody else holds the pool's lock.
    #[error("another chrysalis process has held {path} for {waited_ms} ms; try again")]
    PoolLocked {
        /// The lock file.
        path: String,
        /// How long was waited, in milliseconds.
        waited_ms: u64,
    },
    /// The fault or its undoing has no effect in this state.
    #[error("node {node} cannot be {verb}: it is {power:?}")]
    NoEffect {
        /// The node.
        node: String,
        /// Such as `powered off`.
        verb: &'static str,
        /// The state that it is in.
        power: Power,
    },
    /// A node did not come up.
    #[error("node {node} did not boot: {why}; the end of its console:\n{console}")]
    NotBooted {
        /// The node.
        node: String,
        /// What was seen instead.
        why: String,
        /// The last lines of its console.
        console: String,
    },
    /// A command inside a node failed.
    #[error("`{command}` on node {node} ended with code {exit_code}: {complaint}")]
    Command {
        /// The node.
        node: String,
        /// The command.
        command: String,
        /// Its exit code.
        exit_code: i64,
        /// Its standard error.
        complaint: String,
    },
    /// The caller's token was cancelled.
    #[error("cluster {0}: interrupted; what had been made is removed")]
    Cancelled(String),
    /// Bringing up failed, and so did the removal of what had been made.
    #[error(
        "{error}; and what had been made could not be removed ({removal}): `chrysalis reap` will remove it"
    )]
    LeftOver {
        /// Why bringing up failed.
        #[source]
        error: Box<ClusterError>,
        /// Why the removal failed.
        removal: Box<ClusterError>,
    },
    /// Things are still there after several rounds of removal.
    #[error("cluster {cluster}: still there after removal: {left}")]
    NotRemoved {
        /// The cluster.
        cluster: String,
        /// What is left.
        left: String,
    },
    /// What the engine has is not a cluster that we would have made.
    #[error(
        "cluster {cluster} is incomplete: {what}; remove it with `chrysalis cluster down {cluster}`"
    )]
    Incomplete {
        /// The cluster.
        cluster: String,
        /// What is missing or odd.
        what: String,
    },
    /// The load balancer said something unexpected.
    #[error("the load balancer of cluster {cluster} did not report its backends: {why}")]
    LoadBalancer {
        /// The cluster.
        cluster: String,
        /// What happened instead.
        why: String,
    },
    /// A file of the host.
    #[error("cannot {doing} {path}")]
    File {
        /// `read`, `write`, …
        doing: &'static str,
        /// The path.
        path: String,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
}

impl ClusterError {
    /// Names the cluster and what was being done for a failure of the engine.
    pub(crate) fn engine(cluster: &str, doing: &str) -> impl FnOnce(EngineError) -> Self + use<> {
        let (cluster, doing) = (cluster.to_owned(), doing.to_owned());
        move |source| Self::Engine {
            cluster,
            doing,
            source,
        }
    }

    /// Whether the bring-up was cancelled rather than failed.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled(_) => true,
            Self::LeftOver { error, .. } => error.is_cancelled(),
            _ => false,
        }
    }
}
