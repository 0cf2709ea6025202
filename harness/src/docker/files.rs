//! Files into and out of containers.

use std::time::Duration;

use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures::StreamExt;

use super::verb::{milliseconds, refused, verb};
use super::{Container, Engine, EngineError, Owned};

/// A regular file to be put into a container. It belongs to root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFile {
    /// The absolute path. Missing directories above it are made with mode 0755.
    pub path: String,
    /// The permission bits, such as `0o600`.
    pub mode: u32,
    /// The content.
    pub bytes: Vec<u8>,
}

impl NodeFile {
    /// A file with these permission bits and content.
    pub fn new(path: impl Into<String>, mode: u32, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            mode,
            bytes: bytes.into(),
        }
    }

    /// Packs files into a tar archive whose names are relative to `/`.
    pub fn archive(files: &[Self]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for file in files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(file.mode);
            header.set_size(file.bytes.len() as u64);
            header.set_entry_type(tar::EntryType::Regular);
            let path = file.path.trim_start_matches('/');
            archive
                .append_data(&mut header, path, file.bytes.as_slice())
                .expect("writing to memory does not fail, and paths of nodes are ordinary");
        }
        archive
            .into_inner()
            .expect("writing to memory does not fail")
    }
}

impl Engine {
    /// Unpacks a tar archive below `directory` in a container, running or not.
    ///
    /// The engine writes into the container's own file system and its volumes, not into its
    /// in-memory file systems: below `/run` and `/tmp` of a node nothing would arrive.
    ///
    /// # Errors
    /// When the directory does not exist, or the engine fails.
    pub async fn upload(
        &self,
        container: &Owned<Container>,
        directory: &str,
        archive: Vec<u8>,
        deadline: Duration,
    ) -> Result<(), EngineError> {
        let options = UploadToContainerOptionsBuilder::new()
            .path(directory)
            .build();
        let body = bollard::body_full(archive.into());
        let doing = format!(
            "copy files to {directory} in container {}",
            container.name()
        );
        let request = self
            .api
            .upload_to_container(&container.id, Some(options), body);
        verb(doing, deadline, request).await
    }

    /// Packs a file or directory of a container, running or not, into a tar archive of at most
    /// `bytes_max` bytes.
    ///
    /// # Errors
    /// [`EngineError::is_missing`] when the path does not exist; [`EngineError::TooMuch`] when
    /// the archive is larger than asked for.
    pub async fn download(
        &self,
        container: &Owned<Container>,
        path: &str,
        bytes_max: usize,
        deadline: Duration,
    ) -> Result<Vec<u8>, EngineError> {
        let options = DownloadFromContainerOptionsBuilder::new()
            .path(path)
            .build();
        let doing = format!("copy {path} from container {}", container.name());
        let mut pieces = self
            .api
            .download_from_container(&container.id, Some(options));
        let reading = async {
            let mut archive = Vec::new();
            while let Some(piece) = pieces.next().await {
                archive.extend_from_slice(&piece.map_err(|error| refused(doing.clone(), error))?);
                if archive.len() > bytes_max {
                    return Err(EngineError::TooMuch {
                        doing: doing.clone(),
                        limit: bytes_max,
                    });
                }
            }
            Ok(archive)
        };
        tokio::time::timeout(deadline, reading)
            .await
            .unwrap_or_else(|_| {
                Err(EngineError::Deadline {
                    doing: doing.clone(),
                    deadline_ms: milliseconds(deadline),
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn an_archive_holds_paths_modes_and_bytes() {
        let files = [
            NodeFile::new("/etc/a", 0o600, "secret"),
            NodeFile::new(format!("/{}/b", "long".repeat(40)), 0o644, Vec::new()),
        ];
        let bytes = NodeFile::archive(&files);
        let mut archive = tar::Archive::new(bytes.as_slice());
        for (entry, file) in archive.entries().unwrap().zip(&files) {
            let mut entry = entry.unwrap();
            assert_eq!(format!("/{}", entry.path().unwrap().display()), file.path);
            assert_eq!(entry.header().mode().unwrap(), file.mode);
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            assert_eq!(content, file.bytes);
        }
    }
}
