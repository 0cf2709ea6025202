//! What names a result: the hash of everything that it was made from.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The SHA-256 of some inputs. Two fingerprints are equal when the inputs have equal names,
/// contents and executable bits, wherever they lie and whenever they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The first twelve hexadecimal digits: 48 bits, plenty for names that people read.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Takes in inputs, one after another; their order matters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs(Sha256);

impl Inputs {
    /// A named value. Lengths go in too, so that no two lists of inputs look alike.
    pub(crate) fn value(&mut self, name: &str, content: &[u8]) -> &mut Self {
        for part in [name.as_bytes(), content] {
            self.0.update((part.len() as u64).to_be_bytes());
            self.0.update(part);
        }
        self
    }

    /// A file under the name `name`.
    pub(crate) fn file(&mut self, name: &str, path: &Path) -> io::Result<&mut Self> {
        let executable = fs::metadata(path)?.permissions().mode() & 0o111 != 0;
        self.value(if executable { "executable" } else { "file" }, &[]);
        Ok(self.value(name, &fs::read(path)?))
    }

    /// The files below `root/name`, or that file itself.
    pub(crate) fn tree(&mut self, root: &Path, name: &str) -> io::Result<&mut Self> {
        for file in files_below(root, Path::new(name))? {
            self.file(&file.to_string_lossy(), &root.join(&file))?;
        }
        Ok(self)
    }

    pub(crate) fn finish(&self) -> Fingerprint {
        Fingerprint(self.0.clone().finalize().into())
    }
}

/// The files below `root/start`, as sorted paths relative to `root`. Dot files are left out: they
/// are an editor's or the system's, not the recipe's.
pub(crate) fn files_below(root: &Path, start: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![start.to_owned()]);
    while let Some(path) = open.pop() {
        if !fs::metadata(root.join(&path))?.is_dir() {
            found.push(path);
            continue;
        }
        for entry in fs::read_dir(root.join(&path))? {
            let name = entry?.file_name();
            if !name.to_string_lossy().starts_with('.') {
                open.push(path.join(name));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str, u32)]) -> (tempfile::TempDir, Fingerprint) {
        let root = tempfile::tempdir().unwrap();
        for (name, content, mode) in files {
            let path = root.path().join("recipe").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        let fingerprint = Inputs::default()
            .tree(root.path(), "recipe")
            .unwrap()
            .finish();
        (root, fingerprint)
    }

    #[test]
    fn equal_trees_have_equal_fingerprints() {
        let files = [("a", "1", 0o644), ("b/c", "2", 0o755)];
        let backwards = [files[1], files[0], ("b/.swap", "3", 0o644)];
        assert_eq!(tree(&files).1, tree(&backwards).1);
        assert_eq!(
            tree(&files).1,
            tree(&[("a", "1", 0o600), ("b/c", "2", 0o700)]).1
        );
    }

    #[test]
    fn every_difference_shows() {
        let original = tree(&[("a", "1", 0o644), ("b", "2", 0o644)]).1;
        for changed in [
            [("a", "1", 0o644), ("b", "3", 0o644)],
            [("a", "1", 0o644), ("c", "2", 0o644)],
            [("a", "1", 0o644), ("b", "2", 0o755)],
            [("a", "", 0o644), ("b", "12", 0o644)],
        ] {
            assert_ne!(original, tree(&changed).1, "{changed:?}");
        }
    }

    #[test]
    fn it_prints_as_sha256sum_does() {
        let empty = Inputs::default().finish();
        assert_eq!(
            empty.to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(empty.short(), "e3b0c44298fc");
    }
}
