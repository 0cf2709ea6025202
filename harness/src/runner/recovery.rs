//! Operations that are awaited where they stand: snapshots, recoveries, and another cluster's bootstrap.

use std::time::Duration;

use oracle::Sighting;
use oracle::observation::{self, Cause, OperationEnd, OperationEnded, Trouble};
use scenarios::{OperationKind, RecoverFrom};
use terms::NodeId;
use tokio::time::{Instant, sleep, timeout};

use super::timeline::{Timeline, chain, trouble};
use crate::cluster::Node;
use crate::installer::{Ended, InstallerError};

/// How long a rival waits for the first one's etcd.
const FIRST_WITHIN: Duration = Duration::from_secs(90);

impl Timeline<'_> {
    /// Carries an operation out to its end and records both.
    pub(super) async fn carry_out(&mut self, kind: OperationKind) -> Result<(), Trouble> {
        self.started(kind, false).await;
        let ended = match kind {
            OperationKind::Snapshot => self.take_snapshot().await,
            OperationKind::Recover { from, rival } => self.recover(from, rival).await,
            OperationKind::ForeignBootstrap => self.start_foreign().await,
            // These go on in the background.
            OperationKind::Bootstrap | OperationKind::Resume => return Ok(()),
        };
        let (end, detail) = ended.map_err(|error| trouble(Cause::Harness, chain(&error)))?;
        self.ended(kind, end, detail).await;
        self.last_end = Some(end);
        Ok(())
    }

    async fn started(&self, kind: OperationKind, rival: bool) {
        let started = observation::Operation {
            operation: kind.name().to_owned(),
            foreign: kind == OperationKind::ForeignBootstrap,
            from_snapshot: is_from_snapshot(kind),
            rival,
        };
        let started = Sighting::OperationStarted(started);
        self.stream.runner(started).await;
    }

    async fn ended(&self, kind: OperationKind, end: OperationEnd, detail: String) {
        let ended = OperationEnded {
            operation: kind.name().to_owned(),
            end,
            detail: Some(detail).filter(|detail| !detail.is_empty()),
        };
        self.stream.runner(Sighting::OperationEnded(ended)).await;
    }

    async fn take_snapshot(&mut self) -> Result<Ended, InstallerError> {
        let node = self.cluster.node(NodeId::control_plane(1).as_str())?;
        let (ended, taken) = self.installer.snapshot(node).await?;
        if taken.is_some() {
            self.snapshot = taken;
        }
        Ok(ended)
    }

    async fn start_foreign(&self) -> Result<Ended, InstallerError> {
        let node = self.cluster.node(NodeId::control_plane(1).as_str())?;
        let kubernetes = &self.case.cluster.kubernetes;
        let started = self.installer.start_foreign(self.cluster, node, kubernetes);
        started.await
    }

    /// The first node, with a rival beside it if one is asked for; then, one after another, every node that
    /// lost its disk.
    async fn recover(&mut self, from: RecoverFrom, rival: bool) -> Result<Ended, InstallerError> {
        let begun = Instant::now();
        let nodes: Vec<Node> = self.cluster.nodes().to_vec();
        let without_disk = self.injector.without_disk().clone();
        let is_lost = |node: &Node| without_disk.contains(&NodeId::new(node.name()));
        let first = &nodes[0];
        self.equip(first).await?;
        if is_lost(first) {
            self.installer.replace(first).await?;
        }
        // A snapshot becomes one member, whatever became of the others.
        let others = nodes.iter().filter(|node| is_control_plane(node)).skip(1);
        let lost: Vec<String> = others
            .filter(|node| from == RecoverFrom::Snapshot || is_lost(node))
            .map(|node| node.name().to_owned())
            .collect();
        self.console
            .waiting_for(&self.case.id, "the first node's recovery");
        let recovery = self.installer.recover(first, from, &lost);
        let (recovered, beside) = tokio::join!(recovery, self.rival(rival, &nodes));
        beside?;
        let (end, said) = recovered?;
        self.installer.disarm(first).await?;
        if end != OperationEnd::Done {
            return Ok((end, said));
        }
        self.injector.disk_filled(&NodeId::new(first.name()));
        let mut times = vec![format!("{} after {}", first.name(), seconds(begun))];
        for node in nodes.iter().skip(1).filter(|node| is_lost(node)) {
            self.console
                .waiting_for(&self.case.id, &format!("{} to join", node.name()));
            self.equip(node).await?;
            self.installer.replace(node).await?;
            let (end, said) = match is_control_plane(node) {
                true => self.installer.join(node).await?,
                false => (OperationEnd::Done, String::new()),
            };
            self.installer.disarm(node).await?;
            if end != OperationEnd::Done {
                return Ok((end, format!("{}: {said}", node.name())));
            }
            self.injector.disk_filled(&NodeId::new(node.name()));
            times.push(format!("{} after {}", node.name(), seconds(begun)));
        }
        Ok((OperationEnd::Done, format!("back: {}", times.join(", "))))
    }

    /// Somebody begins the same on the last control-plane node once the first one's etcd answers.
    async fn rival(&self, wanted: bool, nodes: &[Node]) -> Result<(), InstallerError> {
        let control = nodes.iter().filter(|node| is_control_plane(node));
        let control: Vec<&Node> = control.collect();
        let Some(node) = control.last().filter(|_| wanted) else {
            return Ok(());
        };
        self.equip(node).await?;
        let begun_us = self.stream.clock.now_us();
        let mut picture = self.stream.picture();
        let answers = picture.wait_for(|now| {
            now.etcd
                .get(&NodeId::control_plane(1))
                .is_some_and(|seen| seen.at_us > begun_us && seen.value.is_some())
        });
        let _ = timeout(FIRST_WITHIN, answers).await;
        // What the probe saw, a client sees too; a member that has just started elects itself within a second.
        sleep(Duration::from_secs(2)).await;
        let kind = OperationKind::Recover {
            from: RecoverFrom::Snapshot,
            rival: true,
        };
        self.started(kind, true).await;
        let others = control.iter().filter(|other| other.name() != node.name());
        let lost: Vec<String> = others.map(|other| other.name().to_owned()).collect();
        let (end, said) = self
            .installer
            .recover(node, RecoverFrom::Snapshot, &lost)
            .await?;
        self.ended(kind, end, format!("{}: {said}", node.name()))
            .await;
        self.installer.disarm(node).await
    }

    async fn equip(&self, node: &Node) -> Result<(), InstallerError> {
        let snapshot = self.snapshot.as_ref();
        self.installer.equip(node, &self.escrow, snapshot).await
    }
}

const fn is_from_snapshot(kind: OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::Recover {
            from: RecoverFrom::Snapshot,
            ..
        }
    )
}

fn is_control_plane(node: &Node) -> bool {
    NodeId::new(node.name()).is_control_plane()
}

fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f64())
}
