//! Commands of others that are run on the node: etcdctl and etcdutl.

use std::time::Duration;

use tokio::process::Command;

/// How long a command may take: a snapshot of a large etcd is some gigabytes.
const DEADLINE: Duration = Duration::from_secs(300);

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolError {
    /// It cannot be started.
    #[error("cannot run {program}; it lies in the node image under /usr/local/bin")]
    NotStarted {
        /// The command.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It said that it failed.
    #[error("{command} failed: {said}")]
    Failed {
        /// The command and its arguments.
        command: String,
        /// The end of what it said.
        said: String,
    },
    /// It took too long.
    #[error("{command} did not end within {DEADLINE:?}")]
    Overdue {
        /// The command and its arguments.
        command: String,
    },
}

/// Runs a command to its end and gives its standard output.
///
/// # Errors
/// When it cannot be started, fails or takes too long; it is then killed.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> Result<String, ToolError> {
    let command = || format!("{program} {}", arguments.join(" "));
    let running = Command::new(program)
        .args(arguments)
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(DEADLINE, running).await;
    let ended = ended.map_err(|_| ToolError::Overdue { command: command() })?;
    let output = ended.map_err(|source| ToolError::NotStarted {
        program: program.to_owned(),
        source,
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let last = said.lines().next_back().unwrap_or_default();
    Err(ToolError::Failed {
        command: command(),
        said: last.chars().take(500).collect(),
    })
}
