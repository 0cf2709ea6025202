//! What `plan.json` says of a case, as far as reports need it.

use std::collections::BTreeMap;

use oracle::Expectation;
use reports::CaseRecord;
use serde::Deserialize;

/// `plan.json`, as far as reports need it. Everything else in it is somebody else's.
#[derive(Debug, Deserialize)]
pub struct PlanFile {
    /// The cases, in their order.
    pub cases: Vec<PlannedCase>,
}

/// A case of the plan, as far as reports need it; fields that are not known are left alone, so
/// that runs of older and newer versions can be read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PlannedCase {
    /// The case's id.
    pub id: String,
    /// The scenario's name.
    pub scenario: String,
    /// The case's own name within its scenario.
    #[serde(default)]
    pub name: String,
    /// The scenario's file.
    #[serde(default)]
    pub file: String,
    /// The installer by its kind, with what it was told.
    pub installer: BTreeMap<String, PlannedInstaller>,
    /// The machines.
    pub cluster: PlannedCluster,
    /// What must come out.
    pub expect: Expectation,
    /// What every draw begins with.
    #[serde(default)]
    pub seed: u64,
}

/// What an installer was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PlannedInstaller {
    /// The procedure's name, where there are several.
    #[serde(default)]
    pub policy: Option<String>,
    /// Switches by name.
    #[serde(default)]
    pub switches: BTreeMap<String, String>,
}

/// The machines of a planned case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PlannedCluster {
    /// Version of Kubernetes.
    pub kubernetes: String,
}

impl PlannedCase {
    /// The record of this case before it ran.
    pub fn record(&self) -> CaseRecord {
        let (installer, told) = self
            .installer
            .iter()
            .next()
            .map_or_else(Default::default, |(kind, told)| (kind.clone(), told.clone()));
        CaseRecord {
            v: 1,
            id: self.id.clone(),
            scenario: self.scenario.clone(),
            installer,
            policy: told.policy,
            variant: variant(&self.name, &told.switches),
            kubernetes: self.cluster.kubernetes.clone(),
            file: self.file.clone(),
            seed: Some(self.seed),
            expect: self.expect.clone(),
            repro: repro(&self.file, self.seed),
            started_at: String::new(),
            took_ms: 0,
        }
    }
}

/// What tells a case from others of the same scenario, installer, policy and version.
fn variant(name: &str, switches: &BTreeMap<String, String>) -> Option<String> {
    let mut parts: Vec<String> =
        switches.iter().map(|(switch, value)| format!("{switch}={value}")).collect();
    if !name.is_empty() {
        parts.push(name.to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The command that runs the cases of this file again, with what this one drew.
fn repro(file: &str, seed: u64) -> String {
    format!("chrysalis run {} --seed {seed}", quoted(file))
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/@+:=,".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The record of a checked case before it ran: what the runner completes and writes as `case.json`.
pub fn record_of(case: &scenarios::Case) -> CaseRecord {
    let scenarios::Installer::Selfhost(selfhost) = &case.installer;
    CaseRecord {
        v: 1,
        id: case.id.clone(),
        scenario: case.scenario.clone(),
        installer: "selfhost".to_owned(),
        policy: Some(selfhost.policy.clone()),
        variant: variant(&case.name, &selfhost.switches),
        kubernetes: case.cluster.kubernetes.clone(),
        file: case.file.clone(),
        seed: Some(case.seed),
        expect: case.expect.clone(),
        repro: repro(&case.file, case.seed),
        started_at: String::new(),
        took_ms: 0,
    }
}
