//! Files that a search leaves behind: named by what is in them, and never overwritten.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::exit::{Exit, Failure};

/// Where what was found is kept unless said otherwise.
pub const FOLDER: &str = "counterexamples";

/// A file that is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Where.
    pub path: PathBuf,
    /// Whether it was there before: then it stays as it is, even if somebody has changed it.
    pub was_there: bool,
}

/// Writes `<stem>-<hash8>.<extension>`, where hash8 is the beginning of the text's SHA-256.
///
/// # Errors
/// When the folder or the file cannot be made.
pub fn save(folder: &Path, stem: &str, extension: &str, text: &str) -> Result<Saved, Failure> {
    let digest = Sha256::digest(text);
    let hash: String = digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = folder.join(format!("{}-{hash}.{extension}", plain(stem)));
    let failed = |error: io::Error| {
        Failure::new(
            Exit::Unavailable,
            format!("cannot write {}: {error}", path.display()),
        )
    };
    fs::create_dir_all(folder).map_err(failed)?;
    match write_new(&path, text) {
        Ok(()) => Ok(Saved {
            path,
            was_there: false,
        }),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Saved {
            path,
            was_there: true,
        }),
        Err(error) => Err(failed(error)),
    }
}

/// Writes a file that is not there yet.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// A plan's own name may be any text; a file's is letters, digits and hyphens.
fn plain(stem: &str) -> String {
    let plain = |other: char| {
        if other.is_ascii_alphanumeric() {
            other
        } else {
            '-'
        }
    };
    stem.chars().map(plain).collect()
}
