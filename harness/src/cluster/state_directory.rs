//! What is kept on the host about clusters that outlive the command which made them.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::ClusterError;

/// The directory of one cluster: `$XDG_STATE_HOME/chrysalis/clusters/<name>`, or the same below
/// `~/.local/state`. Only its owner may look inside, because administrator kubeconfigs lie there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDirectory {
    path: PathBuf,
}

impl StateDirectory {
    /// The directory of this cluster, whether it exists or not.
    pub fn of(cluster: &str) -> Self {
        Self {
            path: clusters().join(cluster),
        }
    }

    /// The clusters for which there is a directory, sorted.
    pub fn list() -> Vec<String> {
        let entries = fs::read_dir(clusters()).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// Where the administrator's kubeconfig lies.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path.join("kubeconfig")
    }

    /// Where the escrow of the cluster lies, a tar archive: what a recovery needs.
    pub fn escrow(&self) -> PathBuf {
        self.path.join("escrow.tar")
    }

    /// Writes a file that only its owner may read, making the directory first.
    ///
    /// # Errors
    /// When the file system does not let us.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), ClusterError> {
        let failed = |doing, path: &Path| {
            let path = path.display().to_string();
            move |source| ClusterError::File {
                doing,
                path,
                source,
            }
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder
            .create(&self.path)
            .map_err(failed("make directory", &self.path))?;
        // Written beside and renamed, so that a reader never sees half a file.
        let beside = path.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&beside).map_err(failed("open", &beside))?;
        file.write_all(bytes).map_err(failed("write", &beside))?;
        fs::rename(&beside, path).map_err(failed("rename a new file to", path))
    }

    /// Removes the directory. One that is not there counts as removed.
    ///
    /// # Errors
    /// When the file system does not let us.
    pub fn remove(&self) -> Result<(), ClusterError> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let path = self.path.display().to_string();
                Err(ClusterError::File {
                    doing: "remove",
                    path,
                    source: error,
                })
            }
            _ => Ok(()),
        }
    }
}

fn clusters() -> PathBuf {
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|p| p.is_absolute());
    let state = state
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    // Without a home there is still a place that belongs to this user alone until the next boot.
    let state = state.unwrap_or_else(|| {
        PathBuf::from(format!("/run/user/{}", rustix::process::getuid().as_raw()))
    });
    state.join("chrysalis/clusters")
}
