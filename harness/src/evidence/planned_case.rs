//! What `plan.json` says of a case, as far as reports need it.

use std::collections::BTreeMap;

use oracle::Expectation;
use reports::CaseRecord;
use serde::{Deserialize, Serialize};

/// `plan.json`, as far as reports need it. Everything else in it is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// Version of this record: 1.
    pub v: u32,
    /// The same for all shards of one plan.
    #[serde(default)]
    pub fingerprint: String,
    /// The run's seed.
    #[serde(default)]
    pub seed: u64,
    /// The ids of the cases of all shards.
    #[serde(default)]
    pub planned: Vec<String>,
    /// The cases of this shard, in their order.
    pub cases: Vec<PlannedCase>,
}

/// A case of the plan, as far as reports need it; fields that are not known are left alone, so
/// that runs of older and newer versions can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCase {
    /// The case's id.
    pub id: String,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's file.
    #[serde(default)]
    pub file: String,
    /// The installer by its kind, with what it was told.
    pub installer: BTreeMap<String, PlannedInstaller>,
    /// The machines.
    pub cluster: PlannedCluster,
    /// What must come out.
    pub expect: Expectation,
    /// What every draw of the case begins with.
    #[serde(default)]
    pub seed: u64,
}

/// What an installer was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedInstaller {
    /// The procedure's name, where there are several.
    #[serde(default)]
    pub policy: Option<String>,
    /// Switches by name.
    #[serde(default)]
    pub switches: BTreeMap<String, String>,
}

/// The machines of a planned case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCluster {
    /// Version of Kubernetes.
    pub kubernetes: String,
}

impl PlannedCase {
    /// The record of this case before it ran, in a run with this seed.
    pub fn record(&self, run_seed: u64) -> CaseRecord {
        let (installer, told) = self
            .installer
            .iter()
            .next()
            .map_or_else(Default::default, |(kind, told)| {
                (kind.clone(), told.clone())
            });
        CaseRecord {
            v: 1,
            id: self.id.clone(),
            scenario: self.scenario.clone(),
            installer,
            policy: told.policy,
            variant: variant(&self.id, &told.switches),
            kubernetes: self.cluster.kubernetes.clone(),
            file: self.file.clone(),
            seed: Some(self.seed),
            expect: self.expect.clone(),
            repro: repro(&self.file, &self.id, Some(run_seed)),
            started_at: String::new(),
            took_ms: 0,
        }
    }

    /// The case that a record is of.
    pub fn of_record(record: &CaseRecord) -> Self {
        let told = PlannedInstaller {
            policy: record.policy.clone(),
            switches: BTreeMap::new(),
        };
        Self {
            id: record.id.clone(),
            scenario: record.scenario.clone(),
            file: record.file.clone(),
            installer: BTreeMap::from([(record.installer.clone(), told)]),
            cluster: PlannedCluster {
                kubernetes: record.kubernetes.clone(),
            },
            expect: record.expect.clone(),
            seed: record.seed.unwrap_or_default(),
        }
    }
}

/// The record of a checked case before it ran: what the runner completes and writes as `case.json`.
///
/// The case does not know the run's seed: whoever does says it with [`repro`].
pub fn record_of(case: &scenarios::Case) -> CaseRecord {
    let scenarios::Installer::Selfhost(selfhost) = &case.installer;
    CaseRecord {
        v: 1,
        id: case.id.clone(),
        scenario: case.scenario.clone(),
        installer: "selfhost".to_owned(),
        policy: Some(selfhost.policy.clone()),
        variant: variant(&case.id, &selfhost.switches),
        kubernetes: case.cluster.kubernetes.clone(),
        file: case.file.clone(),
        seed: Some(case.seed),
        expect: case.expect.clone(),
        repro: repro(&case.file, &case.id, None),
        started_at: String::new(),
        took_ms: 0,
    }
}

