//! What a stage consists of: its tasks in order, and what is waited for between them.

use terms::Component;

use crate::effect::{StageIndex, Task};
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
    /// Something that cannot happen yet: a checkpoint.
    Never,
}

/// A stage's tasks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    tasks: [Option<Task>; Self::MOST_TASKS],
    len: u8,
    /// How many tasks come before the wait.
    before_watch: u8,
    /// Whether each task waits for the one before it.
    pub(crate) one_by_one: bool,
    pub(crate) watch: Watch,
}

impl Work {
    const MOST_TASKS: usize = 8;

    fn new(watch: Watch) -> Self {
        Self {
            tasks: [None; Self::MOST_TASKS],
            len: 0,
            before_watch: 0,
            one_by_one: false,
            watch,
        }
    }

    // In place: the parts of a value that was only just written are slow to be read as a whole.

    fn task(&mut self, task: Task) -> &mut Self {
        if let Some(place) = self.tasks.get_mut(usize::from(self.len)) {
            *place = Some(task);
            self.len += 1;
        }
        self
    }

    fn each(&mut self, set: ComponentSet, task: impl Fn(Component) -> Task) -> &mut Self {
        for component in set.iter() {
            self.task(task(component));
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
                    work.task(Task::ClaimCluster);
                }
                work.task(Task::StageSecrets).one_by_one().then_watch();
            }
            StageKind::Reclaim => {
                work.task(Task::ClaimExisting).task(Task::StageSecrets);
                work.one_by_one().then_watch();
            }
            StageKind::Place(set) => {
                work.each(set, Task::PlaceManifest).then_watch();
            }
            StageKind::Apply => {
                for group in AssetGroup::ALL {
                    work.task(Task::Apply(group));
                }
                work.one_by_one().then_watch();
            }
            // When its task is needed follows from the facts.
            StageKind::Purge => {
                work.task(Task::PurgeStale).then_watch();
            }
            // Its tasks follow from the facts.
            StageKind::Label => {}
            StageKind::Gate(rule) => work.watch = Watch::Gate(rule),
            StageKind::Arm(set) if set == ComponentSet::NONE => {}
            StageKind::Arm(_) => work.watch = Watch::Never,
            StageKind::HandOver(set) => {
                work.watch = Watch::HandedOver(set);
                work.each(set, Task::StashManifest).then_watch();
                if !torn_down {
                    work.task(Task::Canary);
                }
            }
            StageKind::Drain(set) => {
                work.watch = Watch::Drained(set);
                work.each(set, Task::StashManifest).then_watch();
            }
            StageKind::Remove(set) => work.remove(set, stash, secrets),
            StageKind::Verify => {
                work.task(Task::VerifyApi);
                if destroy_stash {
                    work.task(Task::DestroyStash);
                }
                work.one_by_one().then_watch();
            }
        }
        work
    }

    fn remove(&mut self, set: ComponentSet, stash: bool, rule: SecretsRule) {
        let manifest = if stash {
            Task::StashManifest
        } else {
            Task::DeleteManifest
        };
        let secrets = if stash {
            Task::StashSecrets
        } else {
            Task::DeleteSecrets
        };
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
            work.task(Task::StageSecrets);
        }
        work.each(set, Task::PlaceManifest);
        work.one_by_one().then_watch();
        work
    }

    /// The bits of the tasks that may run: those before the wait, or all once it is over.
    pub(crate) const fn open(&self, passed: bool) -> u16 {
        let count = if passed { self.len } else { self.before_watch };
        (1 << count) - 1
    }

    /// The task with this index.
    pub(crate) fn get(&self, index: u8) -> Option<Task> {
        self.tasks.get(usize::from(index)).copied().flatten()
    }

    /// The index of a task.
    pub(crate) fn index_of(&self, task: Task) -> Option<u8> {
        self.tasks
            .iter()
            .position(|known| *known == Some(task))
            .and_then(|index| u8::try_from(index).ok())
    }
}
