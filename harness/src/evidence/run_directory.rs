//! A run's directory: where it is, and what lies where in it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::folder_name::folder_name;
use super::planned_case::PlanFile;

/// The directory of a run: `plan.json`, `lock.json`, `run.json`, one folder a case, and reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDirectory {
    root: PathBuf,
}

/// Why a run's directory cannot be made, opened or read.
#[derive(Debug, thiserror::Error)]
pub enum RunDirectoryError {
    /// It is not there.
    #[error("there is no {0}: name the directory of a run, such as `runs/latest`")]
    Missing(PathBuf),
    /// It is not one.
    #[error("{0} is not a run directory: it has no plan.json; name one such as `runs/latest`")]
    NotARun(PathBuf),
    /// It is a file.
    #[error(
        "{0} is a file, not a run directory; name the directory that holds the run's plan.json"
    )]
    IsAFile(PathBuf),
    /// `--out` names a directory that holds something.
    #[error("{0} is not empty: name a directory that is not there yet, or empty it first")]
    NotEmpty(PathBuf),
    /// No name is free.
    #[error("every name from {0} to {0}-99 is taken; give the run another name")]
    NoFreeName(PathBuf),
    /// Something in the file system failed.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// How it failed.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} is damaged, or written by another version: {source}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// How.
        source: serde_json::Error,
    },
}

/// The outcome of what touches a run's directory.
pub type Result<T> = std::result::Result<T, RunDirectoryError>;

/// Names the operation and the place of an error of the file system.
fn failed<'a>(
    doing: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> RunDirectoryError + 'a {
    move |source| RunDirectoryError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

impl RunDirectory {
    // === making one ===

    /// Makes `<parent>/<start>-<name>`, and points `<parent>/latest` at it.
    ///
    /// A second run of the same name within a second gets `-2` at its end, and so on.
    ///
    /// # Errors
    /// When the file system refuses, or a hundred such runs are there.
    pub fn create(parent: &Path, started: Timestamp, name: &str) -> Result<Self> {
        fs::create_dir_all(parent).map_err(failed("make", parent))?;
        let base = format!(
            "{}-{}",
            started.strftime("%Y%m%dT%H%M%SZ"),
            folder_name(name)
        );
        for number in 1..100 {
            let folder = if number == 1 {
                base.clone()
            } else {
                format!("{base}-{number}")
            };
            let root = parent.join(&folder);
            match fs::create_dir(&root) {
                Ok(()) => {
                    point_latest(parent, &folder)?;
                    return Ok(Self { root });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("make", &root)(error)),
            }
        }
        Err(RunDirectoryError::NoFreeName(parent.join(base)))
    }

    /// Makes the directory that `--out` names.
    ///
    /// # Errors
    /// When it is there and not empty, is a file, or the file system refuses.
    pub fn create_at(root: &Path) -> Result<Self> {
        if root.is_file() {
            return Err(RunDirectoryError::IsAFile(root.to_owned()));
        }
        fs::create_dir_all(root).map_err(failed("make", root))?;
        let mut entries = fs::read_dir(root).map_err(failed("read", root))?;
        if entries.next().is_some() {
            return Err(RunDirectoryError::NotEmpty(root.to_owned()));
        }
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Opens the directory of an earlier run.
    ///
    /// # Errors
    /// When it is missing, or is no run's directory.
    pub fn open(root: &Path) -> Result<Self> {
        match fs::metadata(root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(RunDirectoryError::Missing(root.to_owned()))
            }
            Err(error) => Err(failed("look at", root)(error)),
            Ok(metadata) if metadata.is_file() => Err(RunDirectoryError::IsAFile(root.to_owned())),
            Ok(_) if !root.join("plan.json").is_file() => {
                Err(RunDirectoryError::NotARun(root.to_owned()))
            }
            Ok(_) => Ok(Self {
                root: root.to_owned(),
            }),
        }
    }

    // === places ===

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file of the run as a whole, such as `plan.json`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The folder of a case.
    pub fn case(&self, id: &str) -> PathBuf {
        self.root.join(folder_name(id))
    }

    /// A case's observations.
    pub fn events(&self, id: &str) -> PathBuf {
        self.case(id).join("events.ndjson")
    }

    /// A case's verdict.
    pub fn verdict(&self, id: &str) -> PathBuf {
        self.case(id).join("verdict.json")
    }

    /// What a case was.
    pub fn case_record(&self, id: &str) -> PathBuf {
        self.case(id).join("case.json")
    }

