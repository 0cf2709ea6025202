//! What a checkpoint agent keeps on its node: versions, whether they are whole, and what they refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use oracle::observation::CheckpointSeen;
use serde_json::Value;
use sha2::{Digest, Sha256};
use terms::Component;

/// Name of the commit mark: lines of a sum and a path, as `sha256sum` writes them.
const SUMS: &str = "sums";
/// Name of a version's manifest.
const MANIFEST: &str = "manifest.json";
/// The most versions of a component, files of a version, and bytes of a file that are looked at.
const MOST_VERSIONS: usize = 8;
const MOST_FILES: usize = 256;
const MOST_BYTES: u64 = 8 << 20;

/// Where checkpoints are looked for.
#[derive(Debug)]
pub struct Checkpoints {
    /// The directory of versions: one directory a component in it, one a version in that.
    root: PathBuf,
    /// Directories with manifests that refer to versions: prepared ones, and the kubelet's.
    manifests: Vec<PathBuf>,
    /// Sums by path, for a file of this size and time.
    sums: BTreeMap<PathBuf, (u64, SystemTime, String)>,
}

impl Checkpoints {
    /// Looks below `root`; `manifests` are the directories of prepared and active manifests.
    pub fn new(root: &Path, manifests: Vec<PathBuf>) -> Self {
        Self {
            root: root.to_owned(),
            manifests,
            sums: BTreeMap::new(),
        }
    }

    /// The versions as they are now, and what is prepared without one; nothing when they could not be looked
    /// at. A file is read again only if its size or time changed.
    pub fn look(&mut self) -> Option<Vec<CheckpointSeen>> {
        let mut found = Vec::new();
        for component in Component::SELF_HOSTED {
            let name = format!("checkpoint-{component}.json");
            let mut referring = Vec::new();
            for directory in &self.manifests {
                referring.extend(if_present(fs::read_to_string(directory.join(&name)))?);
            }
            let versions = versions(&self.root.join(component.name()))?;
            for version in &versions {
                found.push(self.version(component, version, &referring));
            }
            let lies_there = |text: &&String| {
                let mut all = versions.iter();
                all.any(|version| text.contains(&directory(version)))
            };
            let dangling = referring.iter().filter(|text| !lies_there(text));
            found.extend(dangling.map(|text| without_version(component, text)));
        }
        // What is gone need not be remembered.
        if self.sums.len() > MOST_FILES * MOST_VERSIONS {
            self.sums.retain(|path, _| path.exists());
        }
        Some(found)
    }

    fn version(
        &mut self,
        component: Component,
        path: &Path,
        referring: &[String],
    ) -> CheckpointSeen {
        let own = directory(path);
        let manifest = fs::read_to_string(path.join(MANIFEST)).unwrap_or_default();
        // What the kubelet gets is a manifest that lies ready; it need not be the version's own.
        let referring = referring.iter().filter(|text| text.contains(&own));
        let manifests: Vec<&String> = referring.chain([&manifest]).collect();
        CheckpointSeen {
            component,
            generation: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            complete: self.is_complete(path),
            prepared: manifests.len() > 1,
            mixed: manifests
                .iter()
                .any(|text| mentions_others(text, &self.root, &own)),
            references: manifests.iter().flat_map(|text| references(text)).collect(),
        }
    }

    /// Whether the mark names every file that lies there, each with its sum.
    fn is_complete(&mut self, path: &Path) -> bool {
        let Ok(mark) = fs::read_to_string(path.join(SUMS)) else {
            return false;
        };
        let mut marked = BTreeMap::new();
        for line in mark.lines() {
            let Some((sum, file)) = line.split_once("  ") else {
                return false;
            };
            marked.insert(PathBuf::from(file), sum.to_owned());
        }
        let mut files = Vec::new();
        collect(path, path, 4, &mut files);
        files.retain(|file| file != Path::new(SUMS));
        marked.contains_key(Path::new(MANIFEST))
            && files.len() == marked.len()
            && files.iter().all(|file| {
                let sum = self.sum(&path.join(file));
                sum.is_some() && sum == marked.get(file).cloned()
            })
    }

