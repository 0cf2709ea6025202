//! Where finished results of stages are kept between builds.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{ImageError, Progress};

/// A directory of results, each named after the hash of its inputs. A result appears under its
/// name only when it is complete, so whoever is killed leaves nothing that looks finished.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    /// Held as long as this value lives; the system lets go of it when the process dies.
    _lock: fs::File,
}

/// How long another build is waited for: longer than a build from nothing takes.
const LOCK_DEADLINE: Duration = Duration::from_secs(45 * 60);

impl Cache {
    /// `$XDG_CACHE_HOME/chrysalis`, or `~/.cache/chrysalis`.
    ///
    /// # Errors
    /// When neither variable is set.
    pub(crate) fn default_directory() -> Result<PathBuf, ImageError> {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        set("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache")))
            .map(|above| above.join("chrysalis"))
            .ok_or(ImageError::Missing {
                command: "a cache directory",
                way_out: "set HOME or XDG_CACHE_HOME, or name one with --cache DIR",
            })
    }

    /// Opens the cache for this process alone; waits while another has it.
    pub(crate) async fn open(
        directory: &Path,
        say: &(dyn Fn(Progress) + Sync),
        stop: &CancellationToken,
    ) -> Result<Self, ImageError> {
        let making = format!("make the cache directory {}", directory.display());
        fs::create_dir_all(directory.join("logs")).map_err(ImageError::file(making))?;
        let path = directory.join("lock");
        let locking = || format!("lock {}", path.display());
        let lock = fs::File::create(&path).map_err(ImageError::file(locking()))?;
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(fs::TryLockError::Error(error)) => {
                    return Err(ImageError::file(locking())(error));
                }
                Err(fs::TryLockError::WouldBlock) if begun.elapsed() > LOCK_DEADLINE => {
                    return Err(ImageError::Locked {
                        path,
                        waited_s: LOCK_DEADLINE.as_secs(),
                    });
                }
                Err(fs::TryLockError::WouldBlock) => {}
            }
            if begun.elapsed() < POLL {
                say(Progress::Waiting);
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = stop.cancelled() => return Err(ImageError::Interrupted),
            }
        }
        let cache = Self {
            directory: directory.to_owned(),
            _lock: lock,
        };
        cache.remove_unfinished()?;
        Ok(cache)
    }

    /// Where a result is, or will be.
    pub(crate) fn finished(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Where a result is made until it is complete.
    pub(crate) fn unfinished(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{UNFINISHED}{name}"))
    }

    /// Gives a complete result its name.
    pub(crate) fn keep(&self, name: &str) -> Result<PathBuf, ImageError> {
        let finished = self.finished(name);
        let doing = format!("rename a finished result to {}", finished.display());
        fs::rename(self.unfinished(name), &finished).map_err(ImageError::file(doing))?;
        Ok(finished)
    }

    /// Where a stage's output is written.
    pub(crate) fn log(&self, stage: &str) -> PathBuf {
        self.directory.join("logs").join(format!("{stage}.log"))
    }

    /// Removes what is half made, by this build or by one that was killed. The lock is held, so
    /// nobody works on it.
    pub(crate) fn remove_unfinished(&self) -> Result<(), ImageError> {
        let remove = || {
            for entry in fs::read_dir(&self.directory)? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                    if entry.file_type()?.is_dir() {
                        fs::remove_dir_all(entry.path())?;
                    } else {
                        fs::remove_file(entry.path())?;
                    }
                }
            }
            Ok(())
        };
        let doing = format!("remove what is half made in {}", self.directory.display());
        remove().map_err(ImageError::file(doing))
    }
}

/// How often the lock is tried.
const POLL: Duration = Duration::from_millis(200);
/// How the names of results begin that are being made.
const UNFINISHED: &str = "unfinished-";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_complete_results_survive() {
        let root = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let cache = Cache::open(root.path(), &|_| {}, &stop).await.unwrap();
        fs::write(cache.unfinished("a"), "1").unwrap();
        fs::create_dir(cache.unfinished("b")).unwrap();
        assert!(!cache.finished("a").exists());
        cache.keep("a").unwrap();
        drop(cache);
        let cache = Cache::open(root.path(), &|_| {}, &stop).await.unwrap();
        assert!(cache.finished("a").exists());
        assert!(!cache.unfinished("b").exists());
    }

    #[tokio::test]
    async fn a_second_build_waits_and_can_be_interrupted() {
        let root = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let _held = Cache::open(root.path(), &|_| {}, &stop).await.unwrap();
        let waiting = |said: Progress| {
            assert_eq!(said, Progress::Waiting);
            stop.cancel();
        };
        let refused = Cache::open(root.path(), &waiting, &stop).await;
        assert!(matches!(refused, Err(ImageError::Interrupted)));
    }
}
