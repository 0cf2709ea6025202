//! What a case was: `case.json`, written by the runner beside the verdict.

use oracle::Expectation;
use serde::{Deserialize, Serialize};

/// What a case was: `case.json`. Readers ignore fields that they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// Version of this record: 1.
    #[serde(default = "version")]
    pub v: u32,
    /// The case's id, unique in its run.
    pub id: String,
    /// The scenario's name.
    pub scenario: String,
    /// The installer, such as `selfhost`.
    pub installer: String,
    /// The installer's policy, where it has policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What tells this case from others of the same scenario, installer, policy and version: its
    /// name or number within the scenario, the address of a sweep, switches; never the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The Kubernetes version or versions, such as `1.34`.
    pub kubernetes: String,
    /// The scenario's file, as it was given on the command line.
    pub file: String,
    /// The seed of the case's random choices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What the case is expected to end with.
    pub expect: Expectation,
    /// The command that runs this case again.
    pub repro: String,
    /// When it began, as an RFC 3339 time; empty when it never began.
    #[serde(default)]
    pub started_at: String,
    /// How long it took, in milliseconds; 0 when it never ended.
    #[serde(default)]
    pub took_ms: u64,
}

/// The version that is written today.
const fn version() -> u32 {
    1
}

impl CaseRecord {
    /// The installer with its policy, as people write it: `selfhost/modern`, or `kubeadm`.
    pub fn installer_and_policy(&self) -> String {
        match &self.policy {
            Some(policy) if !policy.is_empty() => format!("{}/{policy}", self.installer),
            _ => self.installer.clone(),
        }
    }

    /// What the case is without its seed: scenario, installer with policy, version, variant.
    ///
    /// Repetitions of a case share this name; it is stable from run to run.
    pub fn stable_name(&self) -> String {
        let mut name = format!(
            "{} {} {}",
            self.scenario,
            self.installer_and_policy(),
            self.kubernetes
        );
        if let Some(variant) = self
            .variant
            .as_deref()
            .filter(|variant| !variant.is_empty())
        {
            name.push(' ');
            name.push_str(variant);
        }
        name
    }
}
