//! Which plan is followed: one that ships, or one from a file.

use std::path::{Path, PathBuf};

use pivot::checkpoint::{AgentPlan, AgentPlanError};
use pivot::{Plan, PlanError};
use sha2::{Digest, Sha256};

use crate::assets::hexadecimal;

/// No plan can be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    /// Neither a name nor a file.
    #[error("there is no policy `{0}` and no such file; policies that ship: {known}", known = names().join(", "))]
    Unknown(String),
    /// The file cannot be read.
    #[error("the policy file {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a plan.
    #[error("{} is not a plan: {mistake}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where it is wrong.
        mistake: String,
    },
    /// The plan contradicts itself.
    #[error("the policy cannot be followed")]
    Unsound(#[from] PlanError),
    /// The agent's plan contradicts itself.
    #[error("the agent's policy cannot be followed")]
    UnsoundAgent(#[from] AgentPlanError),
}

/// Finds the plan: a policy that ships, a mutant of one, or a file in YAML or JSON.
///
/// # Errors
/// Says what was looked for, or what is wrong with the plan.
pub(crate) fn find(policy: &str) -> Result<Plan, PolicyError> {
    let mutant = || {
        pivot::mutants()
            .into_iter()
            .find(|mutant| mutant.name == policy)
    };
    let plan = match Plan::named(policy).or_else(|| mutant().map(|mutant| mutant.plan)) {
        Some(plan) => plan,
        None => read(Path::new(policy))?,
    };
    plan.check()?;
    Ok(plan)
}

/// Finds an agent's plan: one that ships, a mutant, or a file in YAML or JSON.
///
/// # Errors
/// Says what was looked for, or what is wrong with the file.
pub(crate) fn find_agent(policy: &str) -> Result<AgentPlan, PolicyError> {
    let plan = match AgentPlan::find(policy) {
        Some(plan) => plan,
        None => read(Path::new(policy))?,
    };
    plan.check()?;
    Ok(plan)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, PolicyError> {
    if !path.is_file() {
        return Err(PolicyError::Unknown(path.display().to_string()));
    }
    let text = std::fs::read_to_string(path).map_err(|source| PolicyError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    serde_saphyr::from_str(&text).map_err(|error| PolicyError::Malformed {
        path: path.to_owned(),
        mistake: error.to_string(),
    })
}

/// What tells one plan from another: the SHA-256 of its JSON form, in hexadecimal.
pub(crate) fn fingerprint(plan: &Plan) -> String {
    let text = serde_json::to_vec(plan).expect("a plan is plain data");
    hexadecimal(&Sha256::digest(text))
}

fn names() -> Vec<String> {
    let mutants = pivot::mutants()
        .into_iter()
        .map(|mutant| mutant.name.to_string());
    Plan::NAMES
        .into_iter()
        .map(ToOwned::to_owned)
        .chain(mutants)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_found_by_name_and_in_a_file() {
        let modern = find("modern").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mine.json");
        std::fs::write(&path, serde_json::to_string(&modern).unwrap()).unwrap();
        let mine = find(path.to_str().unwrap()).unwrap();
        assert_eq!(mine, modern);
        assert_eq!(fingerprint(&mine), fingerprint(&modern));
        assert_ne!(
            fingerprint(&find("bootkube").unwrap()),
            fingerprint(&modern)
        );
    }

    #[test]
    fn an_agents_plan_is_found_by_name_and_in_a_file() {
        let modern = find_agent("modern").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mine.json");
        let mut mine = AgentPlan {
            grace_ms: 60_000,
            ..modern
        };
        std::fs::write(&path, serde_json::to_string(&mine).unwrap()).unwrap();
        assert_eq!(find_agent(path.to_str().unwrap()).unwrap(), mine);
        mine.grace_ms = 0;
        std::fs::write(&path, serde_json::to_string(&mine).unwrap()).unwrap();
        assert!(matches!(
            find_agent(path.to_str().unwrap()),
            Err(PolicyError::UnsoundAgent(_))
        ));
        assert!(find_agent("kubeadm-alpha").is_err());
    }

    #[test]
    fn every_plan_that_ships_can_be_followed() {
        for name in Plan::NAMES {
            find(name).unwrap();
        }
    }

    #[test]
    fn what_is_no_plan_is_refused_with_the_way_out() {
        assert!(find("moderm").unwrap_err().to_string().contains("modern"));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broken.yaml");
        std::fs::write(&path, "policy: [").unwrap();
        assert!(matches!(
            find(path.to_str().unwrap()),
            Err(PolicyError::Malformed { .. })
        ));
        let mut plan = find("modern").unwrap();
        plan.stages.clear();
        std::fs::write(&path, serde_json::to_string(&plan).unwrap()).unwrap();
        assert!(matches!(
            find(path.to_str().unwrap()),
            Err(PolicyError::Unsound(_))
        ));
    }
}
