//! What a rendered directory is like: private, complete, and true to the cluster file.

mod identities;
mod pods;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{RenderError, Switches, render};
use crate::cluster_file::ClusterFile;
use crate::cluster_file::tests::THREE_AND_ONE;

/// A rendered directory that is removed with this value.
struct Rendered(tempfile::TempDir);

impl Rendered {
    fn new(switches: &Switches) -> Self {
        let directory = tempfile::tempdir().unwrap();
        render(
            &cluster(),
            directory.path(),
            switches,
            Some(&pivot::checkpoint::modern_agent()),
        )
        .unwrap();
        Self(directory)
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.path().join(path))
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Everything below `path`, directories included.
    fn below(&self, path: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.0.path().join(path), &mut found);
        assert!(!found.is_empty(), "{path} is empty");
        found
    }
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        }
        found.push(path);
    }
}

fn cluster() -> ClusterFile {
    serde_json::from_str(THREE_AND_ONE).unwrap()
}

fn rendered() -> Rendered {
    Rendered::new(&Switches::default())
}

#[test]
fn a_directory_with_anything_in_it_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("mine"), "x").unwrap();
    let refused = render(&cluster(), directory.path(), &Switches::default(), None).unwrap_err();
    assert!(refused.is_usage());
    assert!(refused.to_string().contains("holds `mine`"), "{refused}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn an_unknown_minor_is_refused_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let mut cluster = cluster();
    cluster.kubernetes = "1.12".to_owned();
    let refused = render(&cluster, &out, &Switches::default(), None).unwrap_err();
    assert!(matches!(refused, RenderError::UnknownMinor { .. }));
    assert!(refused.to_string().contains("known: 1.34"), "{refused}");
    assert!(!out.exists());
}

#[test]
fn everything_is_private() {
    let rendered = rendered();
    for path in rendered.below("") {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        let relative = path
            .strip_prefix(rendered.0.path())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        // Directories that a node has already keep the mode that they have there.
        let inner = relative
            .strip_prefix("escrow/")
            .unwrap_or(&relative)
            .strip_prefix("nodes/")
            .and_then(|rest| rest.split_once('/'))
            .map(|(_, inner)| inner);
        let of_system = [
            "etc",
            "etc/systemd",
            "etc/systemd/system",
            "var",
            "var/lib",
            "etc/systemd/system/kubelet.service.d",
        ];
        let expected = match (path.is_dir(), inner) {
            (false, _) => 0o600,
            (true, Some(inner)) if of_system.contains(&inner) => 0o755,
            (true, _) => 0o700,
        };
        assert_eq!(mode, expected, "{relative} has mode {mode:o}");
    }
    let root = rendered.0.path().metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(root, 0o700);
}
