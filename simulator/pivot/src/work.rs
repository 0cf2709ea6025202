//! What a stage consists of: its tasks in order, and what is waited for between them.

use terms::Component;

use crate::effect::{StageIndex, Task};
use crate::machine::indices;
use crate::plan::{AssetGroup, ComponentSet, GateRule, Plan, Rules, SecretsRule, StageKind};

/// What a stage waits for once its first tasks are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Nothing.
    Nothing,
    /// A gate's rule.
    Gate(GateRule),
    /// That bootstrap copies are gone and somebody else renews their leases.
    HandedOver(ComponentSet),
    /// That bootstrap instances are gone and unlisted.
    Drained(ComponentSet),
    /// That bootstrap processes are gone.
    Gone(ComponentSet),
    /// That the bootstrap control plane serves again.
    Reinstated(ComponentSet),
    /// That checkpoints of these could be started.
    Armed(ComponentSet),
}

/// A stage's tasks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// One byte a task, from the lowest: its place in [`TASKS`]. A list in one word needs no memory, and
    /// a step makes one or two of them.
    tasks: u64,
    len: u8,
    /// How many tasks come before the wait.
    before_watch: u8,
    /// Whether each task waits for the one before it.
    pub(crate) one_by_one: bool,
    pub(crate) watch: Watch,
}

/// Every task that a list may hold.
const TASKS: [Task; 24] = [
    Task::ClaimCluster,
    Task::StageSecrets,
    Task::StashSecrets,
    Task::DeleteSecrets,
    Task::Canary,
    Task::VerifyApi,
    Task::DestroyStash,
    Task::PlaceManifest(Component::KubeApiserver),
    Task::PlaceManifest(Component::KubeControllerManager),
    Task::PlaceManifest(Component::KubeScheduler),
    Task::StashManifest(Component::KubeApiserver),
    Task::StashManifest(Component::KubeControllerManager),
    Task::StashManifest(Component::KubeScheduler),
    Task::DeleteManifest(Component::KubeApiserver),
    Task::DeleteManifest(Component::KubeControllerManager),
    Task::DeleteManifest(Component::KubeScheduler),
    Task::ClaimExisting,
    Task::PurgeStale,
    Task::Apply(AssetGroup::Namespaces),
    Task::Apply(AssetGroup::Rbac),
    Task::Apply(AssetGroup::Configuration),
    Task::Apply(AssetGroup::Network),
    Task::Apply(AssetGroup::ControlPlane),
    Task::Apply(AssetGroup::Dns),
];

/// A place in [`TASKS`]; of tasks for each component, that of the first.
type Place = u8;
const CLAIM_CLUSTER: Place = 0;
const STAGE_SECRETS: Place = 1;
const STASH_SECRETS: Place = 2;
const DELETE_SECRETS: Place = 3;
const CANARY: Place = 4;
const VERIFY_API: Place = 5;
const DESTROY_STASH: Place = 6;
const PLACE_MANIFEST: Place = 7;
const STASH_MANIFEST: Place = 10;
const DELETE_MANIFEST: Place = 13;
const CLAIM_EXISTING: Place = 16;
const PURGE_STALE: Place = 17;
const APPLY: Place = 18;

impl Work {
    const fn new(watch: Watch) -> Self {
        Self {
            tasks: 0,
            len: 0,
            before_watch: 0,
            one_by_one: false,
            watch,
        }
    }

    fn task(&mut self, place: Place) -> &mut Self {
        self.tasks |= u64::from(place) << (8 * self.len);
        self.len += 1;
        self
    }

    /// One task for each component of the set, in order.
    fn each(&mut self, set: ComponentSet, first: Place) -> &mut Self {
        for component in 0..3 {
            if set.0 >> component & 1 == 1 {
                self.task(first + component);
            }
        }
        self
    }

    fn then_watch(&mut self) -> &mut Self {
        self.before_watch = self.len;
        self
    }

    fn one_by_one(&mut self) -> &mut Self {
        self.one_by_one = true;
        self
    }

