//! `chrysalis cluster up`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::{CASE, bootstrap, engine, failure, node_image, time_to_live};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::interrupt;
use crate::cluster::{Cluster, ClusterSpec, StateDirectory, Up, UpEvent};
use crate::console::lines::{say, tell};
use crate::docker::{Engine, Owner, RunLabels};

/// Arguments of `chrysalis cluster up`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The cluster's name.
    #[arg(long, default_value = "chrysalis")]
    name: String,
    /// Control-plane nodes, 1 to 9.
    #[arg(long, value_name = "N", default_value_t = 3)]
    control_planes: u32,
    /// Workers, 0 to 50.
    #[arg(long, value_name = "N", default_value_t = 1)]
    workers: u32,
    /// The node image, instead of the one that the recipe names.
    #[arg(long, value_name = "IMAGE", env = "CHRYSALIS_IMAGE")]
    image: Option<String>,
    /// The minor version of Kubernetes.
    #[arg(long, value_name = "MINOR", default_value = "1.34")]
    kubernetes: String,
    /// Nodes only, without Kubernetes.
    #[arg(long)]
    bare: bool,
    /// When `chrysalis reap` may remove the cluster: 90s, 30m, 8h, 2d.
    #[arg(long, value_name = "TIME", default_value = "8h", value_parser = time_to_live::parse)]
    ttl: Duration,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let Arguments {
        name,
        control_planes,
        workers,
        image,
        kubernetes,
        bare,
        ttl,
    } = arguments;
    let image = image.unwrap_or_else(|| node_image(&kubernetes));
    let spec = ClusterSpec::new(&name, control_planes, workers, &image, &kubernetes)
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let engine = engine().await?;
    let cancel = interrupt::token()?;
    let labels = RunLabels {
        run: format!("{CASE}-{name}"),
        case: CASE.to_owned(),
        deadline_s: deadline_s(ttl),
        owner: Owner::this_process(),
    };
    let progress = |event: UpEvent| tell!("{event}");
    let up = Cluster::up(&engine, &spec, &labels, &progress, &cancel)
        .await
        .map_err(failure)?;
    let finished = tokio::select! {
        finished = finish(&up.cluster, &spec, bare, &labels) => finished,
        () = cancel.cancelled() => Err(Failure::new(Exit::Interrupted, "interrupted")),
    };
    if let Err(error) = finished {
        remove(&engine, &name).await;
        return Err(error);
    }
    describe(&up, bare);
    Ok(Exit::Success)
}

async fn finish(
    cluster: &Cluster,
    spec: &ClusterSpec,
    bare: bool,
    labels: &RunLabels,
) -> Result<(), Failure> {
    if !bare {
        let access = bootstrap::bootstrap(cluster, spec.kubernetes()).await?;
        let directory = StateDirectory::of(&cluster.topology().name);
        let files = [
            (directory.kubeconfig(), access.kubeconfig.as_bytes()),
            (directory.escrow(), &access.escrow),
        ];
        for (path, content) in files {
            directory.write(&path, content).map_err(failure)?;
        }
    }
    cluster.keep(labels).await.map_err(failure)
}

async fn remove(engine: &Engine, name: &str) {
    tell!("{}", UpEvent::Removing);
    if let Err(error) = Cluster::remove(engine, name).await {
        tell!("warning: {error}; `chrysalis reap` will remove the rest");
    }
    if let Err(error) = StateDirectory::of(name).remove() {
        tell!("warning: {error}");
    }
}

fn describe(up: &Up, bare: bool) {
    let topology = up.cluster.topology();
    let name = &topology.name;
    say!(
        "cluster {name} is up after {:.1} s",
        up.total_ms as f64 / 1000.0
    );
    for node in &topology.nodes {
        say!("  {:<14} {}", node.name, node.address);
    }
    say!("  {:<14} {}", "load-balancer", topology.load_balancer);
    say!("look inside: chrysalis cluster exec --cluster {name} cp-1 -- journalctl --no-pager");
    if !bare {
        say!("kubeconfig:  chrysalis cluster kubeconfig {name}");
        say!(
            "escrow:      {}",
            StateDirectory::of(name).escrow().display()
        );
    }
    say!("remove:      chrysalis cluster down {name}");
}

fn deadline_s(ttl: Duration) -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    (now + ttl).as_secs()
}
