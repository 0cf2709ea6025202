//! Turning facts into checks. Pure.

use super::engine_checks::engine_checks;
use super::host_checks::host_checks;
use super::{Check, Facts, Level};

/// Judges every fact.
pub fn examine(facts: &Facts) -> Vec<Check> {
    let mut checks = engine_checks(&facts.engine);
    checks.extend(host_checks(&facts.host));
    checks
}

/// Whether clusters can be made here.
pub fn usable(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.level != Level::Problem)
}
