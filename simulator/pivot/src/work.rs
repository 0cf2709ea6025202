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

    fn task(mut self, task: Task) -> Self {
        if let Some(place) = self.tasks.get_mut(usize::from(self.len)) {
            *place = Some(task);
            self.len += 1;
        }
        self
    }

    fn each(self, set: ComponentSet, task: impl Fn(Component) -> Task) -> Self {
        set.iter()
            .fold(self, |work, component| work.task(task(component)))
    }

    fn then_watch(mut self) -> Self {
        self.before_watch = self.len;
        self
    }

    fn one_by_one(mut self) -> Self {
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
        match kind {
            StageKind::Stage => {
                let work = Self::new(Watch::Nothing).one_by_one();
                let work = if claim {
                    work.task(Task::ClaimCluster)
                } else {
                    work
                };
                work.task(Task::StageSecrets).then_watch()
            }
            StageKind::Place(set) => Self::new(Watch::Nothing)
                .each(set, Task::PlaceManifest)
                .then_watch(),
            StageKind::Apply => AssetGroup::ALL
                .into_iter()
                .fold(Self::new(Watch::Nothing), |work, group| {
                    work.task(Task::Apply(group))
                })
                .one_by_one()
                .then_watch(),
            // Its tasks follow from the facts.
            StageKind::Label => Self::new(Watch::Nothing),
            StageKind::Gate(rule) => Self::new(Watch::Gate(rule)),
            StageKind::Arm(set) if set == ComponentSet::NONE => Self::new(Watch::Nothing),
            StageKind::Arm(_) => Self::new(Watch::Never),
            StageKind::HandOver(set) => {
                let work = Self::new(Watch::HandedOver(set))
                    .each(set, Task::StashManifest)
                    .then_watch();
                if torn_down {
                    work
                } else {
                    work.task(Task::Canary)
                }
            }
            StageKind::Drain(set) => Self::new(Watch::Drained(set))
                .each(set, Task::StashManifest)
                .then_watch(),
            StageKind::Remove(set) => Self::removal(set, stash, secrets),
            StageKind::Verify => {
                let work = Self::new(Watch::Nothing).one_by_one().task(Task::VerifyApi);
                let work = if destroy_stash {
                    work.task(Task::DestroyStash)
                } else {
                    work
                };
                work.then_watch()
            }
        }
    }

    fn removal(set: ComponentSet, stash: bool, rule: SecretsRule) -> Self {
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
            SecretsRule::AfterProcesses => Self::new(Watch::Gone(set))
                .each(set, manifest)
                .then_watch()
                .task(secrets),
            SecretsRule::BeforeManifests => Self::new(Watch::Nothing)
                .task(secrets)
                .each(set, manifest)
                .one_by_one()
                .then_watch(),
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
        let work = Self::new(Watch::Reinstated(set)).one_by_one();
        let work = if secrets {
            work.task(Task::StageSecrets)
        } else {
            work
        };
        work.each(set, Task::PlaceManifest).then_watch()
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
