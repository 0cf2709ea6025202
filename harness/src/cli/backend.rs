//! Where cases run: the argument that `run` and `replay` share, and what must be there before a start.

use clap::ValueEnum;

use super::exit::{Exit, Failure};
use crate::docker::Engine;
use crate::image::{self, Recipe};
use crate::runner::{self, Containers};

/// Where cases run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// Real clusters in containers.
    Docker,
    /// The simulator.
    Sim,
}

impl Backend {
    /// Makes sure that it can be used: for containers, that the engine answers and has the image for
    /// this minor version of Kubernetes.
    ///
    /// # Errors
    /// What is missing on this host, with the way out.
    pub async fn ready(
        self,
        image: Option<&str>,
        kubernetes: &str,
    ) -> Result<runner::Backend, Failure> {
        if self == Self::Sim {
            return Ok(runner::Backend::Simulator);
        }
        let unavailable = |error| Failure::new(Exit::Unavailable, error);
        let engine = Engine::connect().await.map_err(unavailable)?;
        let image = image_for(&engine, image, kubernetes).await?;
        Ok(runner::Backend::Docker(Containers { engine, image }))
    }
}

async fn image_for(
    engine: &Engine,
    image: Option<&str>,
    kubernetes: &str,
) -> Result<String, Failure> {
    let unavailable = |error| Failure::new(Exit::Unavailable, error);
    let image = match image {
        Some(image) => image.to_owned(),
        None => Recipe::find()
            .and_then(|recipe| recipe.reference(kubernetes))
            .map_err(|error| Failure::new(Exit::Unavailable, error))?,
    };
    if image::exists(engine, &image).await.map_err(unavailable)? {
        return Ok(image);
    }
    let words = format!("the engine has no image {image}; build it with `chrysalis image build`");
    Err(Failure::new(Exit::Unavailable, words))
}
