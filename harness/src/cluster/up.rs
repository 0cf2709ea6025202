//! Bringing a cluster up.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::load_balancer::{CONFIGURATION_PATH, configuration, load_balancer_container};
use super::load_balancer_status::wait_serving;
use super::node_container::node_container;
use super::{
    Cluster, ClusterError, ClusterSpec, LOAD_BALANCER, Node, NodePlace, Profile, Topology, UpEvent,
    pool,
};
use crate::docker::{Container, Engine, EngineError, Network, NodeFile, Owned, Role, RunLabels};

/// How long a node may take to boot. Measured: 3 s for five nodes side by side on two cores.
const BOOT_DEADLINE: Duration = Duration::from_secs(120);
/// How long the load balancer may take to listen. Measured: a tenth of a second.
const SERVING_DEADLINE: Duration = Duration::from_secs(30);
/// How long the load balancer's configuration may take into its container.
const CONFIGURATION_DEADLINE: Duration = Duration::from_secs(30);

/// A cluster that has just come up, and how that went.
#[derive(Clone, Debug)]
pub struct Up {
    /// The cluster.
    pub cluster: Cluster,
    /// How its nodes run.
    pub profile: Profile,
    /// What each node took; the load balancer comes last.
    pub timings: Vec<NodeTiming>,
    /// From the call until everything had booted, in milliseconds.
    pub total_ms: u64,
    /// What works less well than it could. Each was also told as [`UpEvent::Warning`].
    pub warnings: Vec<String>,
}

/// When a node was ready, in milliseconds since the bring-up began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeTiming {
    /// The node.
    pub node: String,
    /// Its container ran.
    pub started_ms: u64,
    /// Its systemd was up; for the load balancer the same as `started_ms`.
    pub booted_ms: u64,
}

impl Cluster {
    /// Makes the network, the load balancer and all nodes side by side, and waits until every node
    /// has booted. Nothing of Kubernetes is started.
    ///
    /// # Errors
    /// When the name is taken, the image is missing, no profile works, a node does not boot within
    /// 120 s, or the engine fails. Whatever had been made is removed before this returns.
    ///
    /// # Cancel safety
    /// Do not drop the future: the engine would finish what it has begun. Cancel the token; then
    /// what was made is removed and [`ClusterError::is_cancelled`] holds.
    pub async fn up(
        engine: &Engine,
        spec: &ClusterSpec,
        labels: &RunLabels,
        progress: &(dyn Fn(UpEvent) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Up, ClusterError> {
        check(engine, spec).await?;
        let making = Making {
            engine,
            spec,
            labels,
            progress,
            cancel,
            begun: Instant::now(),
        };
        let error = match making.run().await {
            Ok(up) => return Ok(up),
            Err(error) => error,
        };
        progress(UpEvent::Removing);
        match Self::remove(engine, spec.name()).await {
            Ok(_) => Err(error),
            Err(removal) => Err(ClusterError::LeftOver {
                error: Box::new(error),
                removal: Box::new(removal),
            }),
        }
    }
}

/// What can be known to be impossible before anything is made.
async fn check(engine: &Engine, spec: &ClusterSpec) -> Result<(), ClusterError> {
    let name = spec.name();
    let (found, image) = tokio::try_join!(engine.find(Some(name)), engine.image_id(spec.image()))
        .map_err(ClusterError::engine(name, "look for things of that name"))?;
    if !found.is_empty() {
        return Err(ClusterError::Exists(name.to_owned()));
    }
    if image.is_none() {
        return Err(ClusterError::ImageMissing(spec.image().to_owned()));
    }
    Ok(())
}

/// A bring-up under way.
struct Making<'a> {
    engine: &'a Engine,
    spec: &'a ClusterSpec,
    labels: &'a RunLabels,
    progress: &'a (dyn Fn(UpEvent) + Send + Sync),
    cancel: &'a CancellationToken,
    begun: Instant,
}

impl Making<'_> {
    async fn run(&self) -> Result<Up, ClusterError> {
        // Both run to their end even if one fails: what the engine has begun must be known to be
        // over before it is removed.
        let (taken, profile) = tokio::join!(
            pool::take(self.engine, self.spec.name(), self.labels),
            Profile::probe(self.engine, self.spec.image(), self.labels)
        );
        let (taken, profile) = (taken?, profile?);
        (self.progress)(UpEvent::NetworkMade {
            subnet: taken.subnet,
            at_ms: self.at_ms(),
        });
        (self.progress)(UpEvent::ProfileChosen {
            profile,
            at_ms: self.at_ms(),
        });
        let mut warnings = taken.warnings;
        for warning in &warnings {
            (self.progress)(UpEvent::Warning(warning.clone()));
        }
        let topology = self.spec.topology(taken.subnet);
        let (load_balancer, nodes) = tokio::join!(
            self.make_load_balancer(&topology, &taken.network),
            join_all(
                topology
                    .nodes
                    .iter()
                    .map(|place| { self.make_node(&topology, place, profile, &taken.network) })
            )
        );
        let made = nodes.into_iter().collect::<Result<Vec<_>, _>>()?;
        let (load_balancer, balancer_ms) = load_balancer?;
        let (mut nodes, mut timings) = (Vec::new(), Vec::new());
        for (node, timing, warning) in made {
            nodes.push(node);
            timings.push(timing);
            warnings.extend(warning);
        }
        timings.push(NodeTiming {
            node: LOAD_BALANCER.to_owned(),
            started_ms: balancer_ms,
            booted_ms: balancer_ms,
        });
        let engine = self.engine.clone();
        let cluster = Cluster {
            engine,
            topology,
            nodes,
            load_balancer,
        };
        Ok(Up {
            cluster,
            profile,
            timings,
            total_ms: self.at_ms(),
            warnings,
        })
    }

