//! What the machine asks to be done on the disk. Each task can be done again after it was done, or
//! half done; none of them waits for anybody, so that none is given up half way.

use std::fs;

use pivot::checkpoint::{OrderRule, Task};
use terms::Component;

use super::disk::{self, Found, SUMS};
use super::places::Places;
use super::version::{MANIFEST, Version};
use crate::durable_file::{self, FileError};
use crate::fence::{Fence, FenceError};

/// How many complete versions are kept: the present one, and the one before it, whose copy may still be stopping.
const KEPT: usize = 2;

/// A task failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TaskError {
    /// The disk refused.
    #[error("the disk refused")]
    File(#[from] FileError),
    /// There is nothing to write.
    #[error("{0} has no parent here that could be saved")]
    NoParent(Component),
    /// What lies there is not what was written.
    #[error("the files of version {0} are not those that were written; it is written anew")]
    Differs(String),
    /// Somebody has precedence.
    #[error("the copy gives way")]
    Fenced(#[from] FenceError),
    /// There is nothing to activate.
    #[error("{0} has no version here that could be started")]
    NoVersion(Component),
}

/// Performs a task. `wanted` is the version of the parent that the API told of just now.
///
/// # Errors
/// Says what failed.
pub(crate) fn perform(
    places: &Places,
    component: Component,
    task: Task,
    order: OrderRule,
    wanted: Option<&Version>,
) -> Result<(), TaskError> {
    match task {
        Task::Write => {
            let wanted = wanted.ok_or(TaskError::NoParent(component))?;
            write(places, component, order, wanted)
        }
        Task::Commit => {
            let wanted = wanted.ok_or(TaskError::NoParent(component))?;
            commit(places, component, wanted)
        }
        Task::Activate => activate(places, component, order),
        Task::Retire => retire(places, component),
        Task::Remove => remove(places, component),
    }
}

/// Writes the files of a version without its commit mark. Only history lays its manifest ready before that.
/// Those of a
/// version that is complete already are right as they are.
fn write(
    places: &Places,
    component: Component,
    order: OrderRule,
    version: &Version,
) -> Result<(), TaskError> {
    durable_file::private_directory(&places.checkpoints)?;
    durable_file::private_directory(&places.versions(component))?;
    let directory = places.versions(component).join(&version.generation);
    let there = disk::versions(places, component)?;
    if !there
        .iter()
        .any(|found| found.complete && found.path == directory)
    {
        // What an earlier, torn attempt left must not stay among the new files.
        durable_file::remove_tree_if_present(&directory)?;
        durable_file::private_directory(&directory)?;
        let (mut first, mut last): (Vec<_>, Vec<_>) = version
            .files
            .iter()
            .partition(|(name, _)| *name != MANIFEST);
        if order == OrderRule::ManifestFirst {
            std::mem::swap(&mut first, &mut last);
            prepare_version(places, component, version)?;
        }
        for (name, content) in first.into_iter().chain(last) {
            let path = directory.join(name);
            let parent = path.parent().expect("a file lies in a directory");
            durable_file::private_directory(parent)?;
            durable_file::write_synced(&path, content)?;
            // The manifest is the kubelet's; all else is mounted.
            if let (Some(user), true) = (version.user, name != MANIFEST) {
                durable_file::give(&path, user)?;
                durable_file::give(parent, user)?;
            }
            durable_file::sync_directory(parent)?;
        }
        for kind in ["secrets", "configuration"] {
            if directory.join(kind).is_dir() {
                durable_file::sync_directory(&directory.join(kind))?;
            }
        }
        durable_file::sync_directory(&directory)?;
        durable_file::sync_directory(&places.versions(component))?;
        durable_file::sync_directory(&places.checkpoints)?;
    }
    Ok(())
}

/// Lays a version's manifest ready for the kubelet.
fn prepare_version(
    places: &Places,
    component: Component,
    version: &Version,
) -> Result<(), FileError> {
    let manifest = version.files.get(MANIFEST).map_or(&[][..], Vec::as_slice);
    prepare(places, component, manifest)
}

fn prepare(places: &Places, component: Component, manifest: &[u8]) -> Result<(), FileError> {
    durable_file::private_directory(&places.staging)?;
    let name = Places::manifest_name(component);
    durable_file::place(&places.staging, &places.staging, &name, manifest)
}

/// Writes the commit mark of what lies there, if that is the version of its name, lays its manifest ready,
/// and removes versions that are too old.
fn commit(places: &Places, component: Component, version: &Version) -> Result<(), TaskError> {
    let generation = version.generation.as_str();
    let directory = places.versions(component).join(generation);
    let files = disk::files(&directory)?;
    let sums = disk::sums(&files);
    if Version::generation_of(&directory, files).as_deref() != Some(generation) {
        return Err(TaskError::Differs(generation.to_owned()));
    }
    durable_file::place(&directory, &directory, SUMS, sums.as_bytes())?;
    prepare_version(places, component, version)?;
    let in_use = durable_file::read_if_present(&places.active(component))?;
    let in_use = in_use.map(|manifest| String::from_utf8_lossy(&manifest).into_owned());
    let mut kept = 0;
    for Found {
        generation: name,
        path,
        complete,
        ..
    } in disk::versions(places, component)?
    {
        kept += usize::from(complete);
        let is_used = in_use
            .as_ref()
            .is_some_and(|manifest| manifest.contains(&name));
        if name != generation && !is_used && (!complete || kept > KEPT) {
            durable_file::remove_tree_if_present(&path)?;
        }
    }
    durable_file::sync_directory(&places.versions(component))?;
    Ok(())
}

/// Puts the newest version that may be started into the kubelet's directory in one go.
fn activate(places: &Places, component: Component, order: OrderRule) -> Result<(), TaskError> {
    let versions = disk::versions(places, component)?;
    // History started what it found, whatever it lacked.
    let may_start = |found: &&Found| match order {
        OrderRule::FilesFirst => found.complete,
        OrderRule::ManifestFirst => found.has_manifest,
    };
    let newest = versions
        .iter()
        .find(may_start)
        .ok_or(TaskError::NoVersion(component))?;
    let manifest = newest.path.join(MANIFEST);
    let manifest = fs::read(&manifest).map_err(FileError::when("read", &manifest))?;
    let fence = Fence::enter(&places.fence)?;
    fence.may_activate(places, component)?;
    let prepared = places.prepared(component);
    if durable_file::read_if_present(&prepared)?.as_ref() != Some(&manifest) {
        prepare(places, component, &manifest)?;
    }
    let active = places.active(component);
    fs::rename(&prepared, &active).map_err(FileError::when("rename into place", &active))?;
    durable_file::sync_directory(&places.manifests)?;
    durable_file::sync_directory(&places.staging)?;
    Ok(())
}

/// Takes the copy out of the kubelet's directory; it is prepared for the next time.
fn retire(places: &Places, component: Component) -> Result<(), TaskError> {
    let (active, prepared) = (places.active(component), places.prepared(component));
    durable_file::private_directory(&places.staging)?;
    match fs::rename(&active, &prepared) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(FileError::when("take out", &active)(error).into());
        }
        _ => {}
    }
    durable_file::sync_directory(&places.staging)?;
    durable_file::sync_directory(&places.manifests)?;
    Ok(())
}

/// Deletes every version: the commit marks first, so that nobody takes a half deleted one for complete.
fn remove(places: &Places, component: Component) -> Result<(), TaskError> {
    durable_file::remove_if_present(&places.prepared(component))?;
    for found in disk::versions(places, component)? {
        durable_file::remove_if_present(&found.path.join(SUMS))?;
        durable_file::sync_directory(&found.path)?;
        durable_file::remove_tree_if_present(&found.path)?;
    }
    durable_file::remove_tree_if_present(&places.versions(component))?;
    durable_file::sync_directory(&places.checkpoints)?;
    Ok(())
}
