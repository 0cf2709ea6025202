//! The node images that there are.

use super::{ImageError, LABEL_HASH, LABEL_KUBERNETES};
use crate::docker::{Engine, ImageFacts};

/// A node image on the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeImage {
    /// Its name; the id where it has lost its name.
    pub reference: String,
    /// The version of Kubernetes in it, such as `v1.34.4`.
    pub kubernetes: String,
    /// The hash of what it was made from.
    pub hash: String,
    /// Its size in bytes, layers shared with other images included.
    pub bytes: u64,
    /// When it was made, in seconds since 1970.
    pub created_s: i64,
}

/// The node images on the engine, newest first.
///
/// # Errors
/// When the engine does not answer.
pub async fn list(engine: &Engine) -> Result<Vec<NodeImage>, ImageError> {
    let found = engine
        .images(LABEL_HASH)
        .await
        .map_err(ImageError::engine("list node images"))?;
    Ok(found.into_iter().flat_map(named).collect())
}

/// One row a name: an image may bear several.
fn named(image: ImageFacts) -> Vec<NodeImage> {
    let label = |name: &str| image.labels.get(name).cloned().unwrap_or_default();
    // An image without a name is listed by the engine as `<none>:<none>`.
    let mut names = image.references.clone();
    names.retain(|name| !name.starts_with("<none>"));
    if names.is_empty() {
        names.push(
            image
                .id
                .trim_start_matches("sha256:")
                .chars()
                .take(12)
                .collect(),
        );
    }
    names
        .into_iter()
        .map(|reference| NodeImage {
            reference,
            kubernetes: label(LABEL_KUBERNETES),
            hash: label(LABEL_HASH),
            bytes: image.bytes,
            created_s: image.created_s,
        })
        .collect()
}
