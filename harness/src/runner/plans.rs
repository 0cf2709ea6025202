//! The plans that a case's installer and its checkpoint agents follow.

use pivot::Plan;
use pivot::checkpoint::AgentPlan;
use scenarios::{Case, Installer, Policy};

/// The plan that a case's installer follows.
///
/// # Errors
/// When its plan file is gone or is no plan any more.
pub(crate) fn plan_of(case: &Case) -> Result<Plan, String> {
    let Installer::Selfhost(selfhost) = &case.installer;
    if Policy::is_file(&selfhost.policy) {
        return read(&selfhost.policy);
    }
    Plan::named(&selfhost.policy).ok_or_else(|| format!("unknown policy `{}`", selfhost.policy))
}

/// The plan that a case's checkpoint agents follow; none for an installer without agents.
///
/// # Errors
/// When a plan file is gone or is no plan any more.
pub(crate) fn agent_of(case: &Case) -> Result<Option<AgentPlan>, String> {
    let Installer::Selfhost(selfhost) = &case.installer;
    match &selfhost.agent {
        None => Ok(AgentPlan::belonging_to(&plan_of(case)?)),
        Some(agent) if Policy::is_file(agent) => read(agent).map(Some),
        Some(agent) => match AgentPlan::find(agent) {
            None => Err(format!("unknown agent's policy `{agent}`")),
            plan => Ok(plan),
        },
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &str) -> Result<T, String> {
    let text = std::fs::read(path)
        .map_err(|error| format!("cannot read the plan file {path}: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("{path} is not a plan: {error}"))
}
