//! What survives a kill: whose cluster this is, which plan is followed, and how far it got.

use std::path::Path;

use pivot::Durable;
use serde::{Deserialize, Serialize};

use crate::durable_file::{self, FileError};

/// The content of `marker.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marker {
    /// Version of this record: 1.
    pub(crate) v: u32,
    /// The cluster: the SHA-256 of its certificate authority, in hexadecimal.
    pub(crate) cluster: String,
    /// The plan: the SHA-256 of its JSON form, in hexadecimal.
    pub(crate) plan: String,
    /// How far the machine got.
    pub(crate) durable: Durable,
}

/// The marker cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MarkerError {
    /// Reading or writing failed.
    #[error("the marker is not accessible")]
    File(#[from] FileError),
    /// It is not a marker of version 1.
    #[error(
        "{path} is not a marker that this version understands; it was written by something else or damaged, and starting over it could remove what is not ours: look at it, and move the state directory away if it is of no use"
    )]
    Malformed {
        /// The file.
        path: String,
        /// Where it is wrong.
        source: serde_json::Error,
    },
    /// It belongs to another cluster.
    #[error(
        "the marker in {0} belongs to another cluster; give each cluster a state directory of its own"
    )]
    OtherCluster(String),
    /// It was written under another plan.
    #[error(
        "the marker in {0} was written under another policy; go on with that policy, or move the state directory away"
    )]
    OtherPlan(String),
}

impl Marker {
    /// Reads the marker, if there is one.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, MarkerError> {
        let Some(content) = durable_file::read_if_present(path)? else {
            return Ok(None);
        };
        let marker: Self =
            serde_json::from_slice(&content).map_err(|source| MarkerError::Malformed {
                path: path.display().to_string(),
                source,
            })?;
        Ok(Some(marker))
    }

    /// Writes the marker so that after this call it survives a power cut: prepared beside it,
    /// synced, renamed, and the directory synced.
    ///
    /// # Errors
    /// Names the file; the old marker is then still whole.
    pub(crate) fn write(&self, path: &Path) -> Result<(), MarkerError> {
        let directory = path.parent().expect("a marker lies in the state directory");
        let content = serde_json::to_vec(self).expect("a marker is plain data");
        durable_file::place(directory, directory, "marker.json", &content)?;
        Ok(())
    }

    /// Checks that the marker is of this cluster and this plan.
    ///
    /// # Errors
    /// Says which of them differs.
    pub(crate) fn check(&self, cluster: &str, plan: &str, path: &Path) -> Result<(), MarkerError> {
        let path = path.display().to_string();
        if self.cluster != cluster {
            return Err(MarkerError::OtherCluster(path));
        }
        if self.plan != plan {
            return Err(MarkerError::OtherPlan(path));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(stage: u8) -> Marker {
        let durable = Durable {
            stage,
            completed: false,
            holding: None,
            reinstating: false,
            done: false,
        };
        Marker {
            v: 1,
            cluster: "c".to_owned(),
            plan: "p".to_owned(),
            durable,
        }
    }

    #[test]
    fn what_was_written_is_read_whatever_a_torn_write_left_beside_it() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join("marker.json");
        assert_eq!(Marker::read(&path).unwrap(), None);
        marker(3).write(&path).unwrap();
        std::fs::write(state.path().join("marker.json.new"), b"{\"v\":1,").unwrap();
        assert_eq!(Marker::read(&path).unwrap(), Some(marker(3)));
        marker(4).write(&path).unwrap();
        assert_eq!(Marker::read(&path).unwrap(), Some(marker(4)));
    }

    #[test]
    fn a_foreign_or_damaged_marker_is_refused() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join("marker.json");
        assert!(matches!(
            marker(1).check("other", "p", &path),
            Err(MarkerError::OtherCluster(_))
        ));
        assert!(matches!(
            marker(1).check("c", "other", &path),
            Err(MarkerError::OtherPlan(_))
        ));
        marker(1).check("c", "p", &path).unwrap();
        std::fs::write(&path, b"{\"v\":1,").unwrap();
        assert!(matches!(
            Marker::read(&path),
            Err(MarkerError::Malformed { .. })
        ));
    }
}
