//! A recorded case, judged from its file.

use std::collections::BTreeMap;
use std::path::Path;

use oracle::observation::Cause;
use oracle::{CaseResult, Expectation, Verdict};

/// Reads and judges a record. A record that cannot be read makes the case inconclusive, with the
/// reason: it never passes.
pub fn judge_events(events: &Path, case: &str, expected: &Expectation) -> Verdict {
    let read = std::fs::read_to_string(events)
        .map_err(|error| format!("cannot read {}: {error}", events.display()))
        .and_then(|text| {
            oracle::reader::read(&text).map_err(|error| format!("{}: {error}", events.display()))
        });
    match read {
        Ok(record) => oracle::judge(&record.observations, expected),
        Err(reason) => Verdict {
            v: 1,
            case: case.to_owned(),
            result: CaseResult::Inconclusive,
            cause: Some(Cause::Harness),
            reason,
            expected: expected.clone(),
            end: "unknown".to_owned(),
            invariants: Vec::new(),
            figures: BTreeMap::new(),
            fidelity: Default::default(),
            observations: 0,
        },
    }
}
