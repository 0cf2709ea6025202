//! Exit codes, and how an error that ends a command is printed.

use crate::console::lines::tell;
use std::error::Error;
use std::process::ExitCode;

/// What a command ended with. The numbers are contract: other people's scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// At least one case passed and nothing else went wrong.
    Success = 0,
    /// Something failed.
    Failed = 1,
    /// Something was inconclusive, or nothing was judged.
    Inconclusive = 2,
    /// The command line or a file is wrong; nothing was started.
    Usage = 64,
    /// This host cannot do it; nothing was started.
    Unavailable = 69,
    /// Interrupted by Ctrl-C or SIGTERM.
    Interrupted = 130,
}

/// An error that ends a command, with the code that it ends with.
#[derive(Debug)]
pub struct Failure {
    /// The code to end with.
    pub exit: Exit,
    /// What went wrong; printed with its chain of causes.
    pub error: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// Ends the command with `exit` because of `error`.
    pub fn new(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            exit,
            error: error.into(),
        }
    }
}

/// What a verb returns.
pub type Outcome = Result<Exit, Failure>;

/// Prints an error and its causes, one a line, and turns the outcome into the process's code.
pub fn report(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(failure) => {
            tell!("error: {}", failure.error);
            let mut cause = failure.error.source();
            while let Some(current) = cause {
                tell!("  because: {current}");
                cause = current.source();
            }
            ExitCode::from(failure.exit as u8)
        }
    }
}
