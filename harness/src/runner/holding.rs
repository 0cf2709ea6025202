//! Machines held at their steps: the installer, a recovery, and the checkpoint agents of nodes. Faults are injected there,
//! and whoever still lives is released.

use std::collections::BTreeSet;

use oracle::observation::{Cause, Trouble};
use scenarios::{At, Entry};
use terms::{Actor, Component, Fault, NodeId};
use tokio::time::{sleep, timeout};

use super::operation::Open;
use super::settle;
use super::timeline::{Timeline, chain, trouble};
use crate::installer::{CONTROL, HoldPoint, checkpoint_agent, recovery};

impl Timeline<'_> {
    /// Hold points are the installer's from its first start on; a later `resume` keeps them.
    pub(super) fn holds(&self, from: u32, actor: &Actor) -> Vec<HoldPoint> {
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
    pub(super) async fn hold_agents(&self) -> Result<(), Trouble> {
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
            let Some(name) = actor.agent_node() else {
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

    pub(super) async fn at(&mut self, index: u32, at: &At) -> Result<(), Trouble> {
        let address = address(at);
        self.console
            .waiting_for(&self.case.id, &format!("{} to reach {address}", at.actor));
        self.reach(at, &address).await?;
        self.injector.inject(index, &at.inject).await;
        self.end_recovery(&at.inject);
        if at.inject.iter().any(|fault| self.ends(fault, &at.actor)) {
            return Ok(());
        }
        self.release(at).await
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
        let is_installer = at.actor.agent_node().is_none();
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

    /// Whether a fault ended the machine, which then need not be released.
    pub(super) fn ends(&self, fault: &Fault, actor: &Actor) -> bool {
        let home = home(actor);
        let is_hit = || self.injector.last_targets().contains(&home);
        let killed = match fault {
            Fault::KillInstaller(_) => actor.agent_node().is_none(),
            Fault::Kill(kill) => {
                let is_agent = kill.component == Component::CheckpointAgent;
                actor.agent_node().is_some() && is_agent && is_hit()
            }
            Fault::Reboot(_) => is_hit(),
            _ => false,
        };
        killed || self.injector.powered_off().contains(&home)
    }

    /// Releases a held machine; one that stands still with its node is released when that is thawed.
    async fn release(&mut self, at: &At) -> Result<(), Trouble> {
        let home = home(&at.actor);
        if self.injector.frozen().contains(&home) {
            self.unreleased.push(at.clone());
            return Ok(());
        }
        let cannot = |why: String| {
            let (actor, address) = (&at.actor, address(at));
            trouble(
                Cause::Harness,
                format!("cannot release {actor} at {address}: {why}"),
            )
        };
        let node = self.cluster.node(home.as_str());
        let node = node.map_err(|error| cannot(chain(&error)))?;
        let hold = HoldPoint::of(at);
        let control = if at.actor.agent_node().is_some() {
            checkpoint_agent::CONTROL
        } else if at.actor.recovery_node().is_some() {
            recovery::CONTROL
        } else {
            CONTROL
        };
        let released = hold.release(node, control).await;
        released.map_err(|error| cannot(chain(&error)))
    }

    /// Releases what stood still with its node and does not any more.
    ///
    /// # Errors
    /// When somebody cannot be released.
    pub(super) async fn release_thawed(&mut self) -> Result<(), Trouble> {
        for at in std::mem::take(&mut self.unreleased) {
            // Who has lost its power meanwhile is held by nobody.
            if !self.injector.powered_off().contains(&home(&at.actor)) {
                self.release(&at).await?;
            }
        }
        Ok(())
    }
}

/// The node on which a machine runs.
fn home(actor: &Actor) -> NodeId {
    actor
        .agent_node()
        .or_else(|| actor.recovery_node())
        .unwrap_or_else(|| NodeId::control_plane(1))
}

fn address(at: &At) -> String {
    format!("{} {} #{}", at.step, at.moment, at.occurrence)
}
