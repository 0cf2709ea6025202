//! The judge: all observations of a case in, its verdict out.
//!
//! Precedence, the first that applies:
//! 1. an unexpected violation, or a cluster that did not settle although nothing explains it, that a slow host does not excuse: failed;
//! 2. no case at all: inconclusive (harness); a case that the backend cannot run truthfully, and did not begin: not applicable;
//! 3. a timed violation that a slow host excuses: inconclusive (host);
//! 4. a fault or heal without proven effect: inconclusive (fault);
//! 5. degraded recording, or no last line: inconclusive (harness); trouble that the runner met: inconclusive with its cause;
//! 6. an expected violation that did not come, or another end than the expected: failed, or inconclusive (samples) where the invariant is unknown;
//! 7. an armed invariant that is unknown, or nothing that was judged: inconclusive (samples), except that a case ends as soon as its
//!    expected violations are proven, so then others may be unknown;
//! 8. passed.

use std::collections::{BTreeMap, BTreeSet};

use crate::faults::Faults;
use crate::figures::Figures;
use crate::host;
use crate::invariants::Invariant;
use crate::observation::{Cause, Observation, Sighting};
use crate::order::in_order;
use crate::register::{self, Class, Rule};
use crate::verdict::{CaseResult, Expectation, Finding, Judged, Judgement, Verdict};
use crate::view::View;

/// The end of a case that was closed while its operation was still open, because what it expects was proven.
pub const END_WHEN_PROVEN: &str = "none";

/// Control-plane nodes from which on the loss of one can be survived: etcd then keeps a majority.
const HIGHLY_AVAILABLE_NODES: usize = 3;

/// Judges a case. The order in which the observations come does not matter; the same set gives the same verdict.
pub fn judge(observations: &[Observation], expectation: &Expectation) -> Verdict {
    let sorted = in_order(observations);
    let mut view = View::new(Faults::of(sorted.iter().copied()));
    let mut monitors: Vec<(&Rule, Option<Box<dyn Invariant>>)> =
        register::all().map(|rule| (rule, rule.monitor())).collect();
    let mut figures = Figures::default();
    for seen in &sorted {
        view.observe(seen);
        figures.observe(&view, seen);
        for (_, monitor) in &mut monitors {
            if let Some(monitor) = monitor {
                monitor.observe(&view, seen);
            }
        }
    }
    let not_applicable = not_applicable(&sorted);
    let invariants: Vec<_> = monitors
        .iter()
        .map(|(rule, monitor)| Judged {
            id: rule.id.to_owned(),
            slug: rule.slug.to_owned(),
            revision: rule.revision,
            judgement: match (&not_applicable, judgement(rule, monitor.as_deref(), &view)) {
                (Some(_), Judgement::Unknown(_) | Judgement::Holds) => {
                    Judgement::NotJudged("the case does not apply here".to_owned())
                }
                (_, judgement) => judgement,
            },
        })
        .collect();
    let outcome = outcome(&sorted, &view, &invariants, expectation);
    Verdict {
        v: 1,
        case: view
            .case()
            .map(|case| case.case.clone())
            .unwrap_or_default(),
        result: outcome.result,
        cause: outcome.cause,
        reason: outcome.reason,
        expected: expectation.clone(),
        end: view.end().to_owned(),
        invariants,
        figures: figures.all(),
        fidelity: fidelity(&view),
        observations: observations.len() as u64,
    }
}

/// What each kind of fault really did.
fn fidelity(view: &View) -> BTreeMap<String, String> {
    let faults = view.faults().all().iter().map(|fault| &fault.value);
    faults
        .map(|fault| (fault.fault.key().to_owned(), fault.fidelity.clone()))
        .collect()
}

fn judgement(rule: &Rule, monitor: Option<&dyn Invariant>, view: &View) -> Judgement {
    let Some(monitor) = monitor else {
        return Judgement::NotJudged("not implemented yet".to_owned());
    };
    match why_not_armed(rule, view) {
        Some(why) => Judgement::NotJudged(why),
        None => monitor.judgement(view),
    }
}

/// Why a rule is not armed in this case; nothing when it is.
pub(crate) fn why_not_armed(rule: &Rule, view: &View) -> Option<String> {
    let needs = rule.needs?;
    let case = view.case()?;
    if !case.capabilities.contains(&needs) {
        return Some(format!(
            "the installer does not claim `{}`",
            register::capability_name(needs)
        ));
    }
    let is_small = view.control_plane().len() < HIGHLY_AVAILABLE_NODES;
    (needs == terms::Capability::Ha && is_small).then(|| {
        format!("fewer than {HIGHLY_AVAILABLE_NODES} control-plane nodes: etcd cannot lose one")
    })
}

struct Outcome {
    result: CaseResult,
    cause: Option<Cause>,
    reason: String,
}

fn failed(reason: String) -> Outcome {
    Outcome {
        result: CaseResult::Failed,
        cause: None,
        reason,
    }
}

fn inconclusive(cause: Cause, reason: String) -> Outcome {
    Outcome {
        result: CaseResult::Inconclusive,
        cause: Some(cause),
        reason,
    }
}

