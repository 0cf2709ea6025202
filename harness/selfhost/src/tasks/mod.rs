//! What the machine asks to be done. Each task is idempotent: done again, it finds its work done.

mod apply;
mod canary;
mod cluster_tasks;
mod destroy;
mod label;
mod local;
mod purge;
mod reclaim;
mod verify;

use std::future::Future;

use pivot::{Outcome, Task, Why};

pub(crate) use cluster_tasks::ClusterTasks;
pub(crate) use destroy::DestroyedTasks;
pub(crate) use label::label;

use crate::durable_file::FileError;

/// How a task ended, in the machine's terms and in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What the machine is told.
    pub(crate) outcome: Outcome,
    /// What a person is told; nothing when all went well.
    pub(crate) detail: Option<String>,
}

/// Performs tasks.
pub(crate) trait Tasks: Send + Sync + 'static {
    /// Performs a task to its end.
    ///
    /// # Cancel safety
    /// Given up at any point, it has done a part of its work; done again, it does the rest.
    fn perform(&self, task: Task) -> impl Future<Output = Answer> + Send;
}

impl Answer {
    /// It is done.
    pub(crate) const fn done() -> Self {
        Self {
            outcome: Outcome::Done,
            detail: None,
        }
    }

    /// It was refused, and will be again.
    pub(crate) fn refused(why: Why, detail: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Refused(why),
            detail: Some(detail.into()),
        }
    }

    /// It failed, and may succeed later.
    pub(crate) fn failed(why: Why, detail: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Failed(why),
            detail: Some(detail.into()),
        }
    }

    /// What an API error means for what was being done: a refused object stays refused, all else may pass.
    fn of_api_error(doing: &str, error: &kube::Error) -> Self {
        let detail = format!("{doing}: {}", chain(error));
        match error {
            // 400 malformed, 405 and 415 not understood, 413 too large, 422 invalid.
            kube::Error::Api(status) if matches!(status.code, 400 | 405 | 413 | 415 | 422) => {
                Self::refused(Why::ObjectRefused, detail)
            }
            _ => Self::failed(Why::ApiUnreachable, detail),
        }
    }
}

impl From<Result<(), FileError>> for Answer {
    fn from(result: Result<(), FileError>) -> Self {
        match result {
            Ok(()) => Self::done(),
            Err(error) => Self::failed(Why::Disk, chain(&error)),
        }
    }
}

/// An error with all its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let said = source.to_string();
        // Some libraries repeat their cause.
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = source.source();
    }
    text
}