    async fn make_node(
        &self,
        topology: &Topology,
        place: &NodePlace,
        profile: Profile,
        network: &Owned<Network>,
    ) -> Result<(Node, NodeTiming, Option<String>), ClusterError> {
        let name = &place.name;
        self.go_on()?;
        let labels = self.labels.of(&topology.name, Some(name), place.role);
        let volume = topology.container(name);
        let making = self.engine.create_volume(&volume, labels);
        let var = making
            .await
            .map_err(self.failed("make the volume of", name))?;
        let spec = node_container(
            topology,
            place,
            self.spec.image(),
            profile,
            network,
            var,
            self.labels,
        );
        self.go_on()?;
        let making = self.engine.create_container(spec);
        let container = making.await.map_err(self.failed("make", name))?;
        self.go_on()?;
        self.engine
            .start(&container)
            .await
            .map_err(self.failed("start", name))?;
        let started_ms = self.at_ms();
        (self.progress)(UpEvent::NodeStarted {
            node: name.clone(),
            at_ms: started_ms,
        });
        let node = self.node(container, name, place.role, place.address);
        let booting = node.wait_booted(BOOT_DEADLINE);
        let boot = tokio::select! {
            boot = booting => boot?,
            () = self.cancel.cancelled() => return Err(self.cancelled()),
        };
        let booted_ms = self.at_ms();
        (self.progress)(UpEvent::NodeBooted {
            node: name.clone(),
            at_ms: booted_ms,
        });
        let warning = (!boot.failed_units.is_empty()).then(|| {
            format!(
                "node {name} could not start {}",
                boot.failed_units.join(", ")
            )
        });
        if let Some(warning) = &warning {
            (self.progress)(UpEvent::Warning(warning.clone()));
        }
        let timing = NodeTiming {
            node: name.clone(),
            started_ms,
            booted_ms,
        };
        Ok((node, timing, warning))
    }

    async fn make_load_balancer(
        &self,
        topology: &Topology,
        network: &Owned<Network>,
    ) -> Result<(Node, u64), ClusterError> {
        self.go_on()?;
        let spec = load_balancer_container(topology, self.spec.image(), network, self.labels);
        let making = self.engine.create_container(spec);
        let container = making.await.map_err(self.failed("make", LOAD_BALANCER))?;
        let file = NodeFile::new(CONFIGURATION_PATH, 0o644, configuration(topology));
        let archive = NodeFile::archive(&[file]);
        let copying = self
            .engine
            .upload(&container, "/", archive, CONFIGURATION_DEADLINE);
        copying
            .await
            .map_err(self.failed("configure", LOAD_BALANCER))?;
        self.go_on()?;
        self.engine
            .start(&container)
            .await
            .map_err(self.failed("start", LOAD_BALANCER))?;
        let at_ms = self.at_ms();
        (self.progress)(UpEvent::NodeStarted {
            node: LOAD_BALANCER.to_owned(),
            at_ms,
        });
        let address = topology.load_balancer;
        let node = self.node(container, LOAD_BALANCER, Role::LoadBalancer, address);
        wait_serving(&node, SERVING_DEADLINE).await?;
        Ok((node, at_ms))
    }

    fn node(
        &self,
        container: Owned<Container>,
        name: &str,
        role: Role,
        address: std::net::Ipv4Addr,
    ) -> Node {
        let engine = self.engine.clone();
        Node {
            engine,
            container,
            name: name.to_owned(),
            role,
            address,
        }
    }

    /// Cancellation is heeded between requests, never within one.
    fn go_on(&self) -> Result<(), ClusterError> {
        if self.cancel.is_cancelled() {
            Err(self.cancelled())
        } else {
            Ok(())
        }
    }

    fn cancelled(&self) -> ClusterError {
        ClusterError::Cancelled(self.spec.name().to_owned())
    }

    fn failed(&self, verb: &str, node: &str) -> impl FnOnce(EngineError) -> ClusterError + use<> {
        ClusterError::engine(self.spec.name(), &format!("{verb} node {node}"))
    }

    fn at_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
