//! The installer's log, replayed: what ran for real must follow from the machine, input by input.

use std::path::Path;

use pivot::checkpoint::{self, AgentPlan};
use pivot::contract::check_log;
use pivot::{Plan, read_log};
use scenarios::{Case, Installer};

use super::plans::agent_of;

/// Replays the logs of a case: its installer's, if its policy is built in, its recoveries', and its agents'.
///
/// # Errors
/// When a machine decides otherwise than its log says, or a driver broke a promise.
pub(super) fn check(evidence: &Path, case: &Case) -> Result<(), String> {
    let Installer::Selfhost(selfhost) = &case.installer;
    check_installer(evidence, &selfhost.policy)?;
    check_recoveries(evidence)?;
    match agent_of(case)? {
        Some(plan) => check_agents(evidence, &plan),
        None => Ok(()),
    }
}

fn check_installer(evidence: &Path, policy: &str) -> Result<(), String> {
    let Some(plan) = Plan::named(policy) else {
        return Ok(());
    };
    let file = evidence.join("cp-1").join("installer-log.ndjson");
    check_procedure(&file, &plan)
        .map_err(|error| format!("the installer's log does not follow from its policy: {error}"))
}

fn check_recoveries(evidence: &Path) -> Result<(), String> {
    let Some(plan) = Plan::named(Plan::RECOVERY) else {
        return Ok(());
    };
    for folder in std::fs::read_dir(evidence).into_iter().flatten().flatten() {
        let file = folder.path().join("recovery-log.ndjson");
        check_procedure(&file, &plan).map_err(|error| {
            let node = folder.file_name();
            let node = node.to_string_lossy();
            format!("the log of {node}'s recovery does not follow from its policy: {error}")
        })?;
    }
    Ok(())
}

fn check_procedure(file: &Path, plan: &Plan) -> Result<(), String> {
    let Ok(text) = std::fs::read_to_string(file) else {
        // Nothing ran there, or the node was off when evidence was taken, which the evidence says itself.
        return Ok(());
    };
    let whole = whole_lines(&text);
    if whole.is_empty() {
        return Ok(());
    }
    let log = read_log(&whole).map_err(|error| format!("{}: {error}", file.display()))?;
    check_log(plan, &log).map_err(|error| error.to_string())
}

fn check_agents(evidence: &Path, plan: &AgentPlan) -> Result<(), String> {
    for folder in std::fs::read_dir(evidence).into_iter().flatten().flatten() {
        let file = folder.path().join("agent-log.ndjson");
        let Ok(text) = std::fs::read_to_string(&file) else {
            // No agent acted there, or the node was off.
            continue;
        };
        let log = checkpoint::read_log(&whole_lines(&text))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        checkpoint::replay(plan, &log).map_err(|error| {
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
            super::check_installer(folder.path(), "modern"),
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
        assert_eq!(super::check_installer(folder.path(), "modern"), Ok(()));
        let silent = pivot::LogEntry::Resumed {
            durable: None,
            effects: pivot::Effects::none(),
        };
        std::fs::write(&file, silent.to_line() + "\n").unwrap();
        assert!(super::check_installer(folder.path(), "modern").is_err());
    }

    #[test]
    fn a_recoverys_log_that_decides_otherwise_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("cp-3")).unwrap();
        let file = folder.path().join("cp-3/recovery-log.ndjson");
        let plan = pivot::Plan::named(pivot::Plan::RECOVERY).unwrap();
        let (_, effects) = pivot::resume(&plan, None);
        for (effects, follows) in [(effects, true), (pivot::Effects::none(), false)] {
            let resumed = pivot::LogEntry::Resumed {
                durable: None,
                effects,
            };
            std::fs::write(&file, resumed.to_line() + "\n").unwrap();
            assert_eq!(super::check_recoveries(folder.path()).is_ok(), follows);
        }
    }

    #[test]
    fn an_agents_log_that_decides_otherwise_is_noticed() {
        use pivot::checkpoint::{Effects, Input, LogEntry, Timer, begin, modern_agent, step};
        use terms::Component;

        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("cp-2")).unwrap();
        let file = folder.path().join("cp-2/agent-log.ndjson");
        let (plan, component) = (modern_agent(), Component::KubeApiserver);
        let facts = pivot::checkpoint::Facts {
            saved: pivot::checkpoint::Saved::Complete,
            parent_runs: pivot::checkpoint::Known::No,
            copy_runs: pivot::checkpoint::Known::No,
            ..Default::default()
        };
        let input = Input::Facts(facts);
        let (_, effects) = step(&plan, component, begin(), input);
        assert!(
            effects
                .iter()
                .any(|effect| effect == pivot::checkpoint::Effect::Arm(Timer::Absent))
        );
        let write = |effects| {
            let stepped = LogEntry::Stepped {
                component,
                input,
                effects,
            };
            let text = format!("{}\n{}\n", LogEntry::Began.to_line(), stepped.to_line());
            std::fs::write(&file, text).unwrap();
        };
        write(effects);
        assert_eq!(super::check_agents(folder.path(), &plan), Ok(()));
        write(Effects::none());
        assert!(super::check_agents(folder.path(), &plan).is_err());
    }
}
