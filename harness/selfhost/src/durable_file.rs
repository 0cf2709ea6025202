//! Files that are whole or absent, whenever the power goes.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// A file operation failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}; check the disk's space and the directory's permissions, then start again", path.display())]
pub(crate) struct FileError {
    /// What was being done.
    doing: &'static str,
    /// On what.
    path: PathBuf,
    /// What the system said.
    source: io::Error,
}

impl FileError {
    /// Names what was being done to which path, for `map_err`.
    pub(crate) fn when(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self {
            doing,
            path,
            source,
        }
    }
}

/// Creates a directory and its parents, mode 0700, and corrects the mode of one that is there.
///
/// # Errors
/// Names the directory.
pub(crate) fn private_directory(path: &Path) -> Result<(), FileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(FileError::when("create the directory", path))?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
        .map_err(FileError::when("protect the directory", path))
}

/// Writes `content` as `directory/name`, mode 0600: prepared as a whole in `staging`, which must be
/// on the same file system, synced, and renamed into place.
///
/// # Errors
/// Names the file; the old content is then still there, or the new one is.
pub(crate) fn place(
    staging: &Path,
    directory: &Path,
    name: &str,
    content: &[u8],
) -> Result<(), FileError> {
    let prepared = staging.join(format!("{name}.new"));
    let target = directory.join(name);
    write_synced(&prepared, content)?;
    fs::rename(&prepared, &target).map_err(FileError::when("rename into place", &target))?;
    sync_directory(directory)
}

/// Writes a file, mode 0600, and syncs it; a crash may leave a part of it.
///
/// # Errors
/// Names the file.
pub(crate) fn write_synced(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(FileError::when("create", path))?;
    // The mode above is for new files only; remains of a torn write may have another.
    file.set_permissions(Permissions::from_mode(0o600))
        .map_err(FileError::when("protect", path))?;
    file.write_all(content)
        .map_err(FileError::when("write", path))?;
    file.sync_all().map_err(FileError::when("sync", path))
}

/// Gives a file or a directory to a user, by number, and makes that durable. Its group stays, and so does
/// its mode: nobody else may read it.
///
/// # Errors
/// Names the path.
pub(crate) fn give(path: &Path, user: u32) -> Result<(), FileError> {
    chown(path, Some(user), None).map_err(FileError::when("give to its user", path))?;
    File::open(path)
        .and_then(|given| given.sync_all())
        .map_err(FileError::when("sync", path))
}

/// Makes the names in a directory durable.
///
/// # Errors
/// Names the directory.
pub(crate) fn sync_directory(path: &Path) -> Result<(), FileError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(FileError::when("sync the directory", path))
}

/// The content of a file, or `None` when there is no such file.
///
/// # Errors
/// Names the file that is there but cannot be read.
pub(crate) fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::when("read", path)(error)),
    }
}

/// Removes a file; one that is not there is fine.
///
/// # Errors
/// Names the file.
pub(crate) fn remove_if_present(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::when("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Removes a directory and all below it; one that is not there is fine.
///
/// # Errors
/// Names the directory.
pub(crate) fn remove_tree_if_present(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::when("remove the directory", path)(error))
        }
        _ => Ok(()),
    }
}

/// Makes `target` hold every file of `source`, directories 0700 and files 0600, each whole and
/// synced. Files with the right content are left alone, and what else is in `target` stays.
///
/// # Errors
/// Names the file or directory.
pub(crate) fn copy_tree(source: &Path, target: &Path) -> Result<(), FileError> {
    private_directory(target)?;
    for entry in fs::read_dir(source).map_err(FileError::when("list", source))? {
        let entry = entry.map_err(FileError::when("list", source))?;
        let (from, name) = (entry.path(), entry.file_name());
        let kind = entry
            .file_type()
            .map_err(FileError::when("inspect", &from))?;
        if kind.is_dir() {
            copy_tree(&from, &target.join(&name))?;
            continue;
        }
        let content = fs::read(&from).map_err(FileError::when("read", &from))?;
        if read_if_present(&target.join(&name))?.as_deref() != Some(&content) {
            // A dot in front: nobody who lists the directory takes the unfinished file for one of its own.
            let prepared = target.join(format!(".{}.new", name.to_string_lossy()));
            write_synced(&prepared, &content)?;
            let placed = target.join(&name);
            fs::rename(&prepared, &placed)
                .map_err(FileError::when("rename into place", &placed))?;
        }
    }
    sync_directory(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_placed_file_replaces_the_old_one_and_is_private() {
        let root = tempfile::tempdir().unwrap();
        let (staging, directory) = (root.path().join("staging"), root.path().join("target"));
        private_directory(&staging).unwrap();
        private_directory(&directory).unwrap();
        place(&staging, &directory, "marker.json", b"old").unwrap();
        // Remains of a torn write are simply overwritten.
        fs::write(staging.join("marker.json.new"), b"tor").unwrap();
        place(&staging, &directory, "marker.json", b"new").unwrap();
        assert_eq!(fs::read(directory.join("marker.json")).unwrap(), b"new");
        assert_eq!(mode(&directory.join("marker.json")), 0o600);
        assert_eq!(fs::read_dir(&staging).unwrap().count(), 0);
    }

    #[test]
    fn a_tree_converges_and_its_modes_are_private() {
        let root = tempfile::tempdir().unwrap();
        let (source, target) = (root.path().join("source"), root.path().join("target"));
        fs::create_dir_all(source.join("inner")).unwrap();
        fs::write(source.join("inner/key"), b"secret").unwrap();
        fs::write(source.join("ca"), b"public").unwrap();
        copy_tree(&source, &target).unwrap();
        fs::write(target.join("ca"), b"torn").unwrap();
        copy_tree(&source, &target).unwrap();
        assert_eq!(fs::read(target.join("ca")).unwrap(), b"public");
        assert_eq!(fs::read(target.join("inner/key")).unwrap(), b"secret");
        assert_eq!(
            (mode(&target.join("inner")), mode(&target.join("inner/key"))),
            (0o700, 0o600)
        );
    }

    #[test]
    fn an_error_names_the_deed_the_path_and_the_way_out() {
        let root = tempfile::tempdir().unwrap();
        let said = sync_directory(&root.path().join("nowhere"))
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("sync the directory") && said.contains("nowhere"),
            "{said}"
        );
        assert!(said.contains("start again"), "{said}");
    }
}