/// The record of a case of which nothing but its id is known, such as one of a missing shard:
/// `<scenario>/<installer>-<policy>@<version>[#<case>][~<repetition>]`.
pub fn record_of_id(id: &str) -> CaseRecord {
    let (scenario, rest) = id.split_once('/').unwrap_or((id, ""));
    let (installer, rest) = rest.split_once('@').unwrap_or((rest, ""));
    let (installer, policy) = match installer.split_once('-') {
        Some((installer, policy)) => (installer, Some(policy.to_owned())),
        None => (installer, None),
    };
    let kubernetes = rest.split(['#', '~']).next().unwrap_or_default();
    CaseRecord {
        v: 1,
        id: id.to_owned(),
        scenario: scenario.to_owned(),
        installer: installer.to_owned(),
        policy,
        variant: variant(id, &BTreeMap::new()),
        kubernetes: kubernetes.to_owned(),
        file: String::new(),
        seed: None,
        expect: Expectation {
            ends: "done".to_owned(),
            violated: Default::default(),
        },
        repro: String::new(),
        started_at: String::new(),
        took_ms: 0,
    }
}

/// The command that runs a case of this file again, in a run with this seed. A case's own seed
/// follows from the run's, from its id and so from its repetition.
pub fn repro(file: &str, id: &str, run_seed: Option<u64>) -> String {
    let (subject, repetition) = id.split_once('~').unwrap_or((id, "1"));
    let mut command = format!("chrysalis run {} --case {}", quoted(file), quoted(subject));
    if let Some(seed) = run_seed {
        command += &format!(" --seed {seed}");
    }
    if repetition != "1" {
        command += &format!(" --repeat {}", quoted(repetition));
    }
    command
}

/// What tells a case from others of the same scenario, installer, policy and version: switches,
/// and its name or number in the scenario, which stands in its id.
fn variant(id: &str, switches: &BTreeMap<String, String>) -> Option<String> {
    let mut parts: Vec<String> = switches
        .iter()
        .map(|(switch, value)| format!("{switch}={value}"))
        .collect();
    let subject = id.split_once('~').map_or(id, |(subject, _)| subject);
    if let Some((_, own)) = subject.split_once('#') {
        parts.push(own.to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(" "))
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

#[cfg(test)]
mod tests {
    use super::*;

    const SCENARIO: &str = "
name: a
about: Two cases that differ by nothing that is written.
cluster: { control_plane: 1, workers: 1, kubernetes: \"1.34\" }
cases:
  - { installer: { selfhost: { policy: modern } } }
  - { installer: { selfhost: { policy: modern } } }
timeline:
  - bootstrap: {}
";

    #[test]
    fn a_case_is_run_again_with_what_it_drew() {
        for (id, seed, command) in [
            (
                "a/selfhost-modern@1.34",
                Some(7),
                "chrysalis run a.yaml --case a/selfhost-modern@1.34 --seed 7",
            ),
            (
                "a/s@1#it's~3",
                None,
                r"chrysalis run a.yaml --case 'a/s@1#it'\''s' --repeat 3",
            ),
        ] {
            assert_eq!(repro("a.yaml", id, seed), command);
        }
    }

    #[test]
    fn an_id_tells_what_it_can() {
        let record = record_of_id("kill/selfhost-modern@1.34#leader~2");
        assert_eq!(record.stable_name(), "kill selfhost/modern 1.34 leader");
        assert_eq!(record_of_id("").stable_name(), "  ");
    }

    #[test]
    fn a_case_and_its_line_in_the_plan_give_one_record() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a.yaml");
        std::fs::write(&file, SCENARIO).unwrap();
        let scenarios = scenarios::load(&[file], &scenarios::Overrides::default()).unwrap();
        let selection = scenarios::Selection {
            seed: 7,
            repeat: 2,
            ..Default::default()
        };
        let plan = scenarios::expand(&scenarios, &selection).unwrap();
        let text = serde_json::to_string(&plan).unwrap();
        let read: PlanFile = serde_json::from_str(&text).unwrap();
        assert_eq!(read.cases.len(), 4);
        for (case, planned) in plan.cases.iter().zip(&read.cases) {
            let mut record = record_of(case);
            record.repro = repro(&case.file, &case.id, Some(7));
            assert_eq!(planned.record(read.seed), record);
        }
    }

    #[test]
    fn unnamed_cases_of_one_scenario_stay_different() {
        let [one, two] = ["a/selfhost-modern@1.34#1", "a/selfhost-modern@1.34#2"].map(record_of_id);
        assert_ne!(one.stable_name(), two.stable_name());
    }
}