    fn sum(&mut self, path: &Path) -> Option<String> {
        let about = fs::metadata(path).ok()?;
        let (length, changed) = (about.len(), about.modified().ok()?);
        if let Some((known_length, known_changed, sum)) = self.sums.get(path)
            && (*known_length, *known_changed) == (length, changed)
        {
            return Some(sum.clone());
        }
        if length > MOST_BYTES {
            return None;
        }
        let sum = hexadecimal(&Sha256::digest(fs::read(path).ok()?));
        self.sums
            .insert(path.to_owned(), (length, changed, sum.clone()));
        Some(sum)
    }
}

/// What lies in a version's directory begins with this.
fn directory(version: &Path) -> String {
    format!("{}/", version.display())
}

/// A manifest that lies ready, and that refers to no version on this disk.
fn without_version(component: Component, manifest: &str) -> CheckpointSeen {
    CheckpointSeen {
        component,
        generation: String::new(),
        complete: false,
        prepared: true,
        mixed: false,
        references: references(manifest),
    }
}

/// What is not there is nothing; for what is there and cannot be read, nobody knows.
fn if_present<T>(read: io::Result<T>) -> Option<Option<T>> {
    match read {
        Ok(what) => Some(Some(what)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(None),
        Err(_) => None,
    }
}

/// The versions in a component's directory; nothing when it cannot be read.
fn versions(directory: &Path) -> Option<Vec<PathBuf>> {
    let entries = if_present(fs::read_dir(directory))?.into_iter().flatten();
    let mut versions = Vec::new();
    for entry in entries {
        let path = entry.ok()?.path();
        if path.is_dir() {
            versions.push(path);
        }
    }
    versions.sort();
    versions.truncate(MOST_VERSIONS);
    Some(versions)
}

fn collect(root: &Path, directory: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if files.len() >= MOST_FILES {
            return;
        }
        if path.is_dir() {
            if depth > 0 {
                collect(root, &path, depth - 1, files);
            }
        } else if let Ok(below) = path.strip_prefix(root) {
            files.push(below.to_owned());
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a manifest names files of versions other than its own.
fn mentions_others(manifest: &str, root: &Path, own: &str) -> bool {
    let root = format!("{}/", root.display());
    let all = manifest.matches(&root).count();
    all != manifest.matches(own).count()
}

/// API objects and scheduling constraints that a manifest mentions, by the path of the key.
fn references(manifest: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let Ok(manifest) = serde_json::from_str::<Value>(manifest) {
        look_for_references(&manifest, 12, &mut found);
    }
    found
}

/// Keys that only an apiserver, or a scheduler, can make sense of.
const REFERRING: [&str; 16] = [
    "serviceAccountName",
    "serviceAccount",
    "nodeSelector",
    "affinity",
    "topologySpreadConstraints",
    "imagePullSecrets",
    "secret",
    "configMap",
    "projected",
    "persistentVolumeClaim",
    "secretRef",
    "configMapRef",
    "secretKeyRef",
    "configMapKeyRef",
    "resourceClaims",
    "ephemeral",
];

fn look_for_references(value: &Value, depth: usize, found: &mut BTreeSet<String>) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if REFERRING.contains(&key.as_str()) && !value.is_null() {
                    found.insert(key.clone());
                }
                look_for_references(value, depth - 1, found);
            }
        }
        Value::Array(all) => {
            for value in all {
                look_for_references(value, depth - 1, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, content: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn sum(content: &str) -> String {
        hexadecimal(&Sha256::digest(content))
    }

    /// A version of the apiserver with one secret, and its commit mark.
    fn version(root: &Path, generation: &str) -> PathBuf {
        let path = root.join("kube-apiserver").join(generation);
        let manifest = format!(
            "{{\"spec\": {{\"path\": \"{}/secrets/a\"}}}}",
            path.display()
        );
        write(&path.join(MANIFEST), &manifest);
        write(&path.join("secrets/a/ca.crt"), "certificate");
        let mark = format!(
            "{}  manifest.json\n{}  secrets/a/ca.crt\n",
            sum(&manifest),
            sum("certificate")
        );
        write(&path.join(SUMS), &mark);
        path
    }

    fn check(change: impl Fn(&Path, &Path), complete: bool, prepared: bool) -> CheckpointSeen {
        let directory = tempfile::tempdir().unwrap();
        let (root, staging) = (directory.path().join("c"), directory.path().join("s"));
        let path = version(&root, "one");
        let mut checkpoints = Checkpoints::new(&root, vec![staging.clone()]);
        let mut look = || checkpoints.look().expect("they can be looked at");
        assert!(look()[0].complete, "it is complete at first");
        change(&path, &staging);
        let [seen] = look().try_into().expect("one version");
        assert_eq!((seen.complete, seen.prepared), (complete, prepared));
        seen
    }

    #[test]
    fn a_version_is_complete_if_its_mark_matches_its_files() {
        check(|_, _| {}, true, false);
        check(
            |path, _| fs::remove_file(path.join(SUMS)).unwrap(),
            false,
            false,
        );
        check(
            |path, _| write(&path.join("secrets/a/ca.crt"), "torn"),
            false,
            false,
        );
        check(
            |path, _| fs::remove_file(path.join("secrets/a/ca.crt")).unwrap(),
            false,
            false,
        );
        check(
            |path, _| write(&path.join("secrets/b/more"), "unknown"),
            false,
            false,
        );
    }

    #[test]
    fn a_version_is_prepared_if_a_manifest_that_lies_ready_refers_to_it() {
        check(
            |path, staging| {
                let text = fs::read_to_string(path.join(MANIFEST)).unwrap();
                write(&staging.join("checkpoint-kube-apiserver.json"), &text);
            },
            true,
            true,
        );
    }

    #[test]
    fn what_lies_ready_may_be_another_manifest_than_the_versions_own() {
        let seen = check(
            |path, staging| {
                let (own, other) = (path.display(), path.with_file_name("two"));
                let other = other.display();
                let text =
                    format!("{{\"configMap\": {{}}, \"paths\": [\"{own}/a\", \"{other}/b\"]}}");
                write(&staging.join("checkpoint-kube-apiserver.json"), &text);
            },
            true,
            true,
        );
        assert!(seen.mixed);
        assert!(seen.references.contains("configMap"));
        let seen = check(
            |path, staging| {
                let text = fs::read_to_string(path.join(MANIFEST)).unwrap();
                write(&staging.join("checkpoint-kube-apiserver.json"), &text);
                fs::remove_dir_all(path).unwrap();
            },
            false,
            true,
        );
        assert_eq!(seen.generation, "");
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_absent() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("c");
        let mut checkpoints = Checkpoints::new(&root, Vec::new());
        assert_eq!(checkpoints.look(), Some(Vec::new()), "nobody saved any");
        fs::create_dir(&root).unwrap();
        write(&root.join("kube-apiserver"), "no directory");
        assert_eq!(checkpoints.look(), None);
    }

    #[test]
    fn references_to_the_api_and_to_other_versions_are_found() {
        let seen = check(
            |path, _| {
                let other = path.with_file_name("two");
                let manifest = format!(
                    "{{\"spec\": {{\"nodeSelector\": {{}}, \"volumes\": [{{\"secret\": {{}}}}], \"path\": \"{}/x\"}}}}",
                    other.display()
                );
                write(&path.join(MANIFEST), &manifest);
            },
            false,
            false,
        );
        assert!(seen.mixed);
        let expected = ["nodeSelector".to_owned(), "secret".to_owned()];
        assert_eq!(seen.references, BTreeSet::from(expected));
    }
}
