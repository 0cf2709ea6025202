//! Lasting faults undone. A heal verifies the mechanism, never the product's recovery.

use std::time::Duration;

use futures::future::join_all;
use oracle::Sighting;
use oracle::observation::HealRecord;
use terms::{NodeId, Selectors};

use super::Injector;

/// How long a node may take until its systemd has started everything.
const BOOT_DEADLINE: Duration = Duration::from_secs(60);

impl Injector {
    /// Gives power back to every node that lost it, or to those that are named, and records it.
    pub async fn heal(&mut self, entry: u32, named: Option<&Selectors>) {
        let start_us = self.stream.clock.now_us();
        let wanted = match self.wanted(named, entry) {
            Ok(wanted) => wanted,
            Err(reason) => return self.record(entry, start_us, Vec::new(), Err(reason)).await,
        };
        let proofs = join_all(wanted.iter().map(|node| self.power_on(node))).await;
        let effect: Result<Vec<String>, String> = proofs.into_iter().collect();
        if effect.is_ok() {
            self.off.retain(|node| !wanted.contains(node));
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
            return Ok(self.off.clone());
        };
        let mut nodes = scenarios::resolve_all(named, &self.snapshot(), self.draw(entry, 0))
            .map_err(|error| error.to_string())?;
        nodes.retain(|node| self.off.contains(node));
        Ok(nodes)
    }

    async fn power_on(&self, node: &NodeId) -> Result<String, String> {
        let machine = self
            .cluster
            .node(node.as_str())
            .map_err(|error| error.to_string())?;
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
        Ok(format!(
            "{node}: {:?} -> {:?}, booted",
            effect.before.power, effect.after.power
        ))
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
