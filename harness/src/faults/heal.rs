//! Lasting faults undone. A heal verifies the mechanism, never the product's recovery.

use std::time::Duration;

use futures::future::join_all;
use oracle::Sighting;
use oracle::observation::HealRecord;
use terms::{NodeId, Selectors};

use super::open::Ailment;
use super::{Injector, unit};
use crate::cluster::Node;

/// How long a node may take until its systemd has started everything.
const BOOT_DEADLINE: Duration = Duration::from_secs(60);

impl Injector {
    /// Undoes every lasting fault, or those of the nodes that are named, and records it.
    pub async fn heal(&mut self, entry: u32, named: Option<&Selectors>) {
        let start_us = self.stream.clock.now_us();
        let wanted = match self.wanted(named, entry) {
            Ok(wanted) => wanted,
            Err(reason) => return self.record(entry, start_us, Vec::new(), Err(reason)).await,
        };
        let proofs = join_all(wanted.iter().map(|node| self.undo(node))).await;
        let effect: Result<Vec<String>, String> = proofs.into_iter().collect();
        if effect.is_ok() {
            for node in &wanted {
                self.open.healed(node);
            }
        }
        self.record(
            entry,
            start_us,
            wanted,
            effect.map(|proofs| proofs.join("; ")),
        )
        .await;
    }

    fn wanted(&self, named: Option<&Selectors>, entry: u32) -> Result<Vec<NodeId>, String> {
        let Some(named) = named else {
            return Ok(self.open.nodes(|_| true));
        };
        let mut nodes = scenarios::resolve_all(named, &self.snapshot(), self.draw(entry, 0))
            .map_err(|error| error.to_string())?;
        nodes.retain(|node| !self.open.of(node).is_empty());
        Ok(nodes)
    }

    /// Undoes what the node suffers from, one after another, and says what proves it.
    async fn undo(&self, node: &NodeId) -> Result<String, String> {
        let mut proofs = Vec::new();
        for ailment in self.open.of(node) {
            proofs.push(match ailment {
                Ailment::Off => self.power_on(node).await?,
                Ailment::Frozen => self.thaw(node).await?,
                Ailment::Stopped(unit) => unit::start(self.machine(node)?, unit).await?,
            });
        }
        Ok(proofs.join("; "))
    }

    fn machine(&self, node: &NodeId) -> Result<&Node, String> {
        let machine = self.cluster.node(node.as_str());
        machine.map_err(|error| error.to_string())
    }

    async fn thaw(&self, node: &NodeId) -> Result<String, String> {
        let effect = self.machine(node)?.thaw().await;
        let effect = effect.map_err(|error| error.to_string())?;
        Ok(format!("{node}: {}", effect.power()))
    }

    async fn power_on(&self, node: &NodeId) -> Result<String, String> {
        let machine = self.machine(node)?;
        let effect = machine
            .power_on()
            .await
            .map_err(|error| error.to_string())?;
        // The first line says what; the node's console, which follows, is kept as evidence.
        let booted = machine.wait_booted(BOOT_DEADLINE).await;
        booted.map_err(|error| {
            error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned()
        })?;
        Ok(format!("{node}: {}, booted", effect.power()))
    }

    async fn record(
        &self,
        entry: u32,
        start_us: u64,
        nodes: Vec<NodeId>,
        effect: Result<String, String>,
    ) {
        let record = HealRecord {
            entry,
            nodes,
            effect,
        };
        self.stream
            .saw(oracle::Source::Runner, start_us, Sighting::Heal(record))
            .await;
    }
}
