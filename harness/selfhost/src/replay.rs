//! `selfhost replay`: does the log of a real run follow from its plan?

use std::path::PathBuf;

use pivot::checkpoint;
use pivot::contract::{Broken, check_log};
use pivot::{LogError, read_log};

use crate::durable_file::FileError;
use crate::plan_file::{self, PolicyError};

/// What `selfhost replay` is told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Replay {
    /// The log of inputs and effects.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: PathBuf,
    /// It is a checkpoint agent's log, and the policy an agent's.
    #[arg(long)]
    pub(crate) agent: bool,
    /// The policy that was followed: a name or a file.
    #[arg(long, value_name = "NAME|FILE", default_value = "modern")]
    pub(crate) policy: String,
}

/// The log does not follow from the plan, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// The policy is none.
    #[error("the policy cannot be used")]
    Policy(#[from] PolicyError),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    File(#[from] FileError),
    /// The log has a line that is no entry.
    #[error("the log cannot be understood")]
    Log(#[from] LogError),
    /// The agent's log has a line that is no entry.
    #[error("the log cannot be understood")]
    AgentLog(#[from] checkpoint::LogError),
    /// The agent's machine decides otherwise.
    #[error("the log does not follow from the policy")]
    AgentDiffers(#[from] checkpoint::Mismatch),
    /// The machine decides otherwise, or the driver broke a promise.
    #[error("the log does not follow from the policy")]
    Differs(#[from] Broken),
}

impl ReplayError {
    /// 64 for a wrong command line, 1 for a log that does not replay.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::Policy(_)) {
            crate::USAGE
        } else {
            1
        }
    }
}

impl Replay {
    /// Gives every input to the machine again and compares the effects; says how many there were.
    ///
    /// # Errors
    /// The first difference.
    pub(crate) fn run(&self) -> Result<usize, ReplayError> {
        if self.agent {
            return self.run_agent();
        }
        let plan = plan_file::find(&self.policy)?;
        let text = std::fs::read_to_string(&self.log)
            .map_err(FileError::when("read the log", &self.log))?;
        let log = read_log(&text)?;
        check_log(&plan, &log)?;
        Ok(log.len())
    }

    fn run_agent(&self) -> Result<usize, ReplayError> {
        let plan = plan_file::find_agent(&self.policy)?;
        let text = std::fs::read_to_string(&self.log)
            .map_err(FileError::when("read the log", &self.log))?;
        let log = checkpoint::read_log(&text)?;
        checkpoint::replay(&plan, &log)?;
        Ok(log.len())
    }
}
