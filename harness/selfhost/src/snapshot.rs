//! `selfhost snapshot`: takes snapshots of etcd, verifies and lists them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::assets::hexadecimal;
use crate::durable_file::{self, FileError};
use crate::tool::{self, ToolError};

/// What `selfhost snapshot` is told.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "what", required = true, multiple = false)]
pub(crate) struct Snapshot {
    /// Take a snapshot from this node's etcd into this new file, and verify it.
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) out: Option<PathBuf>,
    /// Verify and list the snapshots of this directory.
    #[arg(long, value_name = "DIR", group = "what")]
    pub(crate) list: Option<PathBuf>,
    /// The etcd member's certificates.
    #[arg(long, value_name = "DIR", default_value = "/etc/kubernetes/pki/etcd")]
    pub(crate) certificates: PathBuf,
}

/// What is written beside a snapshot, as `FILE.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Version of this record: 1.
    pub(crate) v: u32,
    /// The last revision in it.
    pub(crate) revision: u64,
    /// etcd's own hash of its content.
    pub(crate) hash: u64,
    /// How many keys it holds.
    pub(crate) keys: u64,
    /// The file's size in bytes.
    pub(crate) size: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub(crate) sha256: String,
    /// The id of the etcd cluster that it was taken from.
    pub(crate) etcd_cluster: u64,
    /// The cluster's identity, as it was claimed in etcd; empty where nobody claimed it.
    pub(crate) cluster: String,
    /// When it was taken, in UTC.
    pub(crate) taken: String,
}

/// A snapshot cannot be taken or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// There is a file already.
    #[error("{} is there already; give a new name with --out", .0.display())]
    Exists(PathBuf),
    /// etcd's own tools refused.
    #[error("the snapshot was not taken")]
    Tool(#[from] ToolError),
    /// A file cannot be read or written.
    #[error("a file cannot be used")]
    File(#[from] FileError),
    /// The file is not the snapshot that was taken.
    #[error("{} is damaged: {how}; take another one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        how: String,
    },
    /// A tool's answer cannot be read.
    #[error("{tool} said something that cannot be read: {said}")]
    Answer {
        /// The tool.
        tool: &'static str,
        /// What it said.
        said: String,
    },
    /// Some of those listed are damaged.
    #[error("{0} of the snapshots cannot be used")]
    SomeDamaged(usize),
}

impl SnapshotError {
    /// 64 for a wrong command line, 1 for all else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Exists(_) => crate::USAGE,
            _ => 1,
        }
    }
}

impl Snapshot {
    /// Takes or lists, and gives what is to be printed.
    ///
    /// # Errors
    /// When a snapshot cannot be taken, or one of those listed is damaged.
    pub(crate) async fn run(&self) -> Result<String, SnapshotError> {
        match (&self.out, &self.list) {
            (Some(out), _) => {
                let record = self.take(out).await?;
                Ok(format!("{} {}", out.display(), words(&record)))
            }
            (None, Some(directory)) => list(directory).await,
            (None, None) => Ok(String::new()),
        }
    }

    async fn take(&self, out: &Path) -> Result<Record, SnapshotError> {
        if out.exists() {
            return Err(SnapshotError::Exists(out.to_owned()));
        }
        let part = beside(out, "part");
        durable_file::remove_if_present(&part)?;
        let part_name = part.display().to_string();
        self.etcdctl(&["snapshot", "save", &part_name]).await?;
        File::open(&part)
            .and_then(|file| file.sync_all())
            .map_err(FileError::when("sync", &part))?;
        let cluster = self
            .etcdctl(&["get", "--print-value-only", "/chrysalis/cluster"])
            .await?;
        let record = Record {
            etcd_cluster: self.etcd_cluster().await?,
            cluster: cluster.trim().to_owned(),
            taken: OffsetDateTime::now_utc()
                .format(&Rfc3339)
                .unwrap_or_default(),
            ..inspect(&part).await?
        };
        let directory = out.parent().filter(|path| !path.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        let text = serde_json::to_vec_pretty(&record).expect("a record is plain data");
        durable_file::place(directory, directory, &format!("{name}.json"), &text)?;
        std::fs::rename(&part, out).map_err(FileError::when("rename into place", out))?;
        durable_file::sync_directory(directory)?;
        Ok(record)
    }

    async fn etcd_cluster(&self) -> Result<u64, SnapshotError> {
        let said = self.etcdctl(&["endpoint", "status", "-w", "json"]).await?;
        let answer: Option<serde_json::Value> = serde_json::from_str(&said).ok();
        answer
            .as_ref()
            .and_then(|answer| answer.pointer("/0/Status/header/cluster_id")?.as_u64())
            .ok_or(SnapshotError::Answer {
                tool: "etcdctl",
                said,
            })
    }

    async fn etcdctl(&self, words: &[&str]) -> Result<String, ToolError> {
        let file = |name: &str| self.certificates.join(name).display().to_string();
        let (authority, certificate, key) =
            (file("ca.crt"), file("server.crt"), file("server.key"));
        let mut arguments = vec![
            "--endpoints=https://127.0.0.1:2379",
            "--cacert",
            &authority,
            "--cert",
            &certificate,
            "--key",
            &key,
            "--dial-timeout=5s",
            "--command-timeout=240s",
        ];
        arguments.extend(words);
        tool::run("etcdctl", &arguments).await
    }
}

/// Verifies a snapshot against its record, and by etcd's own tool.
///
/// # Errors
/// Says what is wrong with the file.
pub(crate) async fn verify(path: &Path) -> Result<Record, SnapshotError> {
    let damaged = |how: String| SnapshotError::Damaged {
        path: path.to_owned(),
        how,
    };
    let beside = beside(path, "json");
    let text = durable_file::read_if_present(&beside)?
        .ok_or_else(|| damaged(format!("its record {} is missing", beside.display())))?;
    let record: Record = serde_json::from_slice(&text)
        .map_err(|error| damaged(format!("its record cannot be read: {error}")))?;
    let (size, sha256) = digest(path)?;
    if size != record.size {
        return Err(damaged(format!(
            "it has {size} bytes and was taken with {}",
            record.size
        )));
    }
    if sha256 != record.sha256 {
        return Err(damaged("its content is not what was taken".to_owned()));
    }
    let seen = inspect(path).await?;
    if (seen.revision, seen.hash, seen.keys) != (record.revision, record.hash, record.keys) {
        return Err(damaged("etcd's own hash of it differs".to_owned()));
    }
    Ok(record)
}

/// What the file itself tells.
async fn inspect(path: &Path) -> Result<Record, SnapshotError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        hash: u64,
        revision: u64,
        total_key: u64,
    }
    let name = path.display().to_string();
    let said = tool::run("etcdutl", &["snapshot", "status", "-w", "json", &name]).await;
    let said = said.map_err(|error| match error {
        ToolError::Failed { said, .. } => SnapshotError::Damaged {
            path: path.to_owned(),
            how: said,
        },
        other => other.into(),
    })?;
    let status: Status = serde_json::from_str(&said).map_err(|_| SnapshotError::Answer {
        tool: "etcdutl",
        said,
    })?;
    let (size, sha256) = digest(path)?;
    Ok(Record {
        v: 1,
        revision: status.revision,
        hash: status.hash,
        keys: status.total_key,
        size,
        sha256,
        etcd_cluster: 0,
        cluster: String::new(),
        taken: String::new(),
    })
}

