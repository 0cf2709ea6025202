//! The slow stages: root file system, commands of the wrappers, base image.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::cache::Cache;
use super::command::Script;
use super::{ImageError, KubernetesMinor, Progress, Recipe};
use crate::docker::{ContextContent, ContextFile, Engine, ImageSpec};

/// What a stage needs from its surroundings.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) recipe: &'a Recipe,
    pub(crate) minor: KubernetesMinor,
    pub(crate) say: &'a (dyn Fn(Progress) + Sync),
    pub(crate) stop: &'a CancellationToken,
}

/// How long the engine may take to build the base image; usually half a minute.
const BASE_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// Makes sure that the base image is there, and returns its name.
pub(crate) async fn base(around: Surroundings<'_>, cache: &Cache) -> Result<String, ImageError> {
    let Surroundings {
        engine,
        recipe,
        minor,
        say,
        stop,
    } = around;
    let reference = recipe.base_reference(minor)?;
    let asking = ImageError::engine(format!("look for base image {reference}"));
    if engine.image_id(&reference).await.map_err(asking)?.is_some() {
        say(Progress::Reused("base image".to_owned()));
        return Ok(reference);
    }
    require(
        "go",
        "install Go 1.24 or later (https://go.dev/doc/install) and put it on the PATH",
    )?;
    // The root file system waits for downloads while the commands wait for processors. The
    // wrappers go one after another: one compiler run fills all processors, two fill the memory.
    let (rootfs, commands) = side_by_side(around, cache).await?;

    let stage = "base image".to_owned();
    let begun = Instant::now();
    say(Progress::Begun {
        stage: stage.clone(),
        usual: Duration::from_secs(30),
    });
    let spec = base_spec(recipe, &reference, rootfs, &commands)?;
    let building = engine.build_image(spec, BASE_DEADLINE);
    let built = tokio::select! {
        built = building => built,
        () = stop.cancelled() => return Err(ImageError::Interrupted),
    };
    built.map_err(ImageError::engine("build the base image"))?;
    say(Progress::Done {
        stage,
        elapsed: begun.elapsed(),
    });
    Ok(reference)
}

/// Runs the stages that do not need each other. When one fails the other is asked to stop and is
/// waited for, so that its processes have cleaned up before the failure is told.
async fn side_by_side(
    around: Surroundings<'_>,
    cache: &Cache,
) -> Result<(PathBuf, Vec<PathBuf>), ImageError> {
    let stop = around.stop.child_token();
    let around = Surroundings {
        stop: &stop,
        ..around
    };
    let (rootfs, commands) = tokio::join!(
        stopping(&stop, root_file_system(around, cache)),
        stopping(&stop, commands(around, cache))
    );
    match (rootfs, commands) {
        (Ok(rootfs), Ok(commands)) => Ok((rootfs, commands)),
        // The one that was stopped because of the other has nothing to tell.
        (Err(ImageError::Interrupted), Err(error)) => Err(error),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

async fn stopping<T>(
    stop: &CancellationToken,
    stage: impl Future<Output = Result<T, ImageError>>,
) -> Result<T, ImageError> {
    let ended = stage.await;
    if ended.is_err() {
        stop.cancel();
    }
    ended
}

async fn root_file_system(around: Surroundings<'_>, cache: &Cache) -> Result<PathBuf, ImageError> {
    let Surroundings {
        recipe, say, stop, ..
    } = around;
    let stage = "root file system";
    let name = format!(
        "rootfs-{}.tar",
        recipe.stage(&["packages", "rootfs"])?.short()
    );
    if cache.finished(&name).exists() {
        say(Progress::Reused(stage.to_owned()));
        return Ok(cache.finished(&name));
    }
    let script = Script {
        stage,
        usual: Duration::from_secs(80),
        program: recipe.path("rootfs"),
        arguments: vec![cache.unfinished(&name).display().to_string()],
        log: cache.log("rootfs"),
    };
    script.run(say, stop).await?;
    cache.keep(&name)
}

/// Compiles what is not there yet; returns the directories with the commands.
async fn commands(around: Surroundings<'_>, cache: &Cache) -> Result<Vec<PathBuf>, ImageError> {
    let Surroundings {
        recipe,
        minor,
        say,
        stop,
        ..
    } = around;
    let mut directories = Vec::new();
    for wrapper in recipe.wrappers(minor) {
        let name = format!(
            "{wrapper}-{}",
            recipe.stage(&["compile", &wrapper])?.short()
        );
        if cache.finished(&name).exists() {
            say(Progress::Reused(wrapper));
            directories.push(cache.finished(&name));
            continue;
        }
        let script = Script {
            stage: &wrapper,
            usual: usual_compilation(&wrapper),
            program: recipe.path("compile"),
            arguments: vec![
                wrapper.clone(),
                cache.unfinished(&name).display().to_string(),
            ],
            log: cache.log(&wrapper),
        };
        script.run(say, stop).await?;
        directories.push(cache.keep(&name)?);
    }
    Ok(directories)
}

/// Seconds on two cores with an empty compiler cache.
fn usual_compilation(wrapper: &str) -> Duration {
    Duration::from_secs(match wrapper {
        "pause" => 2,
        "etcd" => 40,
        "coredns" => 70,
        _ => 300,
    })
}

fn base_spec(
    recipe: &Recipe,
    reference: &str,
    rootfs: PathBuf,
    directories: &[PathBuf],
) -> Result<ImageSpec, ImageError> {
    let dockerfile = recipe.path("Dockerfile.base");
    let reading = format!("read {}", dockerfile.display());
    let dockerfile = fs::read_to_string(&dockerfile).map_err(ImageError::file(reading))?;
    let mut files = vec![ContextFile {
        path: "rootfs.tar".to_owned(),
        mode: 0o644,
        content: ContextContent::File(rootfs),
    }];
    for directory in directories {
        let reading = format!("list {}", directory.display());
        for path in listed(directory).map_err(ImageError::file(reading))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            files.push(ContextFile {
                path: format!("bin/{name}"),
                mode: 0o755,
                content: ContextContent::File(path.clone()),
            });
        }
    }
    Ok(ImageSpec {
        reference: reference.to_owned(),
        dockerfile,
        files,
        arguments: HashMap::new(),
        labels: HashMap::from([("chrysalis.image.stage".to_owned(), "base".to_owned())]),
    })
}

fn listed(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Looks for a command before anything is started that would need it.
fn require(command: &'static str, way_out: &'static str) -> Result<(), ImageError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::split_paths(&path).any(|directory| directory.join(command).is_file());
    if there {
        Ok(())
    } else {
        Err(ImageError::Missing { command, way_out })
    }
}
