//! From a wish to an image.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::base::{Surroundings, base};
use super::cache::Cache;
use super::node::node;
use super::recipe::REPOSITORY;
use super::{ImageError, KubernetesMinor, Progress, Recipe};
use crate::docker::Engine;

/// Which image is wanted, and where intermediate results are kept.
#[derive(Clone, Debug)]
pub struct Wish {
    minor: KubernetesMinor,
    cache: PathBuf,
}

/// An image that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its name, such as `chrysalis/node:v1.34.4-0123456789ab`.
    pub reference: String,
    /// Whether it had been there before.
    pub reused: bool,
    /// How long it took.
    pub elapsed: Duration,
}

impl Wish {
    /// A node of this minor version of Kubernetes, such as `1.34`, with the cache where caches of
    /// this user are.
    ///
    /// # Errors
    /// When the version cannot be read, or this user has no cache directory.
    pub fn new(kubernetes_minor: &str) -> Result<Self, ImageError> {
        Self::with_cache(kubernetes_minor, None)
    }

    /// The same with the cache in `cache`, where it is given.
    ///
    /// # Errors
    /// As [`Wish::new`].
    pub fn with_cache(kubernetes_minor: &str, cache: Option<PathBuf>) -> Result<Self, ImageError> {
        let minor = KubernetesMinor::parse(kubernetes_minor)?;
        let cache = cache.map_or_else(Cache::default_directory, Ok)?;
        Ok(Self { minor, cache })
    }
}

/// Whether the engine has an image of this name.
///
/// # Errors
/// When the engine does not answer.
pub async fn exists(engine: &Engine, reference: &str) -> Result<bool, ImageError> {
    let asking = ImageError::engine(format!("look for image {reference}"));
    Ok(engine.image_id(reference).await.map_err(asking)?.is_some())
}

/// Makes sure that the wished image is there, and that it is the one named `latest`. `say` is called as things happen. Cancelling `stop`
/// ends the build; nothing half made bears an image's name, and helper containers are removed.
///
/// # Errors
/// When something is missing on this host, a stage fails, or the build was stopped.
pub async fn build(
    engine: &Engine,
    recipe: &Recipe,
    wish: &Wish,
    say: &(dyn Fn(Progress) + Sync),
    stop: &CancellationToken,
) -> Result<Built, ImageError> {
    let begun = Instant::now();
    let minor = wish.minor;
    let reference = recipe.reference(&minor.to_string())?;
    let there = async |reused| {
        let naming = ImageError::engine(format!("name {reference} the latest"));
        engine
            .tag_image(&reference, REPOSITORY, "latest")
            .await
            .map_err(naming)?;
        Ok(Built {
            reference: reference.clone(),
            reused,
            elapsed: begun.elapsed(),
        })
    };
    if exists(engine, &reference).await? {
        return there(true).await;
    }
    let cache = Cache::open(&wish.cache, say, stop).await?;
    // Whoever held the lock may have built the same image.
    if exists(engine, &reference).await? {
        return there(true).await;
    }
    let around = Surroundings {
        engine,
        recipe,
        minor,
        say,
        stop,
    };
    let made = async {
        let base = base(around, &cache).await?;
        node(around, &base, &reference).await
    };
    if let Err(error) = made.await {
        // Should this fail, the next build does it.
        let _ = cache.remove_unfinished();
        return Err(error);
    }
    there(false).await
}
