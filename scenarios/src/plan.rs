//! The expansion: from scenarios to the cases of a run.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::draw::{mix, number_of};
use crate::mistake::suggestion;
use crate::scenario::{Scenario, ScenarioCase};
use crate::shard::Shard;

/// What a run is made of: `plan.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this record: 1.
    pub v: u32,
    /// The same for all shards of one plan, and for the same files, arguments and version only.
    pub fingerprint: String,
    /// The run's seed.
    pub seed: u64,
    /// Which part this is; none for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The ids of the cases of all shards, so that a missing one is noticed.
    pub planned: Vec<String>,
    /// The cases of this shard, by id.
    pub cases: Vec<Case>,
}

/// Which cases a run takes, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Cases with one of these tags; all when empty.
    pub tags: Vec<String>,
    /// Cases with one of these ids, names or scenarios' names; all when empty.
    pub cases: Vec<String>,
    /// The run's seed.
    pub seed: u64,
    /// How often each case is run, from 1.
    pub repeat: u32,
    /// Which part of the plan.
    pub shard: Option<Shard>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            tags: Vec::new(),
            cases: Vec::new(),
            seed: 1,
            repeat: 1,
            shard: None,
        }
    }
}

/// Why nothing can be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// No case has the tag.
    #[error("no case here has the tag `{tag}`; {help}")]
    UnknownTag {
        /// The tag.
        tag: String,
        /// The nearest one, or all.
        help: String,
    },
    /// No case has the name.
    #[error("no case here is named `{case}`; {help}")]
    UnknownCase {
        /// The name.
        case: String,
        /// The nearest one, or all.
        help: String,
    },
    /// Tags and names leave nothing.
    #[error("no case has both one of the tags and one of the names; leave one of the two out")]
    NothingLeft,
    /// Repeated never, or too often.
    #[error("cannot repeat {0} times; 1 to 1000")]
    Repeat(u32),
}

/// Makes the cases of a run. The same arguments give the same plan.
///
/// # Errors
/// A tag or a name that nothing bears. An empty shard is none: there may be more shards than cases.
pub fn expand(scenarios: &[Scenario], selection: &Selection) -> Result<Plan, ExpandError> {
    let Selection {
        tags,
        cases: names,
        seed,
        repeat,
        shard,
    } = selection;
    if !(1..=1000).contains(repeat) {
        return Err(ExpandError::Repeat(*repeat));
    }
    let subjects: Vec<(String, &Scenario, &ScenarioCase)> =
        scenarios.iter().flat_map(subjects).collect();
    every_tag_is_known(&subjects, tags)?;
    every_name_is_known(&subjects, names)?;
    let mut cases: Vec<Case> = subjects
        .iter()
        .filter(|(_, _, case)| tags.is_empty() || tags.iter().any(|tag| case.tags.contains(tag)))
        .filter(|(id, scenario, case)| {
            names.is_empty() || names.iter().any(|name| is_named(name, id, scenario, case))
        })
        .flat_map(|(id, scenario, case)| {
            (1..=*repeat).map(move |repetition| made(id, scenario, case, *seed, repetition))
        })
        .collect();
    if cases.is_empty() {
        return Err(ExpandError::NothingLeft);
    }
    cases.sort_by(|one, other| one.id.cmp(&other.id));
    let planned = cases.iter().map(|case| case.id.clone()).collect();
    let fingerprint = fingerprint(&cases, *seed);
    let mut index = 0..;
    cases.retain(|_| {
        let index = index.next().unwrap_or_default();
        shard.is_none_or(|shard| shard.takes(index))
    });
    Ok(Plan {
        v: 1,
        fingerprint,
        seed: *seed,
        shard: *shard,
        planned,
        cases,
    })
}

/// The cases of a scenario with their ids, before repetitions.
fn subjects(scenario: &Scenario) -> Vec<(String, &Scenario, &ScenarioCase)> {
    let label = |case: &ScenarioCase| {
        let Scenario { name, cluster, .. } = scenario;
        format!("{name}/{}@{}", case.installer.label(), cluster.kubernetes)
    };
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for case in scenario.cases.iter().filter(|case| case.name.is_empty()) {
        *count.entry(label(case)).or_default() += 1;
    }
    let mut all = Vec::new();
    for (case, number) in scenario.cases.iter().zip(1..) {
        let label = label(case);
        let id = match case.name.as_str() {
            "" if count[&label] > 1 => format!("{label}#{number}"),
            "" => label,
            name => format!("{label}#{name}"),
        };
        all.push((id, scenario, case));
    }
    all
}

fn is_named(name: &str, id: &str, scenario: &Scenario, case: &ScenarioCase) -> bool {
    name == id || name == scenario.name || name == case.name
}

fn every_tag_is_known(
    subjects: &[(String, &Scenario, &ScenarioCase)],
    tags: &[String],
) -> Result<(), ExpandError> {
    let known: BTreeSet<&str> = subjects
        .iter()
        .flat_map(|(_, _, case)| case.tags.iter().map(String::as_str))
        .collect();
    let unknown = tags.iter().find(|tag| !known.contains(tag.as_str()));
    unknown.map_or(Ok(()), |tag| {
        Err(ExpandError::UnknownTag {
            tag: tag.clone(),
            help: suggestion(tag, known),
        })
    })
}

fn every_name_is_known(
    subjects: &[(String, &Scenario, &ScenarioCase)],
    names: &[String],
) -> Result<(), ExpandError> {
    let is_unknown = |name: &&String| {
        !subjects
            .iter()
            .any(|(id, scenario, case)| is_named(name, id, scenario, case))
    };
    let known = subjects
        .iter()
        .flat_map(|(id, scenario, case)| [id.as_str(), scenario.name.as_str(), case.name.as_str()])
        .filter(|name| !name.is_empty());
    let known: BTreeSet<&str> = known.collect();
    names.iter().find(is_unknown).map_or(Ok(()), |case| {
        Err(ExpandError::UnknownCase {
            case: case.clone(),
            help: suggestion(case, known),
        })
    })
}

fn made(id: &str, scenario: &Scenario, case: &ScenarioCase, seed: u64, repetition: u32) -> Case {
    let Scenario {
        name,
        about,
        file,
        reproduces,
        tags: _,
        cost_s,
        cluster,
        budgets,
        cases: _,
    } = scenario;
    let ScenarioCase {
        name: case_name,
        tags,
        installer,
        capabilities,
        checkpoint_times,
        expect,
        timeline,
    } = case;
    let id = if repetition == 1 {
        id.to_owned()
    } else {
        format!("{id}~{repetition}")
    };
    Case {
        seed: mix(seed ^ number_of(&id)),
        id,
        scenario: name.clone(),
        name: case_name.clone(),
        about: about.clone(),
        file: file.clone(),
        reproduces: reproduces.clone(),
        installer: installer.clone(),
        cluster: cluster.clone(),
        timeline: timeline.clone(),
        budgets: budgets.clone(),
        expect: expect.clone(),
        repetition,
        tags: tags.clone(),
        cost_s: *cost_s,
        capabilities: capabilities.clone(),
        checkpoint_times: *checkpoint_times,
    }
}

/// Sixteen hexadecimal digits of a hash over the cases. Where the files lie is left out: shards run
/// on machines of their own.
fn fingerprint(cases: &[Case], seed: u64) -> String {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    for case in cases {
        let placeless = Case {
            file: String::new(),
            ..case.clone()
        };
        let bytes =
            serde_json::to_vec(&placeless).expect("a case has only text keys and finite numbers");
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    hash.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
