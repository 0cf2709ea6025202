//! The exit code of a run: in this place and no other.

use oracle::CaseResult;

/// The code that a run, or a later judgement of it, ends with.
///
/// 130 interrupted, otherwise 1 when something failed, otherwise 2 when something is inconclusive
/// or nothing was judged (no case, or none that applies here), otherwise 0. That an empty shard
/// ends with 0 is the caller's to know: here, no case is nothing judged.
pub fn exit_code(results: &[CaseResult], interrupted: bool) -> u8 {
    if interrupted {
        130
    } else if results.contains(&CaseResult::Failed) {
        1
    } else if results.contains(&CaseResult::Inconclusive) || !results.contains(&CaseResult::Passed)
    {
        2
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::exit_code;
    use oracle::CaseResult::{Failed, Inconclusive, NotApplicable, Passed};

    #[test]
    fn the_worst_decides_and_nothing_judged_is_never_success() {
        for (results, interrupted, code) in [
            (&[Passed][..], false, 0),
            (&[Passed, NotApplicable], false, 0),
            (&[], false, 2),
            (&[NotApplicable], false, 2),
            (&[Passed, Inconclusive], false, 2),
            (&[Inconclusive, Failed, Passed], false, 1),
            (&[Failed, NotApplicable], false, 1),
            (&[Passed], true, 130),
            (&[Failed], true, 130),
            (&[], true, 130),
        ] {
            assert_eq!(
                exit_code(results, interrupted),
                code,
                "{results:?} {interrupted}"
            );
        }
    }
}
