//! A scenario, checked: nothing in it is left to a default any more.

use std::collections::{BTreeMap, BTreeSet};

use oracle::Expectation;
use oracle::observation::CheckpointTimes;
use terms::{Capability, Milliseconds};

use crate::case::{Cluster, Installer};
use crate::entry::Entry;

/// A checked scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// The file, as it was named.
    pub file: String,
    /// Field failures that it reproduces.
    pub reproduces: BTreeSet<String>,
    /// Words to select by.
    pub tags: BTreeSet<String>,
    /// Declared real time of a case, in seconds.
    pub cost_s: u32,
    /// The machines.
    pub cluster: Cluster,
    /// Every budget by name; `None` was written `none`.
    pub budgets: BTreeMap<String, Option<Milliseconds>>,
    /// One case at least.
    pub cases: Vec<ScenarioCase>,
}

/// A case of a scenario, before seeds and repetitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioCase {
    /// Its own name; empty for a scenario's only case.
    pub name: String,
    /// Words to select by: the scenario's and its own.
    pub tags: BTreeSet<String>,
    /// The system under test.
    pub installer: Installer,
    /// What it claims.
    pub capabilities: BTreeSet<Capability>,
    /// The times that the plan of its checkpoint agents states; none without agents.
    pub checkpoint_times: Option<CheckpointTimes>,
    /// What must come out.
    pub expect: Expectation,
    /// What happens, placeholders replaced.
    pub timeline: Vec<Entry>,
}

/// What the command line says over what files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Every case runs this installer.
    pub installer: Option<Installer>,
    /// Every case expects this; only together with an installer.
    pub expect: Option<Expectation>,
}
