//! Plays a case's timeline, entry by entry.

use std::collections::BTreeSet;
use std::sync::Arc;

use oracle::Sighting;
use oracle::observation::{Cause, Entry as EntryRecord, OperationEnd, Trouble};
use scenarios::{At, Case, Entry, Heal, Joined, Operation, OperationKind, describe_entry};
use terms::{Actor, Component, Fault, NodeId};
use tokio::time::{sleep, timeout};

use super::operation::{self, Open};
use super::{settle, usual};
use crate::cluster::Cluster;
use crate::console::Console;
use crate::faults::Injector;
use crate::installer::{HoldPoint, Selfhost, checkpoint_agent};
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
    pub(super) last_end: Option<OperationEnd>,
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
    /// violated has been.
    ///
    /// # Errors
    /// With the trouble that makes going on pointless.
    pub(super) async fn play(&mut self) -> Result<(), Trouble> {
        let mut picture = self.stream.picture();
        let expected = self.case.expect.violated.clone();
        let proven = async move {
            if expected.is_empty() {
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
        self.join("the end of the operation").await;
        Ok(())
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
                Ok(())
            }
            Entry::Settle(wanted) => {
                self.join("the end of the operation").await;
                let holding = self.last_end == Some(OperationEnd::Holding);
                let off = self.injector.powered_off().to_vec();
                self.settler
                    .settle(index, wanted, holding, &off, &self.console)
                    .await;
                Ok(())
            }
        }
    }

    async fn operate(&mut self, index: u32, operation: &Operation) -> Result<(), Trouble> {
        self.join("the operation before").await;
        if operation.kind == OperationKind::Bootstrap {
            self.hold_agents().await?;
        }
        let node = self.bootstrap_node()?;
        let holds = self.holds(index, &Actor::default());
        let opened =
            operation::start(operation.kind, self.installer, &node, &holds, &self.stream).await;
        self.open = Some(opened.map_err(|error| trouble(Cause::Harness, chain(&error)))?);
        if operation.joined == Joined::ByItself {
            self.join("the operation").await;
        }
        Ok(())
    }

    /// Hold points are the installer's from its first start on; a later `resume` keeps them.
    fn holds(&self, from: u32, actor: &Actor) -> Vec<HoldPoint> {
        self.case
            .timeline
            .iter()
            .skip(from as usize)
            .filter_map(|entry| match entry {
                Entry::At(at) if at.actor == *actor => Some(HoldPoint::of(at)),
                _ => None,
            })
            .collect()
    }

    /// Agents start by themselves: where they are to be held is written before the bootstrap begins.
    async fn hold_agents(&self) -> Result<(), Trouble> {
        let actors: BTreeSet<&Actor> = self
            .case
            .timeline
            .iter()
            .filter_map(|entry| match entry {
                Entry::At(at) => Some(&at.actor),
                _ => None,
            })
            .collect();
        for actor in actors {
            let Some(name) = checkpoint_agent::node_of(actor) else {
                continue;
            };
            let failed = |error| trouble(Cause::Harness, chain(&error));
            let node = self.cluster.node(name.as_str()).map_err(failed)?;
            let holds = self.holds(0, actor);
            let written = checkpoint_agent::write_holds(node, &holds).await;
            written.map_err(failed)?;
        }
        Ok(())
    }

    /// Waits until the open operation has ended, if one is open.
    pub(super) async fn join(&mut self, what: &str) {
        if let Some(open) = self.open.take() {
            self.console.waiting_for(&self.case.id, what);
            self.last_end = Some(open.join().await);
        }
    }

    async fn at(&mut self, index: u32, at: &At) -> Result<(), Trouble> {
        let address = format!("{} {} #{}", at.step, at.moment, at.occurrence);
        self.console
            .waiting_for(&self.case.id, &format!("{} to reach {address}", at.actor));
        self.reach(at, &address).await?;
        self.injector.inject(index, &at.inject).await;
        let hold = HoldPoint::of(at);
        let cannot = |error: &dyn std::error::Error| {
            let why = chain(error);
            trouble(
                Cause::Harness,
                format!("cannot release {} at {address}: {why}", at.actor),
            )
        };
        if let Some(name) = checkpoint_agent::node_of(&at.actor) {
            if at
                .inject
                .iter()
                .any(|fault| self.stops_the_agent(fault, &name))
            {
                return Ok(());
            }
            let node = self
                .cluster
                .node(name.as_str())
                .map_err(|error| cannot(&error))?;
            let released = checkpoint_agent::release(node, &hold).await;
            return released.map_err(|error| cannot(&error));
        }
        if at
            .inject
            .iter()
            .any(|fault| self.stops_the_installer(fault))
        {
            return Ok(());
        }
        let node = self.bootstrap_node()?;
        let released = self.installer.release(&node, &hold).await;
        released.map_err(|error| cannot(&error))
    }

    /// Waits until the actor is held at the address.
    async fn reach(&self, at: &At, address: &str) -> Result<(), Trouble> {
        let mut picture = self.stream.picture();
        let held = picture.wait_for(|now| {
            now.steps.iter().any(|seen| {
                let step = &seen.value;
                step.held
                    && step.actor == at.actor
                    && step.step == at.step
                    && step.moment == at.moment
                    && step.occurrence == at.occurrence
            })
        });
        let is_installer = checkpoint_agent::node_of(&at.actor).is_none();
        let ended = async {
            if !is_installer {
                std::future::pending::<()>().await;
            }
            while !self.open.as_ref().is_none_or(Open::has_ended) {
                sleep(settle::INTERVAL).await;
            }
            // The last steps may still be on their way when the unit has ended.
            sleep(settle::INTERVAL * 2).await;
        };
        tokio::select! {
            biased;
            reached = timeout(at.within.to_duration(), held) => match reached {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(_)) => Err(trouble(Cause::Harness, "the stream of observations ended")),
                Err(_) => Err(trouble(Cause::Fault, format!("{address} was not reached within {}", at.within))),
            },
            () = ended => Err(trouble(Cause::Fault, format!("the operation ended without reaching {address}"))),
        }
    }

    /// A held agent that went with its node, or was killed, need not be released.
    fn stops_the_agent(&self, fault: &Fault, node: &NodeId) -> bool {
        let killed =
            matches!(fault, Fault::Kill(kill) if kill.component == Component::CheckpointAgent);
        (killed || matches!(fault, Fault::Reboot(_))) && self.injector.last_targets().contains(node)
            || self.injector.powered_off().contains(node)
    }

    fn stops_the_installer(&self, fault: &Fault) -> bool {
        let bootstrap = NodeId::control_plane(1);
        matches!(fault, Fault::KillInstaller(_))
            || matches!(fault, Fault::Reboot(_))
                && self.injector.last_targets().contains(&bootstrap)
            || self.injector.powered_off().contains(&bootstrap)
    }

    fn bootstrap_node(&self) -> Result<crate::cluster::Node, Trouble> {
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
