//! How many cases ended how.

use std::fmt;

use oracle::CaseResult;

/// How many cases ended how; printed always, in this order and with these words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Everything was as expected.
    pub passed: usize,
    /// Something was not as expected.
    pub failed: usize,
    /// Nothing can be said.
    pub inconclusive: usize,
    /// The case does not apply here.
    pub not_applicable: usize,
}

impl Counts {
    /// Counts results.
    pub fn of(results: impl IntoIterator<Item = CaseResult>) -> Self {
        let mut counts = Self::default();
        for result in results {
            match result {
                CaseResult::Passed => counts.passed += 1,
                CaseResult::Failed => counts.failed += 1,
                CaseResult::Inconclusive => counts.inconclusive += 1,
                CaseResult::NotApplicable => counts.not_applicable += 1,
            }
        }
        counts
    }

    /// All cases.
    pub const fn total(&self) -> usize {
        self.passed + self.failed + self.inconclusive + self.not_applicable
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            inconclusive,
            not_applicable,
        } = self;
        write!(
            formatter,
            "{passed} passed, {failed} failed, {inconclusive} inconclusive, {not_applicable} not applicable"
        )
    }
}
