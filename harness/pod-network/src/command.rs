//! Programs of the node: `ip`, `bridge`, `iptables`. Each has a deadline.
//!
//! The agent's image holds nothing but the agent. It sees the node's root directory and runs the
//! node's programs there, which also makes sure that it uses the same kind of iptables as the
//! node's other users do. Changing root concerns a process as a whole, so the agent starts itself
//! once more for each program.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// Where the node's root directory is mounted; without it the programs of the image are used.
const NODE_ROOT: &str = "/host";
/// The first argument of the agent when it is to run a program of the node.
pub(crate) const IN_NODE: &str = "--in-node";
/// Where programs are looked for.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Time for one program, in seconds. They take milliseconds, or wait for a lock.
const DEADLINE_S: u64 = 10;

/// Why a program did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// It could not be started.
    #[error(
        "cannot start `{line}`; the node needs iproute2 and iptables, and its root mounted at {NODE_ROOT}"
    )]
    NotStarted {
        /// The program and its arguments.
        line: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It did not end in time.
    #[error("`{line}` did not end within {DEADLINE_S} s")]
    TooSlow {
        /// The program and its arguments.
        line: String,
    },
    /// It said no.
    #[error("`{line}` failed: {said}")]
    Refused {
        /// The program and its arguments.
        line: String,
        /// Its error output.
        said: String,
    },
}

/// Runs `line`, split at spaces, on the node and gives what it printed.
///
/// # Errors
/// If it cannot be started, does not end in time, or ends with an error.
pub(crate) async fn run(line: &str) -> Result<String, CommandError> {
    let mut command = if Path::new(NODE_ROOT).is_dir() {
        let mut command = Command::new("/proc/self/exe");
        command.arg(IN_NODE).args(line.split_whitespace());
        command
    } else {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().expect("a command line has a program"));
        command.args(words);
        command
    };
    command
        .env("PATH", SEARCH_PATH)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(DEADLINE_S), command.output())
        .await
        .map_err(|_| CommandError::TooSlow {
            line: line.to_owned(),
        })?
        .map_err(|source| CommandError::NotStarted {
            line: line.to_owned(),
            source,
        })?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(CommandError::Refused {
            line: line.to_owned(),
            said,
        })
    }
}

/// Turns this process into a program of the node; comes back only if that fails.
pub(crate) fn become_program(words: &[OsString]) -> std::io::Error {
    let Some((program, arguments)) = words.split_first() else {
        return std::io::Error::other("no program is named");
    };
    let entered =
        std::os::unix::fs::chroot(NODE_ROOT).and_then(|()| std::env::set_current_dir("/"));
    match entered {
        Err(error) => error,
        Ok(()) => std::process::Command::new(program).args(arguments).exec(),
    }
}
