//! A scenario as it is written. What is read from a file and what the JSON Schema says is this;
//! what it means is worked out in `check`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use terms::{Actor, Fault, Milliseconds, Moment, Nothing, Selectors, StepName};

use crate::entry::RecoverFrom;

/// A scenario: one file, strict. Unknown keys are errors.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Scenario")]
#[expect(
    dead_code,
    reason = "keys of a file are read one by one, so that all mistakes are found; this is their schema"
)]
pub(crate) struct WrittenScenario {
    /// The scenario's name: lowercase words with hyphens, unique among the files of a run.
    pub(crate) name: String,
    /// What happens and why it matters, for somebody who reads a report.
    pub(crate) about: String,
    /// Field failures that this scenario reproduces, such as `FF-07`.
    #[schemars(default)]
    pub(crate) reproduces: Vec<String>,
    /// Words to select by, such as `gate` or `nightly`.
    #[schemars(default)]
    pub(crate) tags: Vec<String>,
    /// Declared real time of one case, in seconds.
    #[schemars(default = "usual_cost_s", range(min = 1, max = 7200))]
    pub(crate) cost_s: u32,
    /// The machines.
    pub(crate) cluster: WrittenCluster,
    /// One case at least: an installer, and what to expect of it.
    pub(crate) cases: Vec<WrittenCase>,
    /// Makes one case for each step and moment of the installer's procedure, as `$step` and `$moment`.
    #[schemars(default)]
    pub(crate) sweep: Option<WrittenSweep>,
    /// What happens, one entry after another.
    pub(crate) timeline: Vec<WrittenEntry>,
    /// Longest times by name; absent means the default, `none` means not judged.
    #[schemars(default, schema_with = "crate::schema::budgets")]
    pub(crate) budgets: BTreeMap<String, String>,
}

/// What a case costs unless its scenario says so: a bootstrap, a fault and a settling on two cores.
pub(crate) const fn usual_cost_s() -> u32 {
    120
}

/// The keys of a scenario, in the order of the documentation.
pub(crate) const SCENARIO_KEYS: [&str; 10] = [
    "name",
    "about",
    "reproduces",
    "tags",
    "cost_s",
    "cluster",
    "cases",
    "sweep",
    "timeline",
    "budgets",
];

/// The machines.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cluster")]
pub(crate) struct WrittenCluster {
    /// How many control-plane nodes.
    #[schemars(range(min = 1, max = 9))]
    pub(crate) control_plane: u32,
    /// How many workers.
    #[schemars(range(min = 0, max = 50))]
    pub(crate) workers: u32,
    /// Minor version of Kubernetes, in quotes: `"1.34"`.
    pub(crate) kubernetes: String,
}

/// An installer with its policy, and what to expect of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Case")]
pub(crate) struct WrittenCase {
    /// A name that tells this case from the others with the same installer.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The system under test.
    pub(crate) installer: WrittenInstaller,
    /// Values for the timeline's placeholders: `$victim` there is `victim` here.
    #[serde(default)]
    #[schemars(schema_with = "crate::schema::set")]
    #[expect(
        dead_code,
        reason = "values are taken from the tree, where they have places"
    )]
    pub(crate) set: BTreeMap<String, serde::de::IgnoredAny>,
    /// Words to select this case by, besides those of the scenario.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// What must come out, exactly; `{ ends: done, violated: [] }` unless said.
    #[serde(default)]
    pub(crate) expect: WrittenExpect,
}

/// The system under test.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "Installer")]
pub(crate) enum WrittenInstaller {
    /// The reference installer.
    Selfhost(WrittenSelfhost),
}

/// The reference installer with its procedure.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Selfhost")]
pub(crate) struct WrittenSelfhost {
    /// A policy's name, or the path of a plan file, from the scenario file on: with a `/`, or ending in `.json`.
    pub(crate) policy: String,
    /// What the checkpoint agents follow: a policy's or an agent's mutant's name, or the path of an agent's plan file. What belongs to the policy unless said.
    #[serde(default)]
    pub(crate) agent: Option<String>,
    /// Switches of the installer by name.
    #[serde(default)]
    pub(crate) switches: BTreeMap<String, String>,
}

