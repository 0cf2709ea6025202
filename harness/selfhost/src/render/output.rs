//! The directory that everything is written into: empty before, private throughout.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Mode of every file: all are credentials or stand beside some.
const FILE_MODE: u32 = 0o600;
/// Mode of every directory of ours.
const DIRECTORY_MODE: u32 = 0o700;
/// Mode of a directory that stands for one of a node's own: whoever unpacks the tree
/// with its modes must not lock everybody but root out of the node's `/etc`.
const SYSTEM_DIRECTORY_MODE: u32 = 0o755;
/// The directories of a node that belong to its system and not to the installer.
const SYSTEM_DIRECTORIES: &[&str] = &[
    "etc",
    "etc/systemd",
    "etc/systemd/system",
    "etc/systemd/system/kubelet.service.d",
    "var",
    "var/lib",
];

/// An output directory that was empty when rendering began.
#[derive(Debug)]
pub(crate) struct Output {
    root: PathBuf,
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// Something is there already; rendering twice would mix two sets of credentials.
    #[error("{} is not empty (it holds `{found}`); give a new directory with --out, or remove this one", path.display())]
    NotEmpty {
        /// The directory asked for.
        path: PathBuf,
        /// One of the entries found.
        found: String,
    },
    /// The system refused.
    #[error("cannot write {}; check that the directory may be written and the disk has room", path.display())]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl OutputError {
    /// Whether the person asked for something wrong, as opposed to the system failing.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::NotEmpty { .. })
    }
}

impl Output {
    /// Makes `root`, or takes it over if it is there and empty.
    ///
    /// # Errors
    /// Refuses a directory with anything in it.
    pub(crate) fn create(root: &Path) -> Result<Self, OutputError> {
        let refused = |source| OutputError::Refused {
            path: root.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(root)
            .map_err(refused)?;
        if let Some(entry) = std::fs::read_dir(root).map_err(refused)?.next() {
            let found = entry
                .map_err(refused)?
                .file_name()
                .to_string_lossy()
                .into_owned();
            return Err(OutputError::NotEmpty {
                path: root.to_owned(),
                found,
            });
        }
        // A directory that was there already may be open to others.
        std::fs::set_permissions(root, Permissions::from_mode(DIRECTORY_MODE)).map_err(refused)?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Writes a file at `path`, relative to the root, and the directories above it.
    ///
    /// # Errors
    /// Names the file that could not be written; an existing file is never replaced.
    pub(crate) fn file(&self, path: &str, content: &str) -> Result<(), OutputError> {
        let parent = Path::new(path)
            .parent()
            .expect("a file's path has a directory");
        self.directory(&parent.to_string_lossy())?;
        let target = self.root.join(path);
        let refused = |source| OutputError::Refused {
            path: target.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&target)
            .map_err(refused)?;
        file.write_all(content.as_bytes()).map_err(refused)
    }

    /// Writes `value` as indented JSON at `path`.
    ///
    /// # Errors
    /// As [`Output::file`].
    pub(crate) fn json(&self, path: &str, value: &Value) -> Result<(), OutputError> {
        self.file(path, &format!("{value:#}\n"))
    }

    /// Copies what was written below one directory to another; names of links are not expected.
    ///
    /// # Errors
    /// As [`Output::file`].
    pub(crate) fn copy(&self, from: &str, to: &str) -> Result<(), OutputError> {
        let source = self.root.join(from);
        let refused = |source: std::io::Error, path: &Path| OutputError::Refused {
            path: path.to_owned(),
            source,
        };
        self.directory(to)?;
        for entry in std::fs::read_dir(&source).map_err(|error| refused(error, &source))? {
            let path = entry.map_err(|error| refused(error, &source))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let (inner, target) = (format!("{from}/{name}"), format!("{to}/{name}"));
            if path.is_dir() {
                self.copy(&inner, &target)?;
            } else {
                let content =
                    std::fs::read_to_string(&path).map_err(|error| refused(error, &path))?;
                self.file(&target, &content)?;
            }
        }
        Ok(())
    }

    /// Makes a directory, relative to the root, and those above it.
    ///
    /// # Errors
    /// Names the directory that could not be made.
    pub(crate) fn directory(&self, path: &str) -> Result<(), OutputError> {
        let mut below = PathBuf::new();
        for part in Path::new(path).components() {
            below.push(part);
            let target = self.root.join(&below);
            let made = DirBuilder::new()
                .mode(DIRECTORY_MODE)
                .create(&target)
                .and_then(|()| {
                    std::fs::set_permissions(&target, Permissions::from_mode(mode_of(&below)))
                });
            match made {
                Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(OutputError::Refused {
                        path: target,
                        source,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The mode of the directory at `path` below the root.
fn mode_of(path: &Path) -> u32 {
    // The escrow holds a copy of the nodes' trees.
    let mut parts = path.strip_prefix("escrow").unwrap_or(path).components();
    let within_node = match parts.next() {
        Some(first) if first.as_os_str() == "nodes" => parts.next().map(|_| parts.as_path()),
        _ => None,
    };
    match within_node {
        Some(inner)
            if SYSTEM_DIRECTORIES
                .iter()
                .any(|known| inner == Path::new(known)) =>
        {
            SYSTEM_DIRECTORY_MODE
        }
        _ => DIRECTORY_MODE,
    }
}
