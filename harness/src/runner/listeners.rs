//! The console as a listener of the one stream.

use std::collections::BTreeSet;
use std::sync::Arc;

use oracle::{Finding, Observation};
use scenarios::Case;

use super::case::CaseContext;
use crate::console::Console;
use crate::stream::Observers;

/// Tells the console what happens in one case.
pub(super) struct ToConsole {
    console: Arc<Console>,
    case: String,
    /// Slugs of the violations that the case expects.
    expected: BTreeSet<String>,
}

impl ToConsole {
    /// The listener of a case.
    pub(super) fn of(context: &CaseContext, case: &Case) -> Self {
        Self {
            console: Arc::clone(&context.console),
            case: case.id.clone(),
            expected: case.expect.violated.clone(),
        }
    }
}

impl Observers for ToConsole {
    fn observed(&mut self, observation: &Observation) {
        self.console.observation(&self.case, observation);
    }

    fn found(&mut self, slug: &str, finding: &Finding) {
        self.console
            .finding(&self.case, slug, finding, self.expected.contains(slug));
    }
}
