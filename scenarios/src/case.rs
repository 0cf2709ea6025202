//! A case: scenario, installer and policy, versions and seed. What a runner executes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use oracle::Expectation;
use oracle::observation::{CaseOpened, CheckpointTimes};
use serde::{Deserialize, Serialize};
use terms::{Capability, Milliseconds, NodeId, StepName};

use crate::entry::Entry;
use crate::policy::Policy;

/// One case, with everything said that a file left to its defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Stable and unique in a plan:
    /// `<scenario>/<installer>-<policy>[-agent-<plan>][-<switch>…]@<version>[#<case's name or number>][~<repetition>]`.
    pub id: String,
    /// The scenario's name.
    pub scenario: String,
    /// The case's own name within its scenario; empty for a scenario's only case.
    pub name: String,
    /// What the scenario is about.
    pub about: String,
    /// The file, as it was named on the command line.
    pub file: String,
    /// Field failures that the scenario reproduces, such as `FF-07`.
    pub reproduces: BTreeSet<String>,
    /// The system under test.
    pub installer: Installer,
    /// The machines.
    pub cluster: Cluster,
    /// What happens.
    pub timeline: Vec<Entry>,
    /// Every budget by name; `None` was written `none` and is not judged.
    pub budgets: BTreeMap<String, Option<Milliseconds>>,
    /// What must come out, exactly.
    pub expect: Expectation,
    /// What every draw of this case begins with.
    pub seed: u64,
    /// Which repetition this is, from 1.
    pub repetition: u32,
    /// Words to select by: the scenario's and the case's own.
    pub tags: BTreeSet<String>,
    /// Declared real time, in seconds.
    pub cost_s: u32,
    /// What the installer claims, which arms invariants.
    pub capabilities: BTreeSet<Capability>,
    /// The times that the plan of its checkpoint agents states; none without agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_times: Option<CheckpointTimes>,
}

impl Case {
    /// Budgets in force: those that are judged.
    pub fn budgets_in_force(&self) -> BTreeMap<String, Milliseconds> {
        self.budgets
            .iter()
            .filter_map(|(name, budget)| budget.map(|budget| (name.clone(), budget)))
            .collect()
    }

    /// What the judge may know of the case: the first line of its record, on every backend.
    pub fn opened(&self) -> CaseOpened {
        let count = self.cluster.control_plane;
        let mut capabilities = self.capabilities.clone();
        if count < 2 {
            capabilities.remove(&Capability::Ha);
        }
        CaseOpened {
            case: self.id.clone(),
            nodes: self.cluster.nodes(),
            bootstrap_node: self.cluster.bootstrap_node(),
            capabilities,
            wanted_instances: count,
            guard_instances: count.min(2),
            budgets: self.budgets_in_force(),
            done_step: StepName::new(pivot::Plan::DONE_STEP),
            expected_end: self.expect.ends.clone(),
            checkpoint_times: self.checkpoint_times,
        }
    }

    /// The id without the repetition: what `--repeat` compares.
    pub fn subject(&self) -> &str {
        self.id
            .split_once('~')
            .map_or(self.id.as_str(), |(subject, _)| subject)
    }
}

/// The machines of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// How many control-plane nodes, from 1 to 9.
    pub control_plane: u32,
    /// How many workers, from 0 to 50.
    pub workers: u32,
    /// Minor version of Kubernetes, such as `1.34`.
    pub kubernetes: String,
}

impl Cluster {
    /// The control-plane nodes by name.
    pub fn control_plane_nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.control_plane as usize).map(NodeId::control_plane)
    }

    /// The workers by name.
    pub fn worker_nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.workers as usize).map(NodeId::worker)
    }

    /// All nodes by name, control plane first.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.control_plane_nodes()
            .chain(self.worker_nodes())
            .collect()
    }

    /// The node on which the installer runs: always the first of the control plane.
    pub fn bootstrap_node(&self) -> NodeId {
        NodeId::control_plane(1)
    }
}

/// The system under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Installer {
    /// The reference installer.
    Selfhost(Selfhost),
}

impl Installer {
    /// What ids and reports call it: `<installer>-<policy>[-agent-<plan>][-<switch>…]`.
    pub fn label(&self) -> String {
        let Self::Selfhost(Selfhost {
            policy,
            agent,
            switches,
        }) = self;
        let policy = name_of(policy);
        let agent = agent
            .as_ref()
            .map_or(String::new(), |agent| format!("-agent-{}", name_of(agent)));
        let switches: String = switches.keys().map(|switch| format!("-{switch}")).collect();
        format!("selfhost-{policy}{agent}{switches}")
    }
}

/// What a policy is called: a plan file by its name without folder and ending.
fn name_of(policy: &str) -> String {
    if Policy::is_file(policy) {
        let stem = Path::new(policy).file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    } else {
        policy.to_owned()
    }
}

/// The reference installer with its procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selfhost {
    /// A policy's name, or the path of a plan file (then it contains a `/` or ends in `.json`).
    pub policy: String,
    /// What the checkpoint agents follow, named as a policy is; what belongs to the policy unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Switches by name, such as `apiserver-node-selector`.
    pub switches: BTreeMap<String, String>,
}
