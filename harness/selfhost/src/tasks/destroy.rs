//! The end: everything secret is destroyed, and stays destroyed if the process dies in the middle.

use std::fs::OpenOptions;

use pivot::{Task, Why};

use super::{Answer, Tasks};
use crate::durable_file::{self, FileError};
use crate::layout::Layout;

/// Destroys the stash, the assets and with them the installer's own credentials.
///
/// A breadcrumb goes first: whoever is started after a kill in the middle has no credentials left to
/// verify anything with, but knows from it that all was verified, and finishes.
pub(super) fn destroy_stash(layout: &Layout) -> Answer {
    let destroyed = || -> Result<(), FileError> {
        let breadcrumb = layout.destroying();
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&breadcrumb)
            .and_then(|file| file.sync_all())
            .map_err(FileError::when("create", &breadcrumb))?;
        durable_file::sync_directory(&layout.state)?;
        for directory in [&layout.stash, &layout.staging, &layout.assets] {
            durable_file::remove_tree_if_present(directory)?;
            if let Some(parent) = directory.parent().filter(|parent| parent.is_dir()) {
                durable_file::sync_directory(parent)?;
            }
        }
        Ok(())
    };
    destroyed().into()
}

/// Performs what is left once destruction has begun: verification was done before it.
pub(crate) struct DestroyedTasks {
    layout: Layout,
}

impl DestroyedTasks {
    /// Tasks of a node on which destruction had begun.
    pub(crate) fn new(layout: Layout) -> Self {
        Self { layout }
    }
}

impl Tasks for DestroyedTasks {
    async fn perform(&self, task: Task) -> Answer {
        match task {
            Task::VerifyApi => Answer::done(),
            Task::DestroyStash => destroy_stash(&self.layout),
            _ => Answer::failed(Why::Disk, "the assets were destroyed after a verification"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn secrets_go_and_records_stay_however_often() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::below(
            root.path(),
            &root.path().join("assets"),
            &root.path().join("state"),
        );
        for directory in [
            &layout.stash,
            &layout.staging,
            &layout.assets,
            &layout.state,
        ] {
            fs::create_dir_all(directory).unwrap();
            fs::write(directory.join("file"), "content").unwrap();
        }
        for _ in 0..2 {
            assert_eq!(destroy_stash(&layout), Answer::done());
            assert!(!layout.stash.exists() && !layout.staging.exists() && !layout.assets.exists());
            assert!(layout.state.join("file").exists() && layout.destroying().exists());
        }
    }
}
