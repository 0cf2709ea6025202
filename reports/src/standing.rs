//! Where an invariant stands in a case, once what was expected of the case is taken into account.

use oracle::{CaseResult, END_WHEN_PROVEN, Finding, Judged, Judgement, Verdict};

/// Where an invariant stands in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It held, and the case can be relied upon.
    Held,
    /// It held in what was seen, but the case as a whole is inconclusive: never green.
    HeldAsFarAsSeen,
    /// It was violated, which the case expects.
    ViolatedAsExpected(&'a Finding),
    /// It was violated, which the case does not expect.
    Violated(&'a Finding),
    /// It was violated, but the case as a whole is inconclusive: what held the host up may have
    /// caused it.
    ViolatedInDoubt(&'a Finding),
    /// The case expects a violation that did not come.
    ViolationMissing,
    /// Too little was seen of it.
    Unknown(&'a str),
    /// Too little was seen of it, in a case that passed without it: a case ends as soon as its
    /// expected violation is proven.
    UnknownWithoutConsequence(&'a str),
    /// It was not armed.
    NotJudged(&'a str),
}

impl<'a> Standing<'a> {
    /// Where `judged`, one of the verdict's invariants, stands.
    pub fn of(verdict: &Verdict, judged: &'a Judged) -> Self {
        let expected = verdict.expected.violated.contains(&judged.slug);
        match (&judged.judgement, verdict.result) {
            (Judgement::Violated(finding), _) if expected => Self::ViolatedAsExpected(finding),
            (Judgement::Violated(finding), CaseResult::Inconclusive) => {
                Self::ViolatedInDoubt(finding)
            }
            (Judgement::Violated(finding), _) => Self::Violated(finding),
            (Judgement::Unknown(missing), CaseResult::Passed) => {
                Self::UnknownWithoutConsequence(missing)
            }
            (Judgement::Unknown(missing), _) => Self::Unknown(missing),
            (Judgement::Holds | Judgement::NotJudged(_), CaseResult::Failed) if expected => {
                Self::ViolationMissing
            }
            (Judgement::Holds, CaseResult::Inconclusive) => Self::HeldAsFarAsSeen,
            (Judgement::Holds, _) => Self::Held,
            (Judgement::NotJudged(why), _) => Self::NotJudged(why),
        }
    }

    /// Whether this alone makes the case fail.
    pub const fn is_failure(&self) -> bool {
        matches!(self, Self::Violated(_) | Self::ViolationMissing)
    }
}

/// Whether a case ended as it was to end: as stated, or early because the violations that it
/// expects were proven.
pub(crate) fn ended_as_expected(verdict: &Verdict) -> bool {
    verdict.end == verdict.expected.ends
        || (verdict.end == END_WHEN_PROVEN && !verdict.expected.violated.is_empty())
}

/// Whether a case failed by its end, or by something that no invariant of the verdict shows.
pub(crate) fn failed_beyond_invariants(verdict: &Verdict) -> bool {
    verdict.result == CaseResult::Failed
        && (!ended_as_expected(verdict)
            || !verdict
                .invariants
                .iter()
                .any(|judged| Standing::of(verdict, judged).is_failure()))
}
