//! Manifests and files that only a bootstrap needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How deep directories are followed, and how many files are named at most.
const MOST_DEPTH: usize = 6;
const MOST_FILES: usize = 500;

/// Names of the files in the kubelet's directory that it would read: all that do not begin with a dot.
pub fn manifests(directory: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return BTreeSet::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect()
}

/// Full paths of all files at or below these paths.
pub fn below(paths: &[PathBuf]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in paths {
        collect(path, MOST_DEPTH, &mut found);
    }
    found
}

fn collect(path: &Path, depth: usize, found: &mut BTreeSet<String>) {
    if found.len() >= MOST_FILES {
        return;
    }
    let Ok(metadata) = std::fs::symlink_metadata(path) else {
        return;
    };
    if metadata.is_dir() {
        if depth == 0 {
            return;
        }
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            collect(&entry.path(), depth - 1, found);
        }
    } else {
        found.insert(path.to_string_lossy().into_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_files_are_no_manifests_and_directories_are_followed() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = directory.path().join("secrets/etcd");
        std::fs::create_dir_all(&secrets).unwrap();
        std::fs::write(secrets.join("client.key"), "").unwrap();
        std::fs::write(directory.path().join("etcd.yaml"), "").unwrap();
        std::fs::write(directory.path().join(".half-written"), "").unwrap();
        assert_eq!(
            manifests(directory.path()),
            BTreeSet::from(["etcd.yaml".to_owned()])
        );
        let found = below(&[
            directory.path().join("secrets"),
            directory.path().join("absent"),
        ]);
        assert_eq!(found.len(), 1);
        assert!(
            found
                .iter()
                .all(|path| path.ends_with("secrets/etcd/client.key"))
        );
    }
}
