//! `chrysalis image`: build and list node images.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::exit::{Exit, Failure, Outcome};
use super::interrupt;
use crate::console::lines::{say, tell};
use crate::docker::Engine;
use crate::image::{self, ImageError, Recipe, Wish};

/// Arguments of `chrysalis image`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Build the node image, or find that it is there already.
    ///
    /// The image's name, which ends in a hash of everything that it is made from, is printed on
    /// standard output; progress goes to standard error. It is also tagged chrysalis/node:latest.
    ///
    /// Example: chrysalis image build --kubernetes 1.34
    #[command(verbatim_doc_comment)]
    Build(BuildArguments),
    /// Show the node images on this engine, newest first.
    ///
    /// Example: chrysalis image list
    #[command(verbatim_doc_comment)]
    List,
}

#[derive(Debug, Args)]
struct BuildArguments {
    /// The minor version of Kubernetes; the recipe pins the patch.
    #[arg(long, value_name = "MINOR", default_value = "1.34")]
    kubernetes: String,
    /// Where finished stages are kept [default: $XDG_CACHE_HOME/chrysalis or ~/.cache/chrysalis]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// The recipe [default: ci/image, searched upwards from here and from this program]
    #[arg(long, value_name = "DIR")]
    recipe: Option<PathBuf>,
    /// The pod-network agent's binary [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pod_network: Option<PathBuf>,
}

/// Does what the arguments ask for.
///
/// # Errors
/// When the image cannot be built, or the engine does not answer.
pub async fn run(arguments: Arguments) -> Outcome {
    match arguments.verb {
        Verb::Build(arguments) => build(arguments).await,
        Verb::List => list().await,
    }
}

async fn build(arguments: BuildArguments) -> Outcome {
    let BuildArguments {
        kubernetes,
        cache,
        recipe,
        pod_network,
    } = arguments;
    let wish = Wish::with_cache(&kubernetes, cache).map_err(failure)?;
    let recipe = find(recipe.as_deref(), pod_network).map_err(failure)?;
    // Mistakes on the command line show before the engine is asked for anything.
    recipe.reference(&kubernetes).map_err(failure)?;
    let engine = engine().await?;
    let stop = interrupt::token()?;
    let say = |progress| tell!("{progress}");
    let built = image::build(&engine, &recipe, &wish, &say, &stop)
        .await
        .map_err(failure)?;
    let what = if built.reused {
        "there already"
    } else {
        "built"
    };
    tell!("[image] {what} ({:.1} s)", built.elapsed.as_secs_f64());
    say!("{}", built.reference);
    Ok(Exit::Success)
}

fn find(recipe: Option<&Path>, pod_network: Option<PathBuf>) -> Result<Recipe, ImageError> {
    let recipe = recipe.map_or_else(Recipe::find, Recipe::at)?;
    Ok(match pod_network {
        Some(file) => recipe.with_pod_network(file),
        None => recipe,
    })
}

async fn list() -> Outcome {
    let images = image::list(&engine().await?).await.map_err(failure)?;
    if images.is_empty() {
        say!("there is no node image; make one with `chrysalis image build`");
        return Ok(Exit::Success);
    }
    say!("{:<44} {:<11} {:>8}  MADE", "NAME", "KUBERNETES", "SIZE");
    for found in images {
        let made = Timestamp::from_second(found.created_s)
            .map_or_else(|_| "unknown".to_owned(), |time| time.to_string());
        let size = format!("{} MB", found.bytes / 1_000_000);
        say!(
            "{:<44} {:<11} {size:>8}  {made}",
            found.reference,
            found.kubernetes
        );
    }
    Ok(Exit::Success)
}

async fn engine() -> Result<Engine, Failure> {
    Engine::connect()
        .await
        .map_err(|error| Failure::new(Exit::Unavailable, error))
}

/// The code that a command ends with when there is no image.
fn failure(error: ImageError) -> Failure {
    let exit = match &error {
        ImageError::BadVersion(_)
        | ImageError::UnknownMinor { .. }
        | ImageError::NotARecipe(_)
        | ImageError::NoRecipe(_) => Exit::Usage,
        ImageError::NoPodNetwork(_)
        | ImageError::Missing { .. }
        | ImageError::Unavailable { .. }
        | ImageError::Locked { .. } => Exit::Unavailable,
        ImageError::Interrupted => Exit::Interrupted,
        _ => Exit::Failed,
    };
    Failure::new(exit, error)
}
