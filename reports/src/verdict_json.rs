//! `verdict.json`.

use oracle::Verdict;

/// A verdict as it is written: indented, ending in a line break, the same bytes for the same
/// verdict.
pub fn verdict_json(verdict: &Verdict) -> String {
    let mut text = serde_json::to_string_pretty(verdict)
        .expect("a verdict has text keys only and no number that JSON lacks");
    text.push('\n');
    text
}
