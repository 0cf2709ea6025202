//! What the installer's tasks do to the world.

use pivot::{Outcome, Task, Why};
use terms::{Component, Incarnation};

use super::scene::Quirk;
use super::world::World;

impl World {
    /// Does a task's work at this instant. A foreign installer's work is done in another cluster's name.
    pub(crate) fn perform(&mut self, task: Task, foreign: bool) -> Outcome {
        match task {
            Task::ClaimCluster | Task::ClaimExisting => {
                let node = self.node_mut(0);
                if foreign && node.claimed {
                    return Outcome::Refused(Why::ForeignCluster);
                }
                node.claimed = true;
                Outcome::Done
            }
            Task::StageSecrets => {
                let node = self.node_mut(0);
                if !(node.assets || node.stashed_secrets || foreign) {
                    return Outcome::Failed(Why::Disk);
                }
                node.secrets = true;
                Outcome::Done
            }
            Task::PlaceManifest(component) => {
                let node = self.node_mut(0);
                if !(node.assets || node.stashed.contains(&component) || foreign) {
                    return Outcome::Failed(Why::Disk);
                }
                node.manifests.insert(component);
                Outcome::Done
            }
            Task::StashManifest(component) => {
                let node = self.node_mut(0);
                if node.manifests.remove(&component) {
                    node.stashed.insert(component);
                }
                Outcome::Done
            }
            Task::DeleteManifest(component) => {
                self.node_mut(0).manifests.remove(&component);
                Outcome::Done
            }
            Task::StashSecrets => {
                let node = self.node_mut(0);
                node.stashed_secrets |= node.secrets;
                node.secrets = false;
                Outcome::Done
            }
            Task::DeleteSecrets => {
                self.node_mut(0).secrets = false;
                Outcome::Done
            }
            Task::DestroyStash => {
                let node = self.node_mut(0);
                node.assets = false;
                node.stashed_secrets = false;
                node.stashed.clear();
                Outcome::Done
            }
            // Every node of this world is wanted: nothing is ever stale.
            Task::PurgeStale => Outcome::Done,
            Task::Apply(_) | Task::LabelNode(_) | Task::Canary | Task::VerifyApi => self.ask(task),
        }
    }

    /// Tasks that need the API, and the installer's credentials for it.
    fn ask(&mut self, task: Task) -> Outcome {
        let reachable = self.reachable() || self.has(Quirk::RequestsNeedNoApiserver);
        if !reachable || !self.node(0).assets {
            return Outcome::Failed(Why::ApiUnreachable);
        }
        match task {
            Task::Apply(group) => {
                if self.has(Quirk::AssetsAreRefusedAtFirst) && self.refused_once.insert(group) {
                    return Outcome::Failed(Why::ObjectRefused);
                }
                self.applied.insert(group);
                self.store.revision += 1;
                Outcome::Done
            }
            Task::LabelNode(node) if self.registered.contains(node) => {
                self.labelled = self.labelled.with(node);
                self.store.revision += 1;
                Outcome::Done
            }
            Task::Canary
                if self.acts(Component::KubeControllerManager)
                    && self.acts(Component::KubeScheduler) =>
            {
                Outcome::Done
            }
            Task::Canary => Outcome::Failed(Why::CanaryLost),
            Task::VerifyApi
                if (0..self.control_planes)
                    .any(|node| self.serves((node, Incarnation::SelfHosted))) =>
            {
                if self.has(Quirk::AuthorityIsRenewed) {
                    self.authority = 2;
                }
                Outcome::Done
            }
            _ => Outcome::Failed(Why::VerificationFailed),
        }
    }
}
