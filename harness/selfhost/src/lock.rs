//! One installer at a time: a lock that dies with its process.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::durable_file::{FileError, private_directory};

/// Holds the state directory for as long as it lives. The kernel releases it when the process dies,
/// however it dies, so that nobody ever has to remove a stale lock.
#[derive(Debug)]
pub(crate) struct InstanceLock {
    _file: File,
}

/// The lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// Another process holds it.
    #[error(
        "another installer is running with the state directory {0}; wait for it, or stop it, and start again"
    )]
    Taken(String),
    /// The state directory cannot be used.
    #[error("the state directory cannot be locked")]
    Unusable(#[from] FileError),
}

impl InstanceLock {
    /// Takes the lock of a state directory, and creates the directory where there is none.
    ///
    /// # Errors
    /// [`LockError::Taken`] when another process has it; it does not wait.
    pub(crate) fn take(state: &Path) -> Result<Self, LockError> {
        let (file, path) = open(state)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(LockError::Taken(state.display().to_string()))
            }
            Err(error) => Err(FileError::when("lock", &path)(error.into()).into()),
        }
    }

    /// Waits for the lock of a directory, and creates the directory where there is none. Blocks its thread.
    ///
    /// # Errors
    /// Only when the directory cannot be used.
    pub(crate) fn wait(state: &Path) -> Result<Self, LockError> {
        let (file, path) = open(state)?;
        loop {
            match rustix::fs::flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(FileError::when("lock", &path)(error.into()).into()),
            }
        }
    }
}

fn open(state: &Path) -> Result<(File, PathBuf), FileError> {
    private_directory(state)?;
    let path = state.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(FileError::when("open", &path))?;
    Ok((file, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_installer_is_refused_until_the_first_is_gone() {
        let state = tempfile::tempdir().unwrap();
        let first = InstanceLock::take(state.path()).unwrap();
        assert!(matches!(
            InstanceLock::take(state.path()),
            Err(LockError::Taken(_))
        ));
        drop(first);
        InstanceLock::take(state.path()).unwrap();
    }
}
