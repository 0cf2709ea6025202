//! The installer's log, replayed: what ran for real must follow from the machine, input by input.

use std::path::Path;

use pivot::checkpoint::{self, AgentPlan};
use pivot::contract::check_log;
use pivot::{Plan, read_log};

/// Replays the log of a case, if there is one and its policy is built in.
///
/// # Errors
/// When the machine decides otherwise than the log says, or the driver broke a promise.
pub(super) fn check(evidence: &Path, policy: &str) -> Result<(), String> {
    let Some(plan) = Plan::named(policy) else {
        return Ok(());
    };
    let file = evidence.join("cp-1").join("installer-log.ndjson");
    let Ok(text) = std::fs::read_to_string(&file) else {
        // The node was off when evidence was taken, which the evidence says itself.
        return Ok(());
    };
    let whole = whole_lines(&text);
    if whole.is_empty() {
        return Ok(());
    }
    let log = read_log(&whole).map_err(|error| format!("{}: {error}", file.display()))?;
    check_log(&plan, &log)
        .map_err(|error| format!("the installer's log does not follow from its policy: {error}"))
}

/// Replays every checkpoint agent's log of a case, if its policy is built in.
///
/// # Errors
/// When a machine decides otherwise than a log says.
pub(super) fn check_agents(evidence: &Path, policy: &str) -> Result<(), String> {
    let Some(plan) = AgentPlan::named(policy) else {
        return Ok(());
    };
    for folder in std::fs::read_dir(evidence).into_iter().flatten().flatten() {
        let file = folder.path().join("agent-log.ndjson");
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let log = checkpoint::read_log(&whole_lines(&text))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        checkpoint::replay(&plan, &log).map_err(|error| {
            let node = folder.file_name();
            let node = node.to_string_lossy();
            format!("the log of {node}'s checkpoint agent does not follow from its policy: {error}")
        })?;
    }
    Ok(())
}

/// A killed process may leave half a line; what follows it is another start's.
fn whole_lines(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| line.ends_with('}') || line.ends_with('"'));
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_log_that_decides_otherwise_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("cp-1")).unwrap();
        let file = folder.path().join("cp-1/installer-log.ndjson");
        assert_eq!(
            super::check(folder.path(), "modern"),
            Ok(()),
            "no log, no claim"
        );
        let plan = pivot::Plan::named("modern").unwrap();
        let (_, effects) = pivot::resume(&plan, None);
        let resumed = pivot::LogEntry::Resumed {
            durable: None,
            effects,
        };
        std::fs::write(&file, resumed.to_line() + "\n").unwrap();
        assert_eq!(super::check(folder.path(), "modern"), Ok(()));
        let silent = pivot::LogEntry::Resumed {
            durable: None,
            effects: pivot::Effects::none(),
        };
        std::fs::write(&file, silent.to_line() + "\n").unwrap();
        assert!(super::check(folder.path(), "modern").is_err());
    }
}
