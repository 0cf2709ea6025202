//! `chrysalis cluster list`.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde::Serialize;

use super::{engine, failure};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cluster::{Cluster, ClusterSummary};
use crate::console::lines::say;

/// Arguments of `chrysalis cluster list`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One cluster, as JSON. The field names are contract.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    control_planes: usize,
    workers: usize,
    subnet: Option<String>,
    run: String,
    case: Option<String>,
    kept: bool,
    seconds_left: Option<u64>,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let engine = engine().await?;
    let clusters = Cluster::list(&engine).await.map_err(failure)?;
    let rows: Vec<Row> = clusters.into_iter().map(row).collect();
    if arguments.json {
        let text = serde_json::to_string_pretty(&rows);
        say!(
            "{}",
            text.map_err(|error| Failure::new(Exit::Failed, error))?
        );
    } else if rows.is_empty() {
        say!("there are no clusters; make one with `chrysalis cluster up`");
    } else {
        say!(
            "{:<24} {:<7} {:<16} {:<10} RUN",
            "NAME",
            "NODES",
            "SUBNET",
            "LEFT"
        );
        for row in rows {
            let nodes = format!("{}+{}", row.control_planes, row.workers);
            let subnet = row.subnet.unwrap_or_else(|| "none".to_owned());
            let left = if row.kept {
                left(row.seconds_left)
            } else {
                "with run".to_owned()
            };
            say!(
                "{:<24} {nodes:<7} {subnet:<16} {left:<10} {}",
                row.name,
                row.run
            );
        }
    }
    Ok(Exit::Success)
}

fn row(cluster: ClusterSummary) -> Row {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let ClusterSummary {
        name,
        labels,
        control_plane,
        workers,
        subnet,
        kept,
    } = cluster;
    Row {
        name,
        control_planes: control_plane,
        workers,
        subnet: subnet.map(|subnet| subnet.to_string()),
        run: labels.run,
        case: labels.case,
        kept,
        seconds_left: labels
            .deadline_s
            .map(|deadline| deadline.saturating_sub(now)),
    }
}

fn left(seconds: Option<u64>) -> String {
    match seconds {
        None => "?".to_owned(),
        Some(0) => "over".to_owned(),
        Some(seconds) if seconds < 3600 => format!("{} min", seconds.div_ceil(60)),
        Some(seconds) => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
