//! Clusters of node containers on this host, without anything of Kubernetes in them yet.
//!
//! **Vocabulary.** A [`Topology`] says which nodes a cluster has and at which addresses; it is pure.
//! A [`Cluster`] is one that runs; its [`Node`]s can lose power, be frozen, run commands and take
//! files. The load balancer is a node too, so that it can be a fault's target.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # use std::time::Duration;
//! # use chrysalis::cluster::{Cluster, ClusterSpec};
//! # use chrysalis::docker::{Engine, Owner, RunLabels};
//! # use tokio_util::sync::CancellationToken;
//! let engine = Engine::connect().await?;
//! let spec = ClusterSpec::new("demo", 3, 1, "chrysalis/node:latest", "1.34")?;
//! let labels = RunLabels {
//!     run: "r1".into(), case: "c1".into(), deadline_s: 0, owner: Owner::this_process(),
//! };
//! let cancel = CancellationToken::new();
//! let up = Cluster::up(&engine, &spec, &labels, &|event| println!("{event}"), &cancel).await?;
//! let effect = up.cluster.node("cp-1")?.power_off().await?;
//! assert_eq!(effect.after.exit_code, 137);
//! up.cluster.down().await?;
//! # Ok(()) }
//! ```
//!
//! **Limits.** Whoever brings a cluster up takes it down; [`reap`](reap()) removes what a dead
//! process left. A cancelled token makes [`Cluster::up`] remove what it has made and return.

mod attach;
mod boot;
mod cluster_file;
mod down;
mod effect;
mod error;
mod host_network;
mod keep;
mod load_balancer;
mod load_balancer_status;
mod node;
mod node_container;
mod pool;
mod profile;
mod progress;
mod reap;
mod running;
mod spec;
mod state_directory;
mod subnet;
mod topology;
mod up;

pub use boot::Boot;
pub use cluster_file::{ClusterFile, ClusterFileNode};
pub use down::Removal;
pub use effect::Effect;
pub use error::ClusterError;
pub use load_balancer::{LOAD_BALANCER, STATISTICS_PORT};
pub use load_balancer_status::Backend;
pub use node::{DOWNLOAD_BYTES_MAX, Node};
pub use profile::Profile;
pub use progress::UpEvent;
pub use reap::{ReapReport, Reason, reap};
pub use running::{Cluster, ClusterSummary};
pub use spec::ClusterSpec;
pub use state_directory::StateDirectory;
pub use subnet::Subnet;
pub use topology::{NodePlace, Topology, TopologyError};
pub use up::{NodeTiming, Up};
