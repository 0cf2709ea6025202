//! Kubernetes on the nodes of a cluster that is made by hand: the reference installer with its
//! ordinary policy, followed step by step.

use std::collections::BTreeMap;
use std::time::Duration;

use oracle::observation::OperationEnd;
use terms::{Moment, StepEvent};
use tokio::time::{Instant, sleep};

use crate::cli::exit::{Exit, Failure};
use crate::cluster::{Cluster, Node};
use crate::console::lines::tell;
use crate::installer::{Access, STEPS, Selfhost, UNIT_NAME, UnitState};

/// The installer's policy.
const POLICY: &str = "modern";
/// The installer's own deadlines are far below this.
const OVERDUE: Duration = Duration::from_secs(900);
/// How often systemd is asked for the unit.
const POLL: Duration = Duration::from_millis(400);

/// Makes Kubernetes on the nodes and returns what it takes to use the cluster and to recover it.
pub(super) async fn bootstrap(cluster: &Cluster, kubernetes: &str) -> Result<Access, Failure> {
    let begun = Instant::now();
    let failed = |error| Failure::new(Exit::Failed, error);
    let node = cluster
        .node("cp-1")
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    let installer = Selfhost {
        policy: POLICY.to_owned(),
        agent: None,
        switches: BTreeMap::new(),
    };
    let access = installer
        .prepare(cluster, kubernetes)
        .await
        .map_err(failed)?;
    installer.start(node, &[]).await.map_err(failed)?;
    let end = tokio::select! {
        end = ended(&installer, node) => end?,
        () = tell_steps(node, begun) => ended(&installer, node).await?,
    };
    if end == OperationEnd::Done {
        return Ok(access);
    }
    let words = format!(
        "the installer did not finish: {end:?}; to look closer, make the nodes with --bare and read `journalctl -u {UNIT_NAME}` on cp-1, or use `chrysalis run --keep-on-failure`"
    );
    Err(Failure::new(Exit::Failed, words))
}

async fn ended(installer: &Selfhost, node: &Node) -> Result<OperationEnd, Failure> {
    let overdue = Instant::now() + OVERDUE;
    while Instant::now() < overdue {
        let state = installer.state(node).await;
        if let UnitState::Ended(end) = state.map_err(|error| Failure::new(Exit::Failed, error))? {
            return Ok(end);
        }
        sleep(POLL).await;
    }
    Ok(OperationEnd::Overdue)
}

/// Says which steps are completed until the stream ends. Steps are told for people only: whether the
/// installer finished is known from its unit.
async fn tell_steps(node: &Node, begun: Instant) {
    let follow = ["tail", "-n", "+1", "-F", STEPS];
    let Ok(mut lines) = node.exec_lines(follow).await else {
        return;
    };
    while let Ok(Some(line)) = lines.next().await {
        let Ok(event) = serde_json::from_str::<StepEvent>(&line.text) else {
            continue;
        };
        if event.moment == Moment::Completed {
            tell!("{:5.1} s  {}", begun.elapsed().as_secs_f64(), event.step);
        }
    }
}
