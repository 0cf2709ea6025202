//! What lies on the disk: versions, complete or torn, and which of them is the newest.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use terms::Component;

use super::places::Places;
use super::version::MANIFEST;
use crate::assets::hexadecimal;
use crate::durable_file::FileError;

/// Name of the commit mark: the sums of all other files, written last.
pub(crate) const SUMS: &str = "sums";
/// The most bytes of one version that are read: what Secrets and ConfigMaps of a pod hold at most.
const BYTES_MAX: u64 = 16 << 20;

/// A version's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its name.
    pub(crate) generation: String,
    /// Its directory.
    pub(crate) path: PathBuf,
    /// Its commit mark matches its files.
    pub(crate) complete: bool,
    /// It has a manifest.
    pub(crate) has_manifest: bool,
    changed: SystemTime,
}

/// A component's versions, the newest first: by their commit mark, and those that have none by their directory.
///
/// # Errors
/// Names the directory that is there but cannot be listed.
pub(crate) fn versions(places: &Places, component: Component) -> Result<Vec<Found>, FileError> {
    let root = places.versions(component);
    let entries = match fs::read_dir(&root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FileError::when("list", &root)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(FileError::when("list", &root))?;
        let path = entry.path();
        if path.is_dir() {
            found.push(look(path, entry.file_name().to_string_lossy().into_owned()));
        }
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.changed));
    Ok(found)
}

fn look(path: PathBuf, generation: String) -> Found {
    let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified());
    let changed = changed(&path.join(SUMS)).or_else(|_| changed(&path));
    // A file that cannot be read is as good as none.
    let complete = match (files(&path), fs::read_to_string(path.join(SUMS))) {
        (Ok(files), Ok(mark)) => mark == sums(&files) && files.contains_key(MANIFEST),
        _ => false,
    };
    Found {
        generation,
        complete,
        has_manifest: path.join(MANIFEST).is_file(),
        changed: changed.unwrap_or(SystemTime::UNIX_EPOCH),
        path,
    }
}

/// The files of a version but for its commit mark, by their paths within it.
///
/// # Errors
/// Names what cannot be read.
pub(crate) fn files(version: &Path) -> Result<BTreeMap<String, Vec<u8>>, FileError> {
    let (mut files, mut open, mut bytes) = (BTreeMap::new(), vec![version.to_owned()], 0);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).map_err(FileError::when("list", &directory))? {
            let path = entry.map_err(FileError::when("list", &directory))?.path();
            let about = fs::metadata(&path).map_err(FileError::when("inspect", &path))?;
            if about.is_dir() {
                open.push(path);
                continue;
            }
            bytes += about.len();
            if bytes > BYTES_MAX {
                let error = io::Error::other("the version is larger than any of ours");
                return Err(FileError::when("read", &path)(error));
            }
            let name = path
                .strip_prefix(version)
                .expect("it lies below the version");
            if name != Path::new(SUMS) {
                let content = fs::read(&path).map_err(FileError::when("read", &path))?;
                files.insert(name.to_string_lossy().into_owned(), content);
            }
        }
    }
    Ok(files)
}

/// The commit mark of these files: a line for each, as `sha256sum` writes it.
pub(crate) fn sums(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut text = String::new();
    for (name, content) in files {
        let _ = writeln!(text, "{}  {name}", hexadecimal(&Sha256::digest(content)));
    }
    text
}
