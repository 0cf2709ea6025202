//! An operation of an installer as a systemd unit of a node: started, watched, and told apart by
//! how it ended.

use std::collections::BTreeMap;
use std::time::Duration;

use oracle::observation::OperationEnd;
use terms::{Moment, StepName};

use crate::cluster::{ClusterError, Node};

/// How long a release may take.
const RELEASE_DEADLINE: Duration = Duration::from_secs(15);

/// An address at which the installer waits until it is released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldPoint {
    /// The step.
    pub step: StepName,
    /// Which side of it.
    pub moment: Moment,
    /// Which time it is reached, from 1.
    pub occurrence: u32,
}

impl HoldPoint {
    /// The address of a timeline's entry.
    pub fn of(at: &scenarios::At) -> Self {
        Self {
            step: at.step.clone(),
            moment: at.moment,
            occurrence: at.occurrence,
        }
    }

    /// As the installer's command line takes it.
    pub fn argument(&self) -> String {
        format!("{}:{}:{}", self.step, self.moment, self.occurrence)
    }

    /// Releases whoever is held here and listens to this pipe on the node.
    ///
    /// # Errors
    /// When nobody reads the pipe, or the node does not run.
    pub async fn release(&self, node: &Node, control: &str) -> Result<(), ClusterError> {
        // Opening a pipe that nobody reads would wait for ever: the shell is given a deadline.
        let shell = format!("echo 'release {}:{}' > {control}", self.step, self.moment);
        node.exec_ok(["timeout", "5", "sh", "-c", &shell], RELEASE_DEADLINE)
            .await?;
        Ok(())
    }
}

/// What systemd says of the installer's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitState {
    /// It has not been started since the node booted.
    NotStarted,
    /// It runs.
    Running,
    /// It ended.
    Ended(OperationEnd),
}

/// How a process ended, in the words of `ExecMainCode`: exited.
const CODE_EXITED: &str = "1";

impl UnitState {
    /// Properties that are asked for.
    pub const PROPERTIES: &'static str = "ActiveState,ExecMainCode,ExecMainStatus";

    /// Reads the answer of `systemctl show`.
    pub fn parse(answer: &str) -> Option<Self> {
        let properties: BTreeMap<&str, &str> = answer
            .lines()
            .filter_map(|line| line.trim().split_once('='))
            .collect();
        let active = *properties.get("ActiveState")?;
        let code = *properties.get("ExecMainCode")?;
        let status = *properties.get("ExecMainStatus")?;
        Some(match active {
            "active" | "activating" | "reloading" | "deactivating" => Self::Running,
            _ if code == "0" => Self::NotStarted,
            _ if code == CODE_EXITED => Self::Ended(exit_status(status)),
            _ => Self::Ended(OperationEnd::Killed),
        })
    }
}

/// The reference installer's exit codes.
pub(super) fn exit_status(status: &str) -> OperationEnd {
    match status {
        "0" => OperationEnd::Done,
        "3" => OperationEnd::Holding,
        "4" => OperationEnd::Refused,
        "143" => OperationEnd::Killed,
        _ => OperationEnd::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(active: &str, code: &str, status: &str) -> Option<UnitState> {
        UnitState::parse(&format!(
            "ActiveState={active}\nExecMainCode={code}\nExecMainStatus={status}\n"
        ))
    }

    #[test]
    fn a_unit_that_never_ran_since_the_boot_is_not_done() {
        assert_eq!(state("inactive", "0", "0"), Some(UnitState::NotStarted));
        assert_eq!(
            state("inactive", "1", "0"),
            Some(UnitState::Ended(OperationEnd::Done))
        );
        assert_eq!(
            state("failed", "1", "3"),
            Some(UnitState::Ended(OperationEnd::Holding))
        );
        assert_eq!(
            state("failed", "2", "9"),
            Some(UnitState::Ended(OperationEnd::Killed))
        );
        assert_eq!(state("active", "0", "0"), Some(UnitState::Running));
        assert_eq!(UnitState::parse("nonsense"), None);
    }
}
