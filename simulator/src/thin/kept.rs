//! What a checkpoint agent keeps on its node's disk, and what its tasks do to it.

use std::collections::{BTreeMap, BTreeSet};

use pivot::checkpoint::{OrderRule, Outcome, Saved, Task};
use terms::Component;

use super::world::World;

/// What is kept of the control plane on a disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kept {
    /// Versions of each component, the oldest first.
    pub(crate) versions: BTreeMap<Component, Vec<Version>>,
    /// Components whose copy's manifest lies in the kubelet's directory.
    pub(crate) active: BTreeSet<Component>,
    /// The agent's own static manifest lies there.
    pub(crate) protects: bool,
}

/// A version of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// Which template of the component's DaemonSet it was made of.
    pub(crate) template: u32,
    /// Its manifest lies ready for the kubelet.
    pub(crate) prepared: bool,
    /// All its files are there.
    pub(crate) files: bool,
    /// It bears its commit mark.
    pub(crate) mark: bool,
}

impl Version {
    /// Whether its mark is there, and matches its files.
    pub(crate) const fn is_complete(&self) -> bool {
        self.mark && self.files
    }
}

/// Which part of a version a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What the copy needs.
    Files,
    /// The commit mark.
    Mark,
}

/// Complete versions that are kept: the present one, and the one before.
const MOST_VERSIONS: usize = 2;

impl Kept {
    /// What the newest usable version is.
    pub(crate) fn saved(&self, component: Component) -> Saved {
        let versions = self.versions.get(&component).map_or(&[][..], Vec::as_slice);
        if versions.iter().any(Version::is_complete) {
            Saved::Complete
        } else if !versions.is_empty() {
            Saved::Torn
        } else {
            Saved::Nothing
        }
    }

    /// The template of the newest complete version.
    pub(crate) fn template(&self, component: Component) -> Option<u32> {
        let versions = self.versions.get(&component)?;
        let complete = versions.iter().rfind(|version| version.is_complete())?;
        Some(complete.template)
    }

    /// Whether the copy has what it needs to start.
    pub(crate) fn can_start(&self, component: Component) -> bool {
        let versions = self.versions.get(&component);
        self.active.contains(&component)
            && versions.is_some_and(|versions| versions.iter().any(|version| version.files))
    }
}

/// Name of a copy's manifest in the kubelet's directory.
pub(crate) fn manifest(component: Component) -> String {
    format!("checkpoint-{component}.json")
}

/// Name of the agent's own.
pub(crate) const AGENT_MANIFEST: &str = "checkpoint-agent.json";

impl World {
    /// A task that writes begins: what its writer puts first is there at once.
    pub(crate) fn begin_keeping(
        &mut self,
        node: u8,
        component: Component,
        task: Task,
        order: OrderRule,
    ) {
        if task != Task::Write || order != OrderRule::ManifestFirst || !self.reachable() {
            return;
        }
        let template = self.template(component);
        self.version_of(node, component, template).prepared = true;
    }

    /// Does a task's work on the node's disk at this instant.
    pub(crate) fn keep(&mut self, node: u8, component: Component, task: Task) -> Outcome {
        match task {
            Task::Write if !self.reachable() => return Outcome::Failed,
            Task::Write => {
                let template = self.template(component);
                self.version_of(node, component, template).files = true;
            }
            Task::Commit => {
                let versions = self
                    .node_mut(node)
                    .kept
                    .versions
                    .entry(component)
                    .or_default();
                let Some(newest) = versions.last_mut().filter(|newest| newest.files) else {
                    return Outcome::Failed;
                };
                newest.mark = true;
                newest.prepared = true;
                let old = versions.len().saturating_sub(MOST_VERSIONS);
                versions.drain(..old);
            }
            Task::Activate => {
                self.node_mut(node).kept.active.insert(component);
            }
            Task::Retire => {
                self.node_mut(node).kept.active.remove(&component);
            }
            Task::Remove => {
                self.node_mut(node).kept.versions.remove(&component);
            }
        }
        Outcome::Done
    }

    /// The version that is being made of this template: a new one, unless it was begun already.
    fn version_of(&mut self, node: u8, component: Component, template: u32) -> &mut Version {
        let versions = self
            .node_mut(node)
            .kept
            .versions
            .entry(component)
            .or_default();
        let begun = versions
            .last()
            .is_some_and(|newest| newest.template == template && !newest.is_complete());
        if !begun {
            versions.push(Version {
                template,
                prepared: false,
                files: false,
                mark: false,
            });
        }
        versions
            .last_mut()
            .expect("one was pushed if there was none")
    }
}