/// What must come out, exactly.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Expectation")]
pub(crate) struct WrittenExpect {
    /// How the procedure ends.
    #[serde(default)]
    pub(crate) ends: WrittenEnd,
    /// Slugs of the invariants that must be violated, and no others.
    #[serde(default)]
    pub(crate) violated: Vec<String>,
}

/// How a procedure ends.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "End")]
pub(crate) enum WrittenEnd {
    /// It is done.
    #[default]
    Done,
    /// It stands still and waits for a person.
    Holding,
    /// The last operation was refused and changed nothing.
    Refused,
}

/// Cases made by the way.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Sweep")]
pub(crate) struct WrittenSweep {
    /// Where.
    #[expect(dead_code, reason = "there is one value; reading it checks it")]
    pub(crate) at: WrittenSweepAt,
}

/// Where a sweep makes cases.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "SweepAt")]
pub(crate) enum WrittenSweepAt {
    /// At every step of the procedure, entered and completed.
    AllSteps,
}

/// An entry of the timeline: exactly one key.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "Entry")]
pub(crate) enum WrittenEntry {
    /// Starts the installer on a new cluster. Awaited, unless an `at` follows.
    Bootstrap(WrittenBootstrap),
    /// Starts the operation again that was killed. Awaited, unless an `at` follows.
    Resume(Nothing),
    /// Takes a snapshot of etcd and keeps it off the cluster. Awaited.
    Snapshot(Nothing),
    /// Brings the cluster back, and nodes that lost their disks. Awaited.
    Recover(WrittenRecover),
    /// Holds the installer at a step, injects faults there, and releases it.
    At(WrittenAt),
    /// Injects faults at once.
    Inject(Vec<Fault>),
    /// Lets time pass.
    Wait(Milliseconds),
    /// Undoes lasting faults.
    Heal(WrittenHeal),
    /// Waits until the cluster has settled. Its time-out is a finding.
    Settle(WrittenSettle),
}

/// Which cluster is made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Bootstrap")]
pub(crate) struct WrittenBootstrap {
    /// Another cluster, with authorities of its own, on machines that belong to this one: it must be refused.
    #[serde(default)]
    pub(crate) foreign: bool,
}

/// How the cluster is brought back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Recover")]
pub(crate) struct WrittenRecover {
    /// What there is of etcd: what its living members hold, or the latest snapshot.
    #[serde(default)]
    pub(crate) from: RecoverFrom,
    /// Begin the same on the last control-plane node too, once the first one's etcd answers: it must be refused.
    #[serde(default)]
    pub(crate) rival: bool,
}

/// Faults at a named moment.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "At")]
pub(crate) struct WrittenAt {
    /// The step, as the installer announces it.
    pub(crate) step: StepName,
    /// Which side of the step.
    pub(crate) moment: Moment,
    /// Which time the actor comes by, counted per case, across restarts.
    #[serde(default = "first")]
    #[schemars(range(min = 1))]
    pub(crate) occurrence: u32,
    /// The machine that announces the step.
    #[serde(default)]
    pub(crate) actor: Actor,
    /// How long to wait for the address.
    #[serde(default = "address_patience")]
    pub(crate) within: Milliseconds,
    /// What happens there, together.
    pub(crate) inject: Vec<Fault>,
}

const fn first() -> u32 {
    1
}

/// An address is waited for as long as the slowest step may take.
const fn address_patience() -> Milliseconds {
    Milliseconds::from_seconds(120)
}

/// Which lasting faults are undone.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Heal")]
pub(crate) struct WrittenHeal {
    /// Only those of these nodes; every open one unless said.
    #[serde(default)]
    pub(crate) node: Option<Selectors>,
}

/// How long, and how steadily, the cluster must have settled.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Settle")]
pub(crate) struct WrittenSettle {
    /// The time-out.
    pub(crate) within: Milliseconds,
    /// For how long everything must hold at once.
    #[serde(default = "steadiness")]
    pub(crate) stable_for: Milliseconds,
}

/// Longer than the 10 s tick by which apiservers renew what they say of themselves.
const fn steadiness() -> Milliseconds {
    Milliseconds::from_seconds(15)
}