fn digest(path: &Path) -> Result<(u64, String), FileError> {
    let read = || -> io::Result<(u64, String)> {
        let mut file = File::open(path)?;
        let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok((size, hexadecimal(&hash.finalize())));
            }
            hash.update(&buffer[..count]);
            size += count as u64;
        }
    };
    read().map_err(FileError::when("read", path))
}

async fn list(directory: &Path) -> Result<String, SnapshotError> {
    let mut paths = Vec::new();
    let listed = std::fs::read_dir(directory).map_err(FileError::when("list", directory))?;
    for entry in listed {
        let path = entry.map_err(FileError::when("list", directory))?.path();
        // A record names its snapshot, whose name may end in anything.
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if let Some(name) = name.strip_suffix(".json") {
            paths.push(directory.join(name));
        }
    }
    paths.sort();
    let (mut lines, mut damaged) = (Vec::new(), 0);
    for path in paths {
        match verify(&path).await {
            Ok(record) => lines.push(format!("{} {}", path.display(), words(&record))),
            Err(error) => {
                damaged += 1;
                let cause = std::error::Error::source(&error);
                let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                lines.push(format!("{error}{cause}"));
            }
        }
    }
    let text = lines.join("\n");
    if damaged > 0 {
        println!("{text}");
        return Err(SnapshotError::SomeDamaged(damaged));
    }
    Ok(if text.is_empty() {
        format!("no snapshots in {}", directory.display())
    } else {
        text
    })
}

fn words(record: &Record) -> String {
    let Record {
        revision,
        keys,
        size,
        taken,
        ..
    } = record;
    format!("revision {revision}, {keys} keys, {size} bytes, taken {taken}")
}

/// The path with another suffix appended.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}.{suffix}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(directory: &Path, content: &[u8], size: u64) -> PathBuf {
        let path = directory.join("etcd.snapshot");
        std::fs::write(&path, content).unwrap();
        let record = Record {
            v: 1,
            revision: 7,
            hash: 1,
            keys: 3,
            size,
            sha256: hexadecimal(&Sha256::digest(b"what was taken")),
            etcd_cluster: 2,
            cluster: "abc".to_owned(),
            taken: "2024-01-01T00:00:00Z".to_owned(),
        };
        std::fs::write(beside(&path, "json"), serde_json::to_vec(&record).unwrap()).unwrap();
        path
    }

    #[tokio::test]
    async fn a_damaged_snapshot_is_named_before_any_tool_is_asked() {
        let directory = tempfile::tempdir().unwrap();
        for (content, said) in [
            (&b"what was"[..], "8 bytes"),
            (&b"what was takeM"[..], "not what was taken"),
        ] {
            let path = snapshot(directory.path(), content, 14);
            let error = verify(&path).await.unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            assert_eq!(error.exit_code(), 1);
        }
        let listed = list(directory.path()).await;
        assert!(
            matches!(listed, Err(SnapshotError::SomeDamaged(1))),
            "{listed:?}"
        );
        std::fs::remove_file(directory.path().join("etcd.snapshot.json")).unwrap();
        let path = directory.path().join("etcd.snapshot");
        let missing = verify(&path).await.unwrap_err().to_string();
        assert!(missing.contains("record"), "{missing}");
    }

    #[tokio::test]
    async fn an_old_snapshot_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = snapshot(directory.path(), b"what was taken", 14);
        let take = Snapshot {
            out: Some(path.clone()),
            list: None,
            certificates: PathBuf::from("/nowhere"),
        };
        let refused = take.run().await.unwrap_err();
        assert_eq!(refused.exit_code(), crate::USAGE);
        assert_eq!(std::fs::read(path).unwrap(), b"what was taken");
    }
}