    /// The folder of a case's logs, manifests and the like.
    pub fn evidence(&self, id: &str) -> PathBuf {
        self.case(id).join("evidence")
    }

    /// Makes the folders of a case.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn make_case(&self, id: &str) -> Result<PathBuf> {
        let evidence = self.evidence(id);
        fs::create_dir_all(&evidence).map_err(failed("make", &evidence))?;
        Ok(self.case(id))
    }

    // === contents ===

    /// The run's plan, as far as reports need it.
    ///
    /// # Errors
    /// When `plan.json` cannot be read or understood.
    pub fn plan(&self) -> Result<PlanFile> {
        let plan: Option<PlanFile> = read_json(&self.file("plan.json"))?;
        plan.ok_or_else(|| RunDirectoryError::NotARun(self.root.clone()))
    }
}

/// Points `<parent>/latest` at a folder, without a moment in which it is missing.
fn point_latest(parent: &Path, folder: &str) -> Result<()> {
    let latest = parent.join("latest");
    let next = parent.join(format!(".latest-{folder}"));
    std::os::unix::fs::symlink(folder, &next).map_err(failed("make the link", &next))?;
    fs::rename(&next, &latest).map_err(|error| {
        // The half-made link is ours, and of no use to anybody.
        let _ = fs::remove_file(&next);
        failed("replace the link", &latest)(error)
    })
}

/// Reads a JSON file; none when it is not there.
///
/// # Errors
/// When it cannot be read or understood.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path)(error)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| RunDirectoryError::Damaged {
            path: path.to_owned(),
            source,
        })
}

/// Writes a whole file: after a crash the old one is there, or the new one, never half of one.
///
/// # Errors
/// When the file system refuses; the old file is then untouched.
pub fn write_whole(path: &Path, contents: &str) -> Result<()> {
    let mut next = path.as_os_str().to_owned();
    next.push(".next");
    let next = PathBuf::from(next);
    let write = || {
        let mut file = fs::File::create(&next)?;
        file.write_all(contents.as_bytes())?;
        file.sync_all()?;
        fs::rename(&next, path)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&next);
        failed("write", path)(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> Timestamp {
        "2026-08-21T10:02:33Z".parse().unwrap()
    }

    #[test]
    fn two_runs_of_one_second_get_two_directories_and_the_later_is_the_latest() {
        let parent = tempfile::tempdir().unwrap();
        let runs = parent.path().join("runs");
        let one = RunDirectory::create(&runs, started(), "gate").unwrap();
        let two = RunDirectory::create(&runs, started(), "gate").unwrap();
        assert_eq!(one.root(), runs.join("20260821T100233Z-gate"));
        assert_eq!(two.root(), runs.join("20260821T100233Z-gate-2"));
        assert_eq!(
            fs::read_link(runs.join("latest")).unwrap(),
            Path::new("20260821T100233Z-gate-2")
        );
    }

    #[test]
    fn out_is_refused_when_somebody_has_something_there() {
        let parent = tempfile::tempdir().unwrap();
        let place = parent.path().join("a/b");
        RunDirectory::create_at(&place).unwrap();
        RunDirectory::create_at(&place).unwrap();
        fs::write(place.join("x"), "").unwrap();
        let error = RunDirectory::create_at(&place).unwrap_err();
        assert!(matches!(error, RunDirectoryError::NotEmpty(_)), "{error}");
        let error = RunDirectory::create_at(&place.join("x")).unwrap_err();
        assert!(matches!(error, RunDirectoryError::IsAFile(_)), "{error}");
    }

    #[test]
    fn what_is_no_run_is_refused_with_the_way_out() {
        let place = tempfile::tempdir().unwrap();
        let missing = RunDirectory::open(&place.path().join("x")).unwrap_err();
        assert!(
            matches!(missing, RunDirectoryError::Missing(_)),
            "{missing}"
        );
        let error = RunDirectory::open(place.path()).unwrap_err().to_string();
        assert!(
            error.contains("is not a run directory: it has no plan.json"),
            "{error}"
        );
        fs::write(place.path().join("plan.json"), "{}").unwrap();
        let run = RunDirectory::open(place.path()).unwrap();
        let error = run.plan().unwrap_err().to_string();
        assert!(error.contains("plan.json is damaged"), "{error}");
    }

    #[test]
    fn a_whole_file_replaces_the_old_one_and_leaves_nothing_beside_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("verdict.json");
        write_whole(&path, "one").unwrap();
        write_whole(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        let error = write_whole(&place.path().join("no/such"), "x").unwrap_err();
        assert!(error.to_string().starts_with("cannot write"), "{error}");
    }
}
