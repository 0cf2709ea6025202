//! Repetitions of a case, and whether they agree.

use std::collections::BTreeMap;
use std::fmt;

use oracle::CaseResult;

use crate::standing::Standing;
use crate::{CaseReport, RunReport};

/// How the repetitions of one case came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repetition {
    /// The case without its seed and its repetition.
    pub name: String,
    /// How often it was run; at least twice.
    pub total: usize,
    /// How often it passed.
    pub passed: usize,
    /// Whether all came out alike.
    pub agree: bool,
    /// How often which invariant was violated without being expected to be, by slug.
    pub violated: BTreeMap<String, usize>,
}

impl Repetition {
    /// Whether some came out otherwise than others, which is a failure.
    pub const fn is_flaky(&self) -> bool {
        !self.agree
    }
}

/// The cases that were run more than once, in the order of the run.
pub fn repetitions(run: &RunReport) -> Vec<Repetition> {
    let mut names: Vec<String> = Vec::new();
    let mut groups: BTreeMap<String, Vec<&CaseReport>> = BTreeMap::new();
    for case in &run.cases {
        let name = case.record.stable_name();
        let group = groups.entry(name.clone()).or_default();
        if group.is_empty() {
            names.push(name);
        }
        group.push(case);
    }
    let repeated = names.into_iter().filter_map(|name| {
        let cases = groups.remove(&name).filter(|cases| cases.len() > 1)?;
        Some(repetition(name, &cases))
    });
    repeated.collect()
}

fn repetition(name: String, cases: &[&CaseReport]) -> Repetition {
    let mut violated = BTreeMap::new();
    for verdict in cases.iter().map(|case| &case.verdict) {
        for judged in &verdict.invariants {
            if matches!(Standing::of(verdict, judged), Standing::Violated(_)) {
                *violated.entry(judged.slug.clone()).or_default() += 1;
            }
        }
    }
    let results = || cases.iter().map(|case| case.verdict.result);
    Repetition {
        name,
        total: cases.len(),
        passed: results()
            .filter(|result| *result == CaseResult::Passed)
            .count(),
        agree: results().all(|result| Some(result) == results().next()),
        violated,
    }
}

impl fmt::Display for Repetition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            total,
            passed,
            agree,
            violated,
        } = self;
        let word = if *agree { "agreed" } else { "flaky" };
        write!(formatter, "{name}: {word}, {passed}/{total} passed")?;
        for (slug, count) in violated {
            write!(formatter, "; {slug} violated {count}/{total}")?;
        }
        Ok(())
    }
}
