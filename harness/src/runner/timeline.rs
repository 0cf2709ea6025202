//! Plays a case's timeline, entry by entry.

use std::sync::Arc;

use oracle::Sighting;
use oracle::observation::{Cause, Entry as EntryRecord, OperationEnd, Trouble};
use scenarios::{At, Case, Entry, Heal, Joined, Operation, OperationKind, describe_entry};
use terms::{Actor, NodeId};
use tokio::time::sleep;

use super::operation::{self, Open};
use super::{settle, usual};
use crate::cluster::Cluster;
use crate::console::Console;
use crate::faults::Injector;
use crate::installer::{Escrow, Selfhost, SnapshotFile};
use crate::stream::Stream;

/// Everything that playing needs.
pub(super) struct Timeline<'a> {
    pub(super) case: &'a Case,
    pub(super) cluster: &'a Cluster,
    pub(super) installer: &'a Selfhost,
    pub(super) stream: Stream,
    pub(super) console: Arc<Console>,
    pub(super) injector: Injector,
    pub(super) settler: settle::Settler,
    pub(super) open: Option<Open>,
    /// What a recovery needs; it was never on the nodes longer than that took.
    pub(super) escrow: Escrow,
    /// The latest snapshot.
    pub(super) snapshot: Option<SnapshotFile>,
    pub(super) last_end: Option<OperationEnd>,
    /// Who is to be released, but stands still with its node.
    pub(super) unreleased: Vec<At>,
    /// A user's workload was left running.
    pub(super) has_workload: bool,
}

/// Shorthand for trouble that ends the timeline.
pub(super) fn trouble(cause: Cause, detail: impl std::fmt::Display) -> Trouble {
    Trouble {
        cause,
        detail: detail.to_string(),
    }
}

impl Timeline<'_> {
    /// Plays all entries. Ends early, and well, when everything that the case expects to be
    /// violated has been, unless somebody recovers: how that ends is what such a case is about.
    ///
    /// # Errors
    /// With the trouble that makes going on pointless.
    pub(super) async fn play(&mut self) -> Result<(), Trouble> {
        let mut picture = self.stream.picture();
        let expected = self.case.expect.violated.clone();
        let recovers = self.case.timeline.iter().any(is_recovery);
        let proven = async move {
            if expected.is_empty() || recovers {
                std::future::pending::<()>().await;
            }
            // A closed stream means that the case is over anyway.
            let _ = picture
                .wait_for(|now| expected.iter().all(|slug| now.findings.contains_key(slug)))
                .await;
        };
        tokio::select! {
            played = self.play_entries() => played,
            () = proven => Ok(()),
        }
    }

    async fn play_entries(&mut self) -> Result<(), Trouble> {
        for (index, entry) in (0..).zip(&self.case.timeline) {
            let what = describe_entry(entry);
            self.mark(index, &what, true).await;
            self.play_entry(index, entry, &what).await?;
            self.mark(index, &what, false).await;
        }
        self.join("the end of the operation").await
    }

    async fn mark(&self, entry: u32, what: &str, begins: bool) {
        let record = EntryRecord {
            entry,
            what: what.to_owned(),
            begins,
        };
        self.stream.runner(Sighting::Entry(record)).await;
    }

    async fn play_entry(&mut self, index: u32, entry: &Entry, what: &str) -> Result<(), Trouble> {
        let usually_ms = match entry {
            Entry::Operation(_) => Some(usual::BOOTSTRAP_MS),
            Entry::Settle(_) => Some(usual::SETTLE_MS),
            Entry::Heal(_) => Some(usual::HEAL_MS),
            Entry::Wait(duration) => Some(duration.0),
            Entry::At(_) | Entry::Inject(_) => None,
        };
        self.console.phase(&self.case.id, what, usually_ms);
        match entry {
            Entry::Operation(operation) => self.operate(index, operation).await,
            Entry::At(at) => self.at(index, at).await,
            Entry::Inject(faults) => {
                self.injector.inject(index, faults).await;
                self.end_recovery(faults);
                Ok(())
            }
            Entry::Wait(duration) => {
                sleep(duration.to_duration()).await;
                Ok(())
            }
            Entry::Heal(heal) => {
                let named = match heal {
                    Heal::Everything => None,
                    Heal::Nodes(nodes) => Some(nodes),
                };
                self.injector.heal(index, named).await;
                self.release_thawed().await
            }
            Entry::Settle(wanted) => {
                self.join("the end of the operation").await?;
                let holding = self.last_end == Some(OperationEnd::Holding);
                let off = self.injector.out_of_service();
                let settling = self
                    .settler
                    .settle(index, wanted, holding, &off, &self.console);
                if settling.await && !holding {
                    self.leave_workload(index).await;
                }
                Ok(())
            }
        }
    }

    async fn operate(&mut self, index: u32, operation: &Operation) -> Result<(), Trouble> {
        self.join("the operation before").await?;
        let kind = operation.kind;
        if kind == OperationKind::Bootstrap {
            self.hold_agents().await?;
        }
        match kind {
            OperationKind::Bootstrap | OperationKind::Resume => {
                let node = self.bootstrap_node()?;
                let holds = self.holds(index, &Actor::default());
                let opened = operation::start(kind, self.installer, &node, &holds, &self.stream);
                let opened = opened
                    .await
                    .map_err(|error| trouble(Cause::Harness, chain(&error)))?;
                self.open = Some(opened);
            }
            OperationKind::Recover { from, .. } if operation.joined != Joined::ByItself => {
                let holds = self.holds(index, &Actor::recovery(&NodeId::control_plane(1)));
                self.open_recovery(kind, from, holds).await?;
            }
            _ => self.carry_out(kind).await?,
        }
        if operation.joined == Joined::ByItself {
            self.join("the operation").await?;
        }
        Ok(())
    }

    /// Waits until the open operation has ended, if one is open.
    ///
    /// # Errors
    /// When what remains to be done of a recovery cannot be done.
    pub(super) async fn join(&mut self, what: &str) -> Result<(), Trouble> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        self.console.waiting_for(&self.case.id, what);
        match open {
            Open::Unit(watcher) => {
                self.last_end = Some(watcher.await.unwrap_or(OperationEnd::Failed));
                Ok(())
            }
            Open::Recovery(recovery) => self.close_recovery(recovery).await,
        }
    }

    pub(super) fn bootstrap_node(&self) -> Result<crate::cluster::Node, Trouble> {
        let name = self.case.cluster.bootstrap_node();
        let node = self.cluster.node(name.as_str());
        node.cloned()
            .map_err(|error| trouble(Cause::Harness, error))
    }
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        text.push_str(": ");
        text.push_str(&current.to_string());
        cause = current.source();
    }
    text
}

fn is_recovery(entry: &Entry) -> bool {
    matches!(entry, Entry::Operation(operation) if operation.kind.is_recovery())
}
