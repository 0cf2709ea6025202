//! Which cases a command is about: the arguments that `run` and `plan` share, so that what was
//! planned is what is run.

use std::path::PathBuf;

use clap::Args;
use scenarios::{
    Overrides, Plan, Selection, Shard, expand, load, read_expectation, read_installer,
};

use super::exit::{Exit, Failure};

/// Files, and what is taken of them.
#[derive(Args, Debug)]
pub struct SelectionArguments {
    /// Scenario files, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only cases with one of these tags.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Only cases with this id or name, or of the scenario with this name.
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// Take the installer of this file for every case instead of its own.
    #[arg(long, value_name = "FILE")]
    installer: Option<PathBuf>,
    /// What to expect of that installer, such as '{ ends: done, violated: [] }'.
    #[arg(long, value_name = "YAML", requires = "installer")]
    expect: Option<String>,
    /// Only part I of N of the cases, such as 1/4.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// What every draw begins with.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Take each case this often; in a run, disagreement is a failure.
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: u32,
}

impl SelectionArguments {
    /// Reads and checks everything, and expands it into cases.
    ///
    /// # Errors
    /// Every mistake in every file, or arguments that select nothing; both are usage errors.
    pub fn plan(&self) -> Result<Plan, Failure> {
        let usage = |error| Failure::new(Exit::Usage, error);
        let installer = self.installer.as_deref().map(read_installer);
        let expect = self.expect.as_deref().map(read_expectation);
        let overrides = Overrides {
            installer: installer.transpose().map_err(usage)?,
            expect: expect.transpose().map_err(usage)?,
        };
        let scenarios = load(&self.paths, &overrides).map_err(usage)?;
        let selection = Selection {
            tags: self.tags.clone(),
            cases: self.cases.clone(),
            seed: self.seed,
            repeat: self.repeat,
            shard: self.shard,
        };
        expand(&scenarios, &selection).map_err(|error| Failure::new(Exit::Usage, error))
    }
}
