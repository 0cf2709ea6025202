//! What a plan must satisfy before a machine follows it.

use std::collections::BTreeSet;

use crate::plan::{ComponentSet, Plan, Stage, StageKind};

/// Why a plan cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Too few or too many stages.
    #[error("policy `{policy}` has {count} stages; a plan has 1 to {most}", most = Plan::MOST_STAGES)]
    StageCount {
        /// The policy.
        policy: String,
        /// How many there are.
        count: usize,
    },
    /// Two stages announce the same step.
    #[error("step `{0}` is announced by two stages; give each stage a name of its own")]
    DoubleStep(String),
    /// A stage's step means something else.
    #[error("step `{0}` is announced by the machine itself; rename the stage")]
    ReservedStep(String),
    /// A stage without a deadline.
    #[error("stage `{0}` has no deadline; write `deadline_ms` above 0")]
    NoDeadline(String),
    /// A hand-over that cannot prove anything.
    #[error("stage `{0}` hands over after less than {least} ms; a lease's renewal would prove nothing, write `stable_ms` {least} or more", least = Plan::LEAST_HAND_OVER_MS)]
    HastyHandOver(String),
    /// Something is taken away or built upon before it is there.
    #[error("stage `{stage}` needs {what} before it; move it behind the stage that does this")]
    OutOfOrder {
        /// The stage.
        stage: String,
        /// What must come before.
        what: &'static str,
    },
    /// A stage that would wait for ever.
    #[error(
        "stage `{0}` waits for checkpoints of what is not checkpointed; name these components in `checkpointed`, or arm fewer"
    )]
    NotCheckpointed(String),
}

impl Plan {
    /// A hand-over must watch for at least this long: longer than the age up to which a lease counts
    /// as renewed lately (2.5 s), so that the renewal happened while the bootstrap copies were gone.
    pub const LEAST_HAND_OVER_MS: u32 = 3_000;

    /// Says whether a machine can follow the plan.
    ///
    /// # Errors
    /// The first thing that is wrong, with the stage and the way out.
    pub fn check(&self) -> Result<(), PlanError> {
        let count = self.stages.len();
        if count == 0 || count > Self::MOST_STAGES {
            return Err(PlanError::StageCount {
                policy: self.policy.clone(),
                count,
            });
        }
        let mut seen = BTreeSet::new();
        let mut behind = Behind::default();
        for stage in &self.stages {
            let name = stage.step.as_str();
            if [Self::DONE_STEP, Self::HOLDING_STEP, Self::REINSTATING_STEP].contains(&name) {
                return Err(PlanError::ReservedStep(name.to_owned()));
            }
            if !seen.insert(name) {
                return Err(PlanError::DoubleStep(name.to_owned()));
            }
            if stage.deadline_ms == 0 {
                return Err(PlanError::NoDeadline(name.to_owned()));
            }
            behind.admit(stage)?;
            if let StageKind::Arm(set) = stage.kind
                && !self.rules.checkpointed.contains_all(set)
            {
                return Err(PlanError::NotCheckpointed(name.to_owned()));
            }
        }
        Ok(())
    }
}

/// What the stages so far have done.
#[derive(Default)]
struct Behind {
    staged: bool,
    placed: ComponentSet,
}

impl Behind {
    fn admit(&mut self, stage: &Stage) -> Result<(), PlanError> {
        let name = || stage.step.to_string();
        let needs = |there: bool, what| {
            if there {
                Ok(())
            } else {
                Err(PlanError::OutOfOrder {
                    stage: name(),
                    what,
                })
            }
        };
        match stage.kind {
            StageKind::Stage | StageKind::Reclaim => self.staged = true,
            StageKind::Place(set) => {
                needs(self.staged, "the bootstrap secrets")?;
                self.placed = self.placed.or(set);
            }
            StageKind::Apply | StageKind::Label | StageKind::Purge => {
                needs(
                    self.placed.contains_all(ComponentSet::APISERVER),
                    "the bootstrap apiserver",
                )?;
            }
            StageKind::HandOver(_) if stage.stable_ms < Plan::LEAST_HAND_OVER_MS => {
                return Err(PlanError::HastyHandOver(name()));
            }
            StageKind::HandOver(set) | StageKind::Drain(set) | StageKind::Remove(set) => {
                needs(
                    self.placed.contains_all(set),
                    "the manifests that it takes away",
                )?;
            }
            StageKind::Gate(_) | StageKind::Arm(_) | StageKind::Verify => {}
        }
        Ok(())
    }
}