fn outcome(
    sorted: &[&Observation],
    view: &View,
    invariants: &[Judged],
    expectation: &Expectation,
) -> Outcome {
    let violated: Vec<(&Judged, &Finding)> = invariants
        .iter()
        .filter_map(|judged| match &judged.judgement {
            Judgement::Violated(found) => Some((judged, found)),
            _ => None,
        })
        .collect();
    let excuse = |judged: &Judged, found: &Finding| {
        let timed = register::by_id(&judged.id).is_some_and(|rule| rule.class == Class::Timed);
        if timed {
            host::trouble(sorted, found)
        } else {
            None
        }
    };
    for (judged, found) in &violated {
        if !expectation.violated.contains(&judged.slug) && excuse(judged, found).is_none() {
            return failed(format!("{} {}: {}", judged.id, judged.slug, found.what));
        }
    }
    if violated.is_empty()
        && let Some(unsettled) = unsettled(sorted)
    {
        let found = Finding {
            what: unsettled.clone(),
            at_us: view.now_us(),
            witness: Vec::new(),
        };
        return match host::trouble(sorted, &found) {
            Some(why) => inconclusive(Cause::Host, format!("{unsettled}; {why}")),
            None => failed(unsettled),
        };
    }
    if view.case().is_none() {
        let what = "there is no first line that says what the case is".to_owned();
        return inconclusive(Cause::Harness, what);
    }
    if let Some(reason) = not_applicable(sorted) {
        return Outcome {
            result: CaseResult::NotApplicable,
            cause: None,
            reason,
        };
    }
    for (judged, found) in &violated {
        if let Some(why) = excuse(judged, found) {
            return inconclusive(
                Cause::Host,
                format!("{} {}: {}; but {why}", judged.id, judged.slug, found.what),
            );
        }
    }
    let met: BTreeSet<_> = violated
        .iter()
        .map(|(judged, _)| judged.slug.as_str())
        .collect();
    disturbed(sorted, view)
        .or_else(|| not_as_expected(view, invariants, expectation, &met))
        .unwrap_or_else(|| as_expected(invariants, expectation))
}

/// What keeps a case from being decided, whatever was seen.
fn disturbed(sorted: &[&Observation], view: &View) -> Option<Outcome> {
    if let Some((_, what)) = view.faults().unproven() {
        return Some(inconclusive(Cause::Fault, what));
    }
    for seen in sorted {
        if let Sighting::RecordingDegraded(why) = &seen.saw {
            let what = format!("recording failed, so observations may be missing: {why}");
            return Some(inconclusive(Cause::Harness, what));
        }
    }
    let Some(closed) = view.closed() else {
        let what = "the record has no last line: the run was cut off".to_owned();
        return Some(inconclusive(Cause::Harness, what));
    };
    let trouble = closed.trouble.as_ref()?;
    Some(inconclusive(trouble.cause, trouble.detail.clone()))
}

fn not_as_expected(
    view: &View,
    invariants: &[Judged],
    expectation: &Expectation,
    met: &BTreeSet<&str>,
) -> Option<Outcome> {
    let missing = expectation
        .violated
        .iter()
        .find(|slug| !met.contains(slug.as_str()));
    if let Some(slug) = missing {
        let judged = invariants.iter().find(|judged| judged.slug == *slug);
        return Some(match judged.map(|judged| &judged.judgement) {
            Some(Judgement::Unknown(what)) => inconclusive(
                Cause::Samples,
                format!("`{slug}` was expected to be violated, and is unknown: {what}"),
            ),
            Some(Judgement::NotJudged(why)) => failed(format!(
                "`{slug}` was expected to be violated, and was not judged: {why}"
            )),
            Some(_) => failed(format!("`{slug}` was expected to be violated, and held")),
            None => failed(format!(
                "`{slug}` was expected to be violated; there is no such invariant"
            )),
        });
    }
    let end = view.end();
    let proven = end == END_WHEN_PROVEN && !expectation.violated.is_empty();
    (end != expectation.ends && !proven).then(|| {
        failed(format!(
            "the procedure ended as `{end}`, expected was `{}`",
            expectation.ends
        ))
    })
}

fn as_expected(invariants: &[Judged], expectation: &Expectation) -> Outcome {
    let unknown = invariants
        .iter()
        .find_map(|judged| match &judged.judgement {
            Judgement::Unknown(what) => Some(format!("{} {}: {what}", judged.id, judged.slug)),
            _ => None,
        });
    let decided =
        |judged: &&Judged| matches!(judged.judgement, Judgement::Holds | Judgement::Violated(_));
    let count = invariants.iter().filter(decided).count();
    match unknown {
        Some(what) if expectation.violated.is_empty() => inconclusive(Cause::Samples, what),
        _ if count == 0 => inconclusive(Cause::Samples, "nothing was judged".to_owned()),
        _ if expectation.violated.is_empty() => {
            let reason = format!("ended as `{}`, {count} invariants held", expectation.ends);
            Outcome {
                result: CaseResult::Passed,
                cause: None,
                reason,
            }
        }
        _ => {
            let slugs: Vec<_> = expectation.violated.iter().map(String::as_str).collect();
            let reason = format!(
                "violated as expected, and nothing else: {}",
                slugs.join(", ")
            );
            Outcome {
                result: CaseResult::Passed,
                cause: None,
                reason,
            }
        }
    }
}

/// The last attempt to settle that failed, in words.
fn unsettled(sorted: &[&Observation]) -> Option<String> {
    sorted.iter().rev().find_map(|seen| match &seen.saw {
        Sighting::Settled(settled) => settled.failure(),
        _ => None,
    })
}

/// Why the case cannot be run truthfully here. A record in which the installer was started is no such case.
fn not_applicable(sorted: &[&Observation]) -> Option<String> {
    let begun = |seen: &&Observation| matches!(seen.saw, Sighting::OperationStarted(_));
    if sorted.iter().any(begun) {
        return None;
    }
    sorted.iter().find_map(|seen| match &seen.saw {
        Sighting::NotApplicable(reason) => Some(reason.clone()),
        _ => None,
    })
}