    /// The work of a stage.
    pub(crate) fn of(plan: &Plan, kind: StageKind, torn_down: bool) -> Self {
        let Rules {
            stash,
            claim,
            secrets,
            destroy_stash,
            ..
        } = plan.rules;
        let mut work = Self::new(Watch::Nothing);
        match kind {
            StageKind::Stage => {
                if claim {
                    work.task(CLAIM_CLUSTER);
                }
                work.task(STAGE_SECRETS).one_by_one().then_watch();
            }
            StageKind::Reclaim => {
                work.task(CLAIM_EXISTING).task(STAGE_SECRETS);
                work.one_by_one().then_watch();
            }
            StageKind::Place(set) => {
                work.each(set, PLACE_MANIFEST).then_watch();
            }
            StageKind::Apply => {
                for place in APPLY..TASKS.len() as Place {
                    work.task(place);
                }
                work.one_by_one().then_watch();
            }
            // When its task is needed follows from the facts.
            StageKind::Purge => {
                work.task(PURGE_STALE).then_watch();
            }
            // Its tasks follow from the facts.
            StageKind::Label => {}
            StageKind::Gate(rule) => work.watch = Watch::Gate(rule),
            StageKind::Arm(set) if set == ComponentSet::NONE => {}
            StageKind::Arm(set) => work.watch = Watch::Armed(set),
            StageKind::HandOver(set) => {
                work.watch = Watch::HandedOver(set);
                work.each(set, STASH_MANIFEST).then_watch();
                if !torn_down {
                    work.task(CANARY);
                }
            }
            StageKind::Drain(set) => {
                work.watch = Watch::Drained(set);
                work.each(set, STASH_MANIFEST).then_watch();
            }
            StageKind::Remove(set) => work.remove(set, stash, secrets),
            StageKind::Verify => {
                work.task(VERIFY_API);
                if destroy_stash {
                    work.task(DESTROY_STASH);
                }
                work.one_by_one().then_watch();
            }
        }
        work
    }

    fn remove(&mut self, set: ComponentSet, stash: bool, rule: SecretsRule) {
        let manifest = if stash {
            STASH_MANIFEST
        } else {
            DELETE_MANIFEST
        };
        let secrets = if stash { STASH_SECRETS } else { DELETE_SECRETS };
        match rule {
            SecretsRule::AfterProcesses => {
                self.watch = Watch::Gone(set);
                self.each(set, manifest).then_watch().task(secrets);
            }
            SecretsRule::BeforeManifests => {
                self.task(secrets).each(set, manifest);
                self.one_by_one().then_watch();
            }
        }
    }

    /// What puts the bootstrap control plane back after a failure in this stage: everything that this
    /// stage and those before it may have taken away. Each task leaves alone what is still in its place.
    pub(crate) fn of_reinstatement(plan: &Plan, stage: StageIndex) -> Self {
        let mut set = ComponentSet::NONE;
        let mut secrets = false;
        for stage in plan.stages.iter().take(usize::from(stage) + 1) {
            match stage.kind {
                StageKind::HandOver(taken) | StageKind::Drain(taken) => set = set.or(taken),
                StageKind::Remove(taken) => {
                    set = set.or(taken);
                    secrets = true;
                }
                _ => {}
            }
        }
        let mut work = Self::new(Watch::Reinstated(set));
        if secrets {
            work.task(STAGE_SECRETS);
        }
        work.each(set, PLACE_MANIFEST);
        work.one_by_one().then_watch();
        work
    }

    /// The bits of the tasks that may run: those before the wait, or all once it is over.
    pub(crate) const fn open(&self, passed: bool) -> u16 {
        let count = if passed { self.len } else { self.before_watch };
        (1 << count) - 1
    }

    /// The task with this index.
    #[inline]
    pub(crate) const fn get(&self, index: u8) -> Option<Task> {
        if index < self.len {
            Some(TASKS[(self.tasks >> (8 * index) & 0xff) as usize])
        } else {
            None
        }
    }

    /// The index of a task among those whose bits are set.
    #[inline]
    pub(crate) fn index_of(&self, task: Task, among: u16) -> Option<u8> {
        indices(among).find(|index| self.get(*index) == Some(task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_name_their_tasks() {
        let each = |first: Place, task: fn(Component) -> Task| {
            let places = usize::from(first)..;
            assert_eq!(TASKS[places][..3], Component::SELF_HOSTED.map(task));
        };
        each(PLACE_MANIFEST, Task::PlaceManifest);
        each(STASH_MANIFEST, Task::StashManifest);
        each(DELETE_MANIFEST, Task::DeleteManifest);
        let applied = AssetGroup::ALL.map(Task::Apply);
        assert_eq!(TASKS[usize::from(APPLY)..], applied);
        let single = [
            (CLAIM_CLUSTER, Task::ClaimCluster),
            (STAGE_SECRETS, Task::StageSecrets),
            (STASH_SECRETS, Task::StashSecrets),
            (DELETE_SECRETS, Task::DeleteSecrets),
            (CANARY, Task::Canary),
            (VERIFY_API, Task::VerifyApi),
            (DESTROY_STASH, Task::DestroyStash),
            (CLAIM_EXISTING, Task::ClaimExisting),
            (PURGE_STALE, Task::PurgeStale),
        ];
        for (place, task) in single {
            assert_eq!(TASKS[usize::from(place)], task);
        }
        for component in Component::SELF_HOSTED {
            let (bit, place) = (ComponentSet::bit(component), component as usize);
            let first = Component::SELF_HOSTED[0] as usize;
            assert_eq!(usize::from(bit), 1 << (place - first), "{component}");
        }
    }
}
