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
    /// One byte a task, from the lowest: its number. A list in one word needs no memory, and a step makes
    /// one or two of them.
    tasks: u64,
    len: u8,
    /// How many tasks come before the wait.
    before_watch: u8,
    /// Whether each task waits for the one before it.
    pub(crate) one_by_one: bool,
    pub(crate) watch: Watch,
}

/// A task's number; of tasks for each component, that of the apiserver's. Those of the others follow.
type Number = u8;
const CLAIM_CLUSTER: Number = Task::ClaimCluster.number();
const CLAIM_EXISTING: Number = Task::ClaimExisting.number();
const STAGE_SECRETS: Number = Task::StageSecrets.number();
const STASH_SECRETS: Number = Task::StashSecrets.number();
const DELETE_SECRETS: Number = Task::DeleteSecrets.number();
const PURGE_STALE: Number = Task::PurgeStale.number();
const CANARY: Number = Task::Canary.number();
const VERIFY_API: Number = Task::VerifyApi.number();
const DESTROY_STASH: Number = Task::DestroyStash.number();
const PLACE_MANIFEST: Number = Task::PlaceManifest(Component::KubeApiserver).number();
const STASH_MANIFEST: Number = Task::StashManifest(Component::KubeApiserver).number();
const DELETE_MANIFEST: Number = Task::DeleteManifest(Component::KubeApiserver).number();

/// By set of components: the place of each within it, a byte each; a one in each of these bytes; and how many.
const EACH: [(u64, u64, u8); 8] = each();

const fn each() -> [(u64, u64, u8); 8] {
    let mut all = [(0, 0, 0); 8];
    let mut set = 0;
    while set < 8 {
        let mut component = 0;
        while component < 3 {
            if set >> component & 1 == 1 {
                let (places, ones, count) = all[set];
                let at = 8 * count;
                all[set] = (places | component << at, ones | 1 << at, count + 1);
            }
            component += 1;
        }
        set += 1;
    }
    all
}

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

    fn task(&mut self, number: Number) -> &mut Self {
        self.tasks |= u64::from(number) << (8 * self.len);
        self.len += 1;
        self
    }

    /// One task for each component of the set, in order.
    fn each(&mut self, set: ComponentSet, first: Number) -> &mut Self {
        let (places, ones, count) = EACH[usize::from(set.0 & ComponentSet::ALL.0)];
        self.tasks |= (places + ones * u64::from(first)) << (8 * self.len);
        self.len += count;
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
                for group in AssetGroup::ALL {
                    work.task(Task::Apply(group).number());
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

    /// The number of the task with this index.
    #[inline]
    pub(crate) const fn number(&self, index: u8) -> Option<Number> {
        if index < self.len {
            Some((self.tasks >> (8 * index)) as Number)
        } else {
            None
        }
    }

    /// The task with this index.
    #[inline]
    pub(crate) fn get(&self, index: u8) -> Option<Task> {
        self.number(index).map(Task::of_number)
    }

    /// The index of a task among those whose bits are set.
    #[inline]
    pub(crate) fn index_of(&self, task: Task, among: u16) -> Option<u8> {
        let number = task.number();
        indices(among).find(|index| self.number(*index) == Some(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_component_of_a_set_has_its_task_in_order() {
        for bits in 0..8 {
            let set = ComponentSet(bits);
            let mut work = Work::new(Watch::Nothing);
            work.task(CANARY).each(set, STASH_MANIFEST).task(CANARY);
            let stashes = set.iter().map(Task::StashManifest);
            let wanted: Vec<Task> = std::iter::once(Task::Canary)
                .chain(stashes)
                .chain([Task::Canary])
                .collect();
            let tasks: Vec<Task> = (0..).map_while(|index| work.get(index)).collect();
            assert_eq!(tasks, wanted);
        }
    }
}
