//! What the installer's tasks do: the same as in the timed worlds.

use pivot::{AssetGroup, ComponentSet, Task, Why};
use terms::Component;

use super::action::Port;
use super::state::{Joined, State};
use super::world::World;

/// Whether a task asks the API.
pub(crate) const fn asks_api(task: Task) -> bool {
    matches!(
        task,
        Task::Apply(_) | Task::PurgeStale | Task::LabelNode(_) | Task::Canary | Task::VerifyApi
    )
}

/// Whether a task changes files that the bootstrap node's kubelet follows.
const fn changes_files(task: Task) -> bool {
    matches!(
        task,
        Task::StageSecrets
            | Task::PlaceManifest(_)
            | Task::StashManifest(_)
            | Task::DeleteManifest(_)
            | Task::StashSecrets
            | Task::DeleteSecrets
    )
}

impl World {
    /// Whether a task can do its work now, or why not.
    pub(crate) fn can(&self, state: &State, task: Task) -> Result<(), Why> {
        let disk = &state.disk;
        let found = |there: bool| if there { Ok(()) } else { Err(Why::Disk) };
        match task {
            Task::StageSecrets => found(disk.assets || disk.stashed_secrets),
            Task::PlaceManifest(component) => {
                found(disk.assets || disk.stashed & ComponentSet::bit(component) != 0)
            }
            _ if asks_api(task) => self.can_ask(state, task),
            _ => Ok(()),
        }
    }

    fn can_ask(&self, state: &State, task: Task) -> Result<(), Why> {
        let quorum = state.has_quorum(self.control_planes());
        let reachable = state.is_reachable(quorum);
        if !(reachable && state.disk.assets) {
            return Err(Why::ApiUnreachable);
        }
        let acts = |component| state.acts(component, reachable);
        match task {
            Task::LabelNode(node) => match state.nodes[usize::from(node)].joined {
                Joined::No => Err(Why::VerificationFailed),
                _ => Ok(()),
            },
            Task::Canary
                if !(acts(Component::KubeControllerManager) && acts(Component::KubeScheduler)) =>
            {
                Err(Why::CanaryLost)
            }
            Task::VerifyApi => {
                let serves = |node| state.works_behind(Port::SelfHosted, node);
                if (0..state.nodes.len()).any(serves) {
                    Ok(())
                } else {
                    Err(Why::VerificationFailed)
                }
            }
            _ => Ok(()),
        }
    }

    /// Does a task's work, and what follows from it at once. Doing it twice is doing it once.
    pub(crate) fn land(&self, state: &mut State, task: Task) {
        self.work(state, task);
        // Files are all that tasks change of what anybody acts on at once.
        if changes_files(task) {
            state.settle_bootstrap();
        }
    }

    /// Whether a task's work would change anything.
    pub(crate) fn would_land(&self, state: &State, task: Task) -> bool {
        let mut landed = *state;
        self.work(&mut landed, task);
        landed.disk != state.disk || landed.applied != state.applied || landed.nodes != state.nodes
    }

    fn work(&self, state: &mut State, task: Task) {
        let disk = &mut state.disk;
        match task {
            Task::ClaimCluster | Task::ClaimExisting => disk.claimed = true,
            Task::StageSecrets => disk.secrets = true,
            Task::PlaceManifest(component) => {
                disk.manifests |= ComponentSet::bit(component);
                self.judge_placed(state, component);
            }
            Task::StashManifest(component) => {
                let bit = ComponentSet::bit(component);
                let there = disk.manifests & bit;
                disk.stashed |= there;
                disk.manifests &= !bit;
                self.judge_removed(state, component, there != 0);
            }
            Task::DeleteManifest(component) => {
                let bit = ComponentSet::bit(component);
                let there = disk.manifests & bit;
                disk.manifests &= !bit;
                self.judge_removed(state, component, there != 0);
            }
            Task::StashSecrets => {
                disk.stashed_secrets |= disk.secrets;
                disk.secrets = false;
            }
            Task::DeleteSecrets => disk.secrets = false,
            Task::DestroyStash => {
                disk.assets = false;
                disk.stashed_secrets = false;
                disk.stashed = 0;
            }
            Task::Apply(AssetGroup::ControlPlane) => state.applied = true,
            Task::LabelNode(node) => state.nodes[usize::from(node)].joined = Joined::Labelled,
            Task::Apply(_) | Task::PurgeStale | Task::Canary | Task::VerifyApi => {}
        }
    }
}
