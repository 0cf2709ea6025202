//! Operations that are awaited where they stand: snapshots, recoveries, and another cluster's bootstrap.

use std::time::Duration;

use oracle::Sighting;
use oracle::observation::{self, Cause, OperationEnd, OperationEnded, Trouble};
use scenarios::{OperationKind, RecoverFrom};
use terms::{Actor, Fault, NodeId};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::operation::Open;
use super::timeline::{Timeline, chain, trouble};
use crate::cluster::Node;
use crate::installer::{Ended, HoldPoint, InstallerError};

/// How long a rival waits for the first one's etcd.
const FIRST_WITHIN: Duration = Duration::from_secs(90);

/// A recovery that was begun.
#[derive(Debug)]
struct Begun {
    /// The node on which it was.
    first: Node,
    /// Control-plane nodes that are left out.
    lost: Vec<String>,
    since: Instant,
}

/// A recovery in the background.
#[derive(Debug)]
pub(super) struct OpenRecovery {
    command: AbortOnDropHandle<Result<Ended, InstallerError>>,
    kind: OperationKind,
    begun: Begun,
    /// A fault ended it.
    is_killed: bool,
}

impl OpenRecovery {
    /// Whether the command has ended on the first node.
    pub(super) fn has_ended(&self) -> bool {
        self.is_killed || self.command.is_finished()
    }
}

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

    /// The first node, with a rival beside it if one is asked for; then the others.
    async fn recover(&mut self, from: RecoverFrom, rival: bool) -> Result<Ended, InstallerError> {
        let begun = self.begin(from).await?;
        self.console
            .waiting_for(&self.case.id, "the first node's recovery");
        let recovery = self.installer.recover(&begun.first, from, &begun.lost, &[]);
        let nodes: Vec<Node> = self.cluster.nodes().to_vec();
        let (recovered, beside) = tokio::join!(recovery, self.rival(rival, &nodes));
        beside?;
        self.finish(begun, recovered?).await
    }

    /// Begins a recovery that stays in the background, where it is held.
    pub(super) async fn open_recovery(
        &mut self,
        kind: OperationKind,
        from: RecoverFrom,
        holds: Vec<HoldPoint>,
    ) -> Result<(), Trouble> {
        self.started(kind, false).await;
        let begun = self.begin(from).await;
        let begun = begun.map_err(|error| trouble(Cause::Harness, chain(&error)))?;
        let (installer, first, lost) = (
            self.installer.clone(),
            begun.first.clone(),
            begun.lost.clone(),
        );
        let recovery = async move { installer.recover(&first, from, &lost, &holds).await };
        self.open = Some(Open::Recovery(OpenRecovery {
            command: AbortOnDropHandle::new(tokio::spawn(recovery)),
            kind,
            begun,
            is_killed: false,
        }));
        Ok(())
    }

    /// Remembers it when one of these faults ended the recovery that is open.
    pub(super) fn end_recovery(&mut self, faults: &[Fault]) {
        let actor = Actor::recovery(&NodeId::control_plane(1));
        let is_hit = faults.iter().any(|fault| self.ends(fault, &actor));
        if let Some(Open::Recovery(recovery)) = &mut self.open {
            recovery.is_killed |= is_hit;
        }
    }

    /// Waits for the end of a recovery in the background; the others follow if the first node is back.
    pub(super) async fn close_recovery(&mut self, open: OpenRecovery) -> Result<(), Trouble> {
        let failed = |error: &dyn std::error::Error| trouble(Cause::Harness, chain(error));
        let (end, detail) = if open.is_killed {
            // Its node may be off: what the engine says of the command by then says nothing.
            (OperationEnd::Killed, "a fault ended it".to_owned())
        } else {
            let ended = open.command.await.map_err(|error| failed(&error))?;
            let ended = ended.map_err(|error| failed(&error))?;
            let finished = self.finish(open.begun, ended).await;
            finished.map_err(|error| failed(&error))?
        };
        self.ended(open.kind, end, detail).await;
        self.last_end = Some(end);
        Ok(())
    }

    /// Makes the first node ready, and says who is left out.
    async fn begin(&mut self, from: RecoverFrom) -> Result<Begun, InstallerError> {
        let begun = Instant::now();
        let nodes = self.cluster.nodes();
        let first = nodes[0].clone();
        self.equip(&first).await?;
        if self.is_lost(&first) {
            self.installer.replace(&first).await?;
            self.injector.disk_filled(&NodeId::new(first.name()));
        }
        // A snapshot becomes one member, whatever became of the others.
        let others = nodes.iter().filter(|node| is_control_plane(node)).skip(1);
        let lost = others
            .filter(|node| from == RecoverFrom::Snapshot || self.is_lost(node))
            .map(|node| node.name().to_owned())
            .collect();
        Ok(Begun {
            first,
            lost,
            since: begun,
        })
    }

    /// Once the first node is back, every other node that lost its disk, one after another.
    async fn finish(&mut self, begun: Begun, first: Ended) -> Result<Ended, InstallerError> {
        self.installer.disarm(&begun.first).await?;
        if first.0 != OperationEnd::Done {
            return Ok(first);
        }
        let mut times = vec![format!(
            "{} after {}",
            begun.first.name(),
            seconds(begun.since)
        )];
        let nodes: Vec<Node> = self.cluster.nodes().to_vec();
        for node in nodes.iter().skip(1) {
            if !self.is_lost(node) {
                continue;
            }
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
            times.push(format!("{} after {}", node.name(), seconds(begun.since)));
        }
        Ok((OperationEnd::Done, format!("back: {}", times.join(", "))))
    }

    fn is_lost(&self, node: &Node) -> bool {
        let lost = self.injector.without_disk();
        lost.contains(&NodeId::new(node.name()))
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
            .recover(node, RecoverFrom::Snapshot, &lost, &[])
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
