//! The agent's own protection: whether its static copy belongs into the kubelet's directory.

use std::time::Duration;

use pivot::checkpoint::{AgentPlan, Known, Saved};
use terms::Component;
use tokio::time::Instant;

use super::places::Places;
use super::sources::Sight;
use crate::durable_file::{self, FileError};
use crate::render::checkpoint_agent;

/// Keeps the agent's static manifest in its place while there is something to protect.
pub(super) struct Protection {
    manifest: Vec<u8>,
    /// Since when the API has said without a gap that there is nothing to protect.
    idle_since: Option<Instant>,
    /// The pod of the agent for whose sake the copy was placed.
    agent: Option<String>,
    given_up: bool,
}

impl Protection {
    /// The protection of the agent on this node.
    pub(super) fn of(node: &str) -> Self {
        let manifest = format!("{:#}\n", checkpoint_agent::static_pod(node));
        Self {
            manifest: manifest.into_bytes(),
            idle_since: None,
            agent: None,
            given_up: false,
        }
    }

    /// Does what a sight asks for.
    ///
    /// # Errors
    /// When the manifest can be neither written nor removed.
    pub(super) fn follow(
        &mut self,
        places: &Places,
        plan: &AgentPlan,
        sight: &Sight,
    ) -> Result<(), FileError> {
        match self.is_wanted(plan, sight) {
            Some(true) => self.place(places),
            Some(false) => remove(places),
            None => Ok(()),
        }
    }

    /// Whether the copy must be there; `None` when that does not follow from what is known.
    fn is_wanted(&mut self, plan: &AgentPlan, sight: &Sight) -> Option<bool> {
        let covered = Component::SELF_HOSTED.into_iter().zip(&sight.components);
        let mut facts = covered.filter(|(component, _)| plan.covers(*component));
        let is_idle = facts.all(|(_, seen)| {
            seen.facts.bound == Known::No
                && seen.facts.saved == Saved::Nothing
                && !seen.facts.active
        });
        if !plan.rules.protects_itself {
            return self.by_history(sight);
        }
        if !is_idle {
            self.idle_since = None;
            return Some(true);
        }
        let since = *self.idle_since.get_or_insert_with(Instant::now);
        let grace = Duration::from_millis(plan.grace_ms.into());
        (since.elapsed() >= grace).then_some(false)
    }

    /// History's copy belonged to one pod of the agent. Once the API said that this one is not bound
    /// here, the copy went, and nothing brought it back.
    fn by_history(&mut self, sight: &Sight) -> Option<bool> {
        let agents = sight.agents.as_ref();
        match (&self.agent, agents.and_then(|agents| agents.first())) {
            (None, Some(found)) => self.agent = Some(found.clone()),
            (Some(known), _) => {
                let is_bound = agents.is_none_or(|agents| agents.contains(known));
                self.given_up |= !is_bound;
            }
            (None, None) => {}
        }
        Some(!self.given_up)
    }

    /// Brings a copy that is there up to this program. An older one that acts is thereby restarted by
    /// the kubelet and lets go of the lock, for which this one then need not wait for ever.
    ///
    /// # Errors
    /// When the manifest can be neither read nor written.
    pub(super) fn renew(&self, places: &Places) -> Result<(), FileError> {
        let path = places.manifests.join(Places::own_manifest_name());
        match durable_file::read_if_present(&path)? {
            Some(_) => self.place(places),
            None => Ok(()),
        }
    }

    fn place(&self, places: &Places) -> Result<(), FileError> {
        let name = Places::own_manifest_name();
        let there = durable_file::read_if_present(&places.manifests.join(&name))?;
        if there.as_ref() == Some(&self.manifest) {
            return Ok(());
        }
        durable_file::private_directory(&places.staging)?;
        durable_file::place(&places.staging, &places.manifests, &name, &self.manifest)
    }
}

fn remove(places: &Places) -> Result<(), FileError> {
    let path = places.manifests.join(Places::own_manifest_name());
    if path.exists() {
        durable_file::remove_if_present(&path)?;
        durable_file::sync_directory(&places.manifests)?;
    }
    Ok(())
}
