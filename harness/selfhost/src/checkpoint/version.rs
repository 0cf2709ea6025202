//! What a checkpoint of a parent would consist of, and the number that names it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use terms::Component;

use super::manifest::{Unfit, of_parent, user};
use crate::assets::hexadecimal;

/// Name of the manifest in a version's directory.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Stands for the version's directory while the version has no name yet.
const NAMELESS: &str = "@version@";
/// Hexadecimal digits of a generation: 64 bits, plenty for two versions of three components.
const DIGITS: usize = 16;

/// A version: its files by their paths within its directory, the manifest among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// Name of its directory: the hash of all that it consists of.
    pub(crate) generation: String,
    /// Its files.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The user, by number, as whom the copy runs and who must be able to read what it mounts (history: FF-34);
    /// the image's unless the parent says otherwise.
    pub(crate) user: Option<u32>,
}

impl Version {
    /// The version of a parent whose Secrets and ConfigMaps hold `contents`, which would lie below
    /// `versions`.
    ///
    /// # Errors
    /// When the parent has something that a static pod cannot have.
    pub(crate) fn of(
        component: Component,
        parent: &Value,
        contents: BTreeMap<String, Vec<u8>>,
        versions: &Path,
    ) -> Result<Self, Unfit> {
        let nameless = text(&of_parent(component, parent, NAMELESS)?);
        let generation = hash(&nameless, &contents);
        let directory = versions.join(&generation).display().to_string();
        let mut files = contents;
        files.insert(
            MANIFEST.to_owned(),
            nameless.replace(NAMELESS, &directory).into_bytes(),
        );
        let user = user(component, parent)?;
        Ok(Self {
            generation,
            files,
            user,
        })
    }

    /// The generation that files as they lie in `directory` belong to.
    pub(crate) fn generation_of(
        directory: &Path,
        mut files: BTreeMap<String, Vec<u8>>,
    ) -> Option<String> {
        let manifest = String::from_utf8(files.remove(MANIFEST)?).ok()?;
        let nameless = manifest.replace(&directory.display().to_string(), NAMELESS);
        Some(hash(&nameless, &files))
    }
}

fn text(manifest: &Value) -> String {
    format!("{manifest:#}\n")
}

fn hash(manifest: &str, contents: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hash = Sha256::new();
    let named = contents
        .iter()
        .map(|(name, content)| (name.as_str(), content.as_slice()));
    for (name, content) in std::iter::once((MANIFEST, manifest.as_bytes())).chain(named) {
        // Lengths go in too, so that no two versions look alike.
        for part in [name.as_bytes(), content] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hexadecimal(&hash.finalize())[..DIGITS].to_owned()
}
