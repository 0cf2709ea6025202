//! `chrysalis cluster exec`.

use std::io::Write;
use std::time::Duration;

use clap::Args;

use super::{engine, failure, time_to_live};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cluster::{Cluster, ClusterSummary};
use crate::docker::{Engine, LineSource};

/// Arguments of `chrysalis cluster exec`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The cluster; needed only when there are several.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Give up after this time: 90s, 30m, 8h. The command goes on inside.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time_to_live::parse)]
    within: Duration,
    /// The node, such as cp-1 or load-balancer.
    node: String,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let Arguments {
        cluster,
        within,
        node,
        command,
    } = arguments;
    let engine = engine().await?;
    let name = match cluster {
        Some(name) => name,
        None => only_cluster(&engine).await?,
    };
    let cluster = Cluster::attach(&engine, &name).await.map_err(failure)?;
    let node = cluster.node(&node).map_err(failure)?;
    let mut running = node.exec_lines(command).await.map_err(failure)?;
    let copying = async {
        while let Some((source, bytes)) = running
            .next_bytes()
            .await
            .map_err(|error| Failure::new(Exit::Failed, error))?
        {
            match source {
                LineSource::Stdout => write(&mut std::io::stdout(), &bytes)?,
                LineSource::Stderr => write(&mut std::io::stderr(), &bytes)?,
            }
        }
        running
            .exit_code()
            .await
            .map_err(|error| Failure::new(Exit::Failed, error))
    };
    let code = tokio::time::timeout(within, copying).await.map_err(|_| {
        Failure::new(
            Exit::Failed,
            format!("the command did not end within {within:?}"),
        )
    })??;
    // The command's code is passed on as it is, which no code of our own could say.
    std::process::exit(i32::try_from(code).unwrap_or(1));
}

fn write(to: &mut impl Write, bytes: &[u8]) -> Result<(), Failure> {
    let written = to.write_all(bytes).and_then(|()| to.flush());
    written.map_err(|error| Failure::new(Exit::Failed, error))
}

async fn only_cluster(engine: &Engine) -> Result<String, Failure> {
    let clusters = Cluster::list(engine).await.map_err(failure)?;
    let names: Vec<String> = clusters
        .into_iter()
        .map(|ClusterSummary { name, .. }| name)
        .collect();
    match names.as_slice() {
        [name] => Ok(name.clone()),
        [] => Err(Failure::new(
            Exit::Usage,
            "there is no cluster; make one with `chrysalis cluster up`",
        )),
        several => Err(Failure::new(
            Exit::Usage,
            format!(
                "there are several clusters; name one with --cluster: {}",
                several.join(", ")
            ),
        )),
    }
}
