//! The node image: from a recipe of plain files to an image on the engine, named after its content.
//!
//! **Vocabulary.** A [`Recipe`] is the directory `ci/image` together with the pod-network binary;
//! a *wrapper* is a Go module in it that pins commands; a *stage* makes one thing (root file
//! system, commands of a wrapper, base image, node image) from inputs whose hash names the result.
//!
//! ```no_run
//! # async fn example(engine: chrysalis::docker::Engine) -> Result<(), chrysalis::image::ImageError> {
//! let recipe = chrysalis::image::Recipe::find()?;
//! let reference = recipe.reference("1.34")?;
//! if !chrysalis::image::exists(&engine, &reference).await? {
//!     let wish = chrysalis::image::Wish::new("1.34")?;
//!     let stop = tokio_util::sync::CancellationToken::new();
//!     chrysalis::image::build(&engine, &recipe, &wish, &|said| eprintln!("{said}"), &stop).await?;
//! }
//! # Ok(()) }
//! ```
//!
//! **Limits.** Only for this machine's own architecture, x86-64. Debian's packages are those of the
//! day when the root file system was made; `/kind/packages` in the image lists their versions.

mod base;
mod build;
mod cache;
mod command;
mod error;
mod fingerprint;
mod list;
mod node;
mod progress;
mod recipe;
mod version;

pub use build::{Built, Wish, build, exists};
pub use error::ImageError;
pub use fingerprint::Fingerprint;
pub use list::{NodeImage, list};
pub use progress::Progress;
pub use recipe::Recipe;
pub use version::KubernetesMinor;

/// The label of a node image that holds the hash of everything that it was made from.
pub const LABEL_HASH: &str = "chrysalis.image.hash";
/// The label of a node image that holds its Kubernetes version, such as `v1.34.4`.
pub const LABEL_KUBERNETES: &str = "chrysalis.kubernetes";
