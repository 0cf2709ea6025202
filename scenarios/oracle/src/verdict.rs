//! Verdicts: what became of a case, invariant by invariant.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::observation::Cause;

/// What a case is expected to end with; met exactly, or the case fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// `done` or `holding`.
    pub ends: String,
    /// Slugs of the invariants that must be violated, and no others.
    pub violated: BTreeSet<String>,
}

/// The verdict on one case: `verdict.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Version of this record: 1.
    pub v: u32,
    /// The case's id.
    pub case: String,
    /// What became of it.
    pub result: CaseResult,
    /// Why it is inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The reason in a sentence a tired person understands.
    pub reason: String,
    /// What was expected.
    pub expected: Expectation,
    /// How the procedure ended: `done`, `holding`, or another word for neither.
    pub end: String,
    /// Every invariant of the register, in its order.
    pub invariants: Vec<Judged>,
    /// Figures worth keeping, by name with the unit last, such as `api_write_gap_ms`.
    pub figures: std::collections::BTreeMap<String, u64>,
    /// What each kind of fault really did, by its key in scenario files: the limits of what the figures say.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub fidelity: std::collections::BTreeMap<String, String>,
    /// How many observations were judged.
    pub observations: u64,
}

/// What became of a case. Never merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseResult {
    /// Everything was as expected.
    Passed,
    /// Something was not as expected.
    Failed,
    /// Nothing can be said.
    Inconclusive,
    /// The case does not apply here.
    NotApplicable,
}

/// One invariant's judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Its number, such as `S5`.
    pub id: String,
    /// Its slug: contract.
    pub slug: String,
    /// Revision of the rule that judged.
    pub revision: u32,
    /// What was found.
    pub judgement: Judgement,
}

/// What an invariant says of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// It held, and enough was seen to say so.
    Holds,
    /// It was violated.
    Violated(Finding),
    /// Not enough was seen, with what was missing.
    Unknown(String),
    /// It was not armed: a capability that is not claimed, a budget that is `none`, a procedure that never ran.
    NotJudged(String),
}

/// A violated invariant with its witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What happened, in a sentence with names and numbers.
    pub what: String,
    /// When the violation was complete, in microseconds of the case.
    pub at_us: u64,
    /// The observations that show it, oldest first; at most eight.
    pub witness: Vec<Witness>,
}

/// A reference to an observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// When it was seen.
    pub at_us: u64,
    /// Where, such as `apiserver cp-1 #214`.
    pub source: String,
    /// What, in words.
    pub saw: String,
}
