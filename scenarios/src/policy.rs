//! What the language must know of an installer: its steps, its switches, and what it claims.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use oracle::observation::CheckpointTimes;
use pivot::Plan;
use pivot::checkpoint::{AgentPlan, Step};
use terms::{Capability, Component, Milliseconds, StepName};

/// An installer's procedure as far as scenarios refer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The steps of the procedure, in its order.
    pub steps: Vec<StepName>,
    /// What the installer claims, for a cluster of any size.
    claims: BTreeSet<Capability>,
    /// Whether it claims to survive the loss of a control-plane node, given more than one.
    claims_ha: bool,
    /// What its checkpoint agents follow, if it has any.
    pub agent: Option<AgentPlan>,
}

/// Steps that are on no plan: its end, and the two ways off the path.
pub(crate) const UNPLANNED_STEPS: [&str; 3] =
    [Plan::DONE_STEP, Plan::HOLDING_STEP, Plan::REINSTATING_STEP];

/// The steps of a recovery, whatever the installer's own policy is.
pub(crate) fn recovery_steps() -> Vec<StepName> {
    let plan = Plan::named(Plan::RECOVERY).into_iter();
    plan.flat_map(|plan| plan.stages)
        .map(|stage| stage.step)
        .collect()
}

/// Switches of the reference installer, with what each does.
pub const SWITCHES: [(&str, &str); 2] = [
    (
        "apiserver-node-selector",
        "the key of a label that no node has: self-hosted apiservers ask for it and cannot be scheduled",
    ),
    (
        "certificates-live",
        "how long the certificates of nodes, components and the installer live from the start on; authorities and the escrow's own live as usual",
    ),
];

/// Why a known switch cannot have this value; nothing when it can, or when the installer is left to say so.
pub(crate) fn unfit_switch(name: &str, value: &str) -> Option<String> {
    let is_duration = || value.parse().is_ok_and(|Milliseconds(length)| length > 0);
    (name == "certificates-live" && !is_duration())
        .then(|| format!("`{value}` is not how long certificates could live"))
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// There is no policy of this name.
    #[error("unknown policy `{0}`")]
    Unknown(String),
    /// The plan file cannot be read.
    #[error("cannot read the plan file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The plan file holds a plan that no machine can follow.
    #[error("`{}` is not a plan that can be followed", path.display())]
    Unfollowable {
        /// The file.
        path: PathBuf,
        /// What and where.
        source: pivot::PlanError,
    },
    /// The file holds an agent's plan that no agent can follow.
    #[error("`{}` is not an agent's plan that can be followed", path.display())]
    UnfollowableAgent {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pivot::checkpoint::AgentPlanError,
    },
    /// The plan file is no plan.
    #[error("`{}` is not a plan", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What and where.
        source: serde_json::Error,
    },
}

impl Policy {
    /// Names of the built-in policies.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Plan::NAMES.into_iter()
    }

    /// Whether the text is a plan file's path rather than a policy's name.
    pub fn is_file(text: &str) -> bool {
        text.contains('/') || text.ends_with(".json")
    }

    /// The text as it is meant from here: a plan file's path is joined to `folder`.
    pub(crate) fn located(text: &str, folder: &Path) -> String {
        if Self::is_file(text) {
            folder.join(text).display().to_string()
        } else {
            text.to_owned()
        }
    }

    /// The built-in policy of this name, or the plan file at this path, seen from `folder`.
    ///
    /// # Errors
    /// No such policy, or a file that is missing or no plan.
    pub fn find(text: &str, folder: &Path) -> Result<Self, PolicyError> {
        if !Self::is_file(text) {
            let plan = Plan::named(text).ok_or_else(|| PolicyError::Unknown(text.to_owned()))?;
            return Ok(Self::of(&plan));
        }
        let path = folder.join(text);
        let plan: Plan = read(&path)?;
        plan.check()
            .map_err(|source| PolicyError::Unfollowable { path, source })?;
        Ok(Self::of(&plan))
    }

    /// The plan of checkpoint agents with this name, a mutant's too, or in this file, seen from `folder`.
    ///
    /// # Errors
    /// No such plan, or a file that is missing or no agent's plan.
    pub fn find_agent(text: &str, folder: &Path) -> Result<AgentPlan, PolicyError> {
        if !Self::is_file(text) {
            return AgentPlan::find(text).ok_or_else(|| PolicyError::Unknown(text.to_owned()));
        }
        let path = folder.join(text);
        let plan: AgentPlan = read(&path)?;
        match plan.check() {
            Ok(()) => Ok(plan),
            Err(source) => Err(PolicyError::UnfollowableAgent { path, source }),
        }
    }

    /// What a plan's own name claims; one that is nobody's claims what the reference installer does.
    fn of(plan: &Plan) -> Self {
        use Capability::{Checkpoints, Recover, SelfHosted};
        let agent = AgentPlan::belonging_to(plan);
        let (claims, claims_ha) = match plan.policy.as_str() {
            // What history's installers claimed, not what they kept.
            "bootkube" => (BTreeSet::from([SelfHosted, Checkpoints, Recover]), false),
            "kubeadm-alpha" => (BTreeSet::from([SelfHosted]), false),
            _ if agent.is_some() => (BTreeSet::from([SelfHosted, Checkpoints, Recover]), true),
            _ => (BTreeSet::from([SelfHosted, Recover]), true),
        };
        let steps = plan.stages.iter().map(|stage| stage.step.clone()).collect();
        Self {
            steps,
            claims,
            claims_ha,
            agent,
        }
    }

    /// What the installer claims for a cluster with so many control-plane nodes.
    pub fn capabilities(&self, control_plane: u32) -> BTreeSet<Capability> {
        let mut claims = self.claims.clone();
        if self.claims_ha && control_plane > 1 {
            claims.insert(Capability::Ha);
        }
        claims
    }

    /// The times that its checkpoint agents keep to; none without agents.
    pub fn checkpoint_times(&self) -> Option<CheckpointTimes> {
        let agent = self.agent.as_ref()?;
        let grace_ms = agent.grace_ms.into();
        Some(CheckpointTimes { grace_ms })
    }

    /// The steps that a checkpoint agent announces.
    pub fn agent_steps(&self) -> Vec<StepName> {
        let covered = |component: &Component| {
            let agent = self.agent.as_ref();
            agent.is_some_and(|agent| agent.covers(*component))
        };
        let components = Component::SELF_HOSTED.into_iter().filter(covered);
        components
            .flat_map(|component| Step::ALL.map(|step| step.of(component)))
            .collect()
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, PolicyError> {
    let bytes = std::fs::read(path).map_err(|source| PolicyError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| PolicyError::Malformed {
        path: path.to_owned(),
        source,
    })
}
