//! A case played in the simulator and judged, without leaving a run behind.

use std::collections::BTreeSet;

use oracle::{Judgement, Verdict, judge};
use scenarios::Case;
use simulator::timed;

use crate::runner::{agent_of, plan_of};

/// Plays and judges a case.
///
/// # Errors
/// Why it cannot be played truthfully, or that its plan file is gone.
pub fn play(case: &Case) -> Result<Verdict, String> {
    if let Some(reason) = timed::why_not_applicable(case) {
        return Err(format!("not applicable in the simulator: {reason}"));
    }
    let outcome = timed::run_with_agents(case, &plan_of(case)?, agent_of(case)?);
    Ok(judge(&outcome.observations, &case.expect))
}

/// Slugs of what a verdict finds violated, expected or not.
pub fn violated(verdict: &Verdict) -> BTreeSet<String> {
    let judged = verdict.invariants.iter();
    let violated = judged.filter(|judged| matches!(judged.judgement, Judgement::Violated(_)));
    violated.map(|judged| judged.slug.clone()).collect()
}

/// Words in a list: `one, two`; or `nothing`.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        words.join(", ")
    }
}
