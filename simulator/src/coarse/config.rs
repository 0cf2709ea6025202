//! What a coarse world is about: the plan, the nodes, and how much may go wrong.

use pivot::{Plan, StageIndex};
use terms::StepName;

use super::first_fault::{FirstFault, Hits};

/// How often each thing may still go wrong. Each at most [`Budgets::MOST`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budgets {
    /// Nodes that lose their power.
    pub power_cuts: u8,
    /// Processes of components that are killed.
    pub kills: u8,
    /// The installer's process is killed.
    pub installer_kills: u8,
    /// Answers of the API that are lost: the task may have happened, its driver does not know.
    pub lost_answers: u8,
    /// Timers that run out at a time that only an unusually slow world explains.
    pub timing: u8,
    /// A person starts a procedure again that holds; [`Budgets::ANY_NUMBER`] is never used up.
    pub restarts: u8,
}

/// The only budget that need not be a count.
const RESTART: &str = "restart";

impl Budgets {
    /// The most of each: two bits in the packed state.
    pub const MOST: u8 = 3;

    /// A person's patience: as often as it takes. It is no count, so that it adds no states.
    pub const ANY_NUMBER: u8 = Self::MOST;

    /// Whether none is more than [`Budgets::MOST`].
    pub fn fit(self) -> bool {
        self.named().iter().all(|(_, times)| *times <= Self::MOST)
    }

    /// What may happen, and how often: `kill 1×`.
    pub fn in_words(self) -> Vec<String> {
        let may = self.named().into_iter().filter(|(_, times)| *times > 0);
        may.map(|(kind, times)| match (kind, times) {
            (RESTART, Self::ANY_NUMBER) => format!("{RESTART} any number of times"),
            _ => format!("{kind} {times}×"),
        })
        .collect()
    }

    /// Each with the name that it has on the command line.
    const fn named(self) -> [(&'static str, u8); 6] {
        let Self {
            power_cuts,
            kills,
            installer_kills,
            lost_answers,
            timing,
            restarts,
        } = self;
        [
            ("power-cut", power_cuts),
            ("kill", kills),
            ("kill-installer", installer_kills),
            ("lost-answer", lost_answers),
            ("timing", timing),
            (RESTART, restarts),
        ]
    }

    /// Whether both allow the same faults. A person's help is none.
    pub(crate) fn allows_same_faults(self, other: Self) -> bool {
        let Self { restarts, .. } = self;
        self == Self { restarts, ..other }
    }

    /// Whether the installer's process can still end at any instant.
    pub const fn can_end_installer(self) -> bool {
        self.power_cuts > 0 || self.installer_kills > 0
    }

    /// Whether what a task did and what its driver knows can still fall apart.
    pub const fn can_part_task(self) -> bool {
        self.can_end_installer() || self.lost_answers > 0 || self.timing > 0
    }
}

/// A coarse world's bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The plan that the installer follows.
    pub plan: Plan,
    /// Control-plane nodes, 1 to 3; the installer runs on the first.
    pub control_planes: u8,
    /// How much may go wrong.
    pub budgets: Budgets,
    /// Where the first fault may happen.
    pub first_fault: FirstFault,
    /// On nodes that nothing can hit any more checkpoints are saved at once: when they are matters to nobody but
    /// an installer that waits for them, and it waits no less for the latest of them.
    pub saves_at_once: bool,
    /// The self-hosted apiserver of the bootstrap node needs the port that the bootstrap one has, and
    /// crashes until it is free: history's way (facts: FF-01, FF-06).
    pub one_port: bool,
    /// No node takes the self-hosted apiserver's pods (facts: FF-07): a procedure does right to hold.
    pub unschedulable: bool,
    /// Another cluster's installer may be started on the bootstrap node at any time.
    pub foreign: bool,
    /// Every announcement waits for [`super::Action::Release`], and the end for [`super::Action::End`],
    /// whatever may still happen: for those who compare announcements with a record.
    pub announces: bool,
}

impl Config {
    /// The most control-plane nodes that fit into the packed state.
    pub const MOST_NODES: u8 = 3;

    /// A world in which nothing goes wrong.
    ///
    /// # Panics
    /// When `control_planes` is not 1 to 3.
    pub fn calm(plan: Plan, control_planes: u8) -> Self {
        assert!(
            (1..=Self::MOST_NODES).contains(&control_planes),
            "a coarse world has 1 to 3 control-plane nodes, not {control_planes}"
        );
        Self {
            plan,
            control_planes,
            budgets: Budgets::default(),
            first_fault: FirstFault::default(),
            saves_at_once: false,
            one_port: false,
            unschedulable: false,
            foreign: false,
            announces: false,
        }
    }

    /// The same world, in which this much may go wrong.
    ///
    /// # Panics
    /// When a budget is greater than [`Budgets::MOST`].
    #[must_use]
    pub fn with(self, budgets: Budgets) -> Self {
        assert!(
            budgets.fit(),
            "a budget is at most {}: {budgets:?}",
            Budgets::MOST
        );
        Self { budgets, ..self }
    }

    /// The same world, in which nothing goes wrong before the installer has entered this step; `None` if
    /// its plan has no such step.
    pub fn with_faults_from(mut self, step: &str) -> Option<Self> {
        self.first_fault.from = Some(self.stage_of(step)?);
        Some(self)
    }

    /// The same world, in which the first fault happens before the installer has entered this step; `None` if
    /// its plan has no such step.
    pub fn with_first_fault_before(mut self, step: &str) -> Option<Self> {
        self.first_fault.before = Some(self.stage_of(step)?);
        Some(self)
    }

    /// The same world, in which the first fault hits this.
    #[must_use]
    pub fn with_first_fault_on(mut self, hits: Hits) -> Self {
        self.first_fault.hits = hits;
        self
    }

    /// The stage of the plan that has this step.
    pub fn stage_of(&self, step: &str) -> Option<StageIndex> {
        let mut stages = self.plan.stages.iter();
        let place = stages.position(|stage| stage.step.as_str() == step)?;
        StageIndex::try_from(place).ok()
    }

    /// What may go wrong, how often, and where first: `kill 1×; no fault before checkpoints-armed`.
    pub fn faults_in_words(&self) -> String {
        let faults = self.budgets.in_words();
        if faults.is_empty() {
            return "none".to_owned();
        }
        let mut words = vec![faults.join(", ")];
        let from = self.first_step_with_faults();
        words.extend(from.map(|step| format!("no fault before {step}")));
        let before = self.step_without_first_fault();
        words.extend(before.map(|step| format!("the first before {step}")));
        let hits = self.first_fault.hits.in_words();
        words.extend(hits.map(ToOwned::to_owned));
        words.join("; ")
    }

    /// The step before which nothing goes wrong, if the first fault is bound to one.
    pub fn first_step_with_faults(&self) -> Option<&StepName> {
        self.step_at(self.first_fault.from?)
    }

    /// The step from which on no fault is the first one, if there is such a bound.
    pub fn step_without_first_fault(&self) -> Option<&StepName> {
        self.step_at(self.first_fault.before?)
    }

    fn step_at(&self, stage: StageIndex) -> Option<&StepName> {
        let stage = self.plan.stages.get(usize::from(stage))?;
        Some(&stage.step)
    }
}
