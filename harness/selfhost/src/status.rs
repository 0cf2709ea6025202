//! `selfhost status`: where the procedure stands, why, and what is seen of the cluster.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pivot::{Facts, NodeSet};
use serde_json::json;
use terms::StepEvent;

use crate::assets::{Assets, AssetsError};
use crate::clients::{ClientError, Clients};
use crate::durable_file::FileError;
use crate::events;
use crate::facts::{FactSource, Poller};
use crate::layout::Layout;
use crate::marker::{Marker, MarkerError};

/// How long the cluster is looked at: long enough for one answer of each source.
const LOOK_FOR: Duration = Duration::from_millis(2_500);

/// What `selfhost status` is told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Status {
    /// What `selfhost render` made for the installer; without it the cluster is not looked at.
    #[arg(long, value_name = "DIR")]
    pub(crate) assets: Option<PathBuf>,
    /// Where marker, events and log are kept.
    #[arg(long, value_name = "DIR", default_value = crate::DEFAULT_STATE)]
    pub(crate) state_dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The status cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatusError {
    /// The marker cannot be read.
    #[error("the marker cannot be read")]
    Marker(#[from] MarkerError),
    /// The events cannot be read.
    #[error("the events cannot be read")]
    File(#[from] FileError),
    /// The assets cannot be used.
    #[error("the assets cannot be used")]
    Assets(#[from] AssetsError),
    /// No client can be made.
    #[error("the assets cannot be used")]
    Client(#[from] ClientError),
}

impl Status {
    /// Reads marker and events, looks at the cluster if there are assets, and gives the text.
    ///
    /// # Errors
    /// When something is there but cannot be read.
    pub(crate) async fn run(&self) -> Result<String, StatusError> {
        let assets = self
            .assets
            .clone()
            .unwrap_or_else(|| PathBuf::from(crate::DEFAULT_ASSETS));
        let layout = Layout::of_node(&assets, &self.state_dir);
        let marker = Marker::read(&layout.marker())?;
        let last = events::read(&layout.events())?.pop();
        let facts = if layout.assets.join("cluster.json").exists() {
            Some(look(&layout).await?)
        } else {
            None
        };
        Ok(if self.json {
            json!({ "v": 1, "marker": marker, "last_event": last, "facts": facts }).to_string()
        } else {
            words(marker.as_ref(), last.as_ref(), facts.as_ref())
        })
    }
}

async fn look(layout: &Layout) -> Result<Facts, StatusError> {
    let assets = Arc::new(Assets::load(&layout.assets).await?);
    let clients = Clients::new(&assets)?;
    let mut poller = Poller::start(&assets, &clients);
    tokio::time::sleep(LOOK_FOR).await;
    Ok(poller.next().await)
}

fn words(marker: Option<&Marker>, last: Option<&StepEvent>, facts: Option<&Facts>) -> String {
    let mut text = String::new();
    let durable = marker.map(|marker| marker.durable);
    let _ = match durable {
        None => writeln!(text, "nothing was begun, or its first step is not over"),
        Some(durable) if durable.done => writeln!(text, "done"),
        Some(durable) if durable.reinstating => {
            writeln!(text, "the bootstrap control plane is being put back")
        }
        Some(durable) if durable.holding.is_some() => writeln!(text, "holding"),
        Some(_) => writeln!(text, "under way, or killed on its way"),
    };
    if let Some(last) = last {
        let _ = writeln!(
            text,
            "last step: {} {}{}",
            last.step,
            last.moment,
            if last.held { ", held" } else { "" }
        );
        if let Some(reason) = &last.reason {
            let _ = writeln!(text, "reason: {reason}");
        }
    }
    if let Some(facts) = facts {
        describe(&mut text, facts);
    } else {
        let _ = writeln!(text, "the cluster was not looked at: there are no assets");
    }
    text
}

fn describe(text: &mut String, facts: &Facts) {
    let count = |set: NodeSet, of: u8| format!("{} of {of}", set.count());
    let Facts {
        control_planes,
        nodes,
        etcd,
        registered,
        ready,
        labelled,
        apiservers,
        ..
    } = facts;
    for (what, value) in [
        ("etcd members healthy", count(*etcd, *control_planes)),
        ("nodes registered", count(*registered, *nodes)),
        (
            "nodes ready whose lease was renewed while looking (every 10 s)",
            count(*ready, *nodes),
        ),
        (
            "control-plane nodes labelled",
            count(*labelled, *control_planes),
        ),
        ("bootstrap apiservers ready", count(apiservers.bootstrap, 1)),
        (
            "self-hosted apiservers ready",
            count(apiservers.self_hosted, *control_planes),
        ),
        (
            "load balancer answers",
            if apiservers.load_balancer {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
        ),
    ] {
        let _ = writeln!(text, "{what}: {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fresh_node_has_a_status_too() {
        let root = tempfile::tempdir().unwrap();
        let status = |json| Status {
            assets: Some(root.path().join("assets")),
            state_dir: root.path().join("state"),
            json,
        };
        assert!(
            status(false)
                .run()
                .await
                .unwrap()
                .contains("nothing was begun")
        );
        assert!(
            status(true)
                .run()
                .await
                .unwrap()
                .contains("\"marker\":null")
        );
    }
}
