//! The console as a listener of the one stream.

use std::collections::BTreeSet;
use std::sync::Arc;

use oracle::{Finding, Observation};

use crate::console::Console;
use crate::stream::Observers;

/// Tells the console what happens in one case.
pub(super) struct ToConsole {
    pub(super) console: Arc<Console>,
    pub(super) case: String,
    /// Slugs of the violations that the case expects.
    pub(super) expected: BTreeSet<String>,
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
