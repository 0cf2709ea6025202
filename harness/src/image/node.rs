//! The last stage: from the base image to a node image.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::base::Surroundings;
use super::command::tail;
use super::fingerprint::files_below;
use super::{ImageError, LABEL_HASH, LABEL_KUBERNETES, Progress, Recipe};
use crate::docker::{
    Access, Container, ContainerSpec, ContextContent, ContextFile, Engine, EngineError, ImageSpec,
    NodeFile, Owned, Owner, Power, Privilege, Role, RunLabels, Volume, VolumeMount,
};

/// How long the helper may take; usually ten seconds.
const FINISH_DEADLINE: Duration = Duration::from_secs(10 * 60);
/// How long a copy into or out of the helper, or the last build, may take.
const COPY_DEADLINE: Duration = Duration::from_secs(5 * 60);
/// The most that `finish` may add to the base image: 1 GiB. It is about 20 MiB.
const RESULT_BYTES_MAX: usize = 1 << 30;

/// Builds the node image `reference` upon the base image `base`.
pub(crate) async fn node(
    around: Surroundings<'_>,
    base: &str,
    reference: &str,
) -> Result<(), ImageError> {
    let Surroundings {
        engine,
        recipe,
        minor,
        say,
        stop,
    } = around;
    let stage = "node image".to_owned();
    let begun = Instant::now();
    say(Progress::Begun {
        stage: stage.clone(),
        usual: Duration::from_secs(15),
    });
    let kubernetes = recipe.kubernetes(minor)?;
    let hash = recipe.fingerprint(minor)?.to_string();
    let files = helper_files(recipe)?;

    let helper = Helper::create(engine, base, &kubernetes).await?;
    let made = tokio::select! {
        made = helper.result(engine, files) => made,
        () = stop.cancelled() => Err(ImageError::Interrupted),
    };
    // Whatever happened: the helper goes first, then what happened is told.
    let removed = helper.remove(engine).await;
    let added = made?;
    removed?;

    let spec = node_spec(recipe, base, reference, added, &hash, &kubernetes)?;
    let built = tokio::select! {
        built = engine.build_image(spec, COPY_DEADLINE) => built,
        () = stop.cancelled() => return Err(ImageError::Interrupted),
    };
    built.map_err(ImageError::engine("build the node image"))?;
    say(Progress::Done {
        stage,
        elapsed: begun.elapsed(),
    });
    Ok(())
}

/// The container that runs `finish`, and its volume.
struct Helper {
    container: Owned<Container>,
    volume: Owned<Volume>,
}

impl Helper {
    async fn create(engine: &Engine, base: &str, kubernetes: &str) -> Result<Self, ImageError> {
        let name = format!("chrysalis-image-{}", std::process::id());
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let labels = RunLabels {
            run: name.clone(),
            case: "image".to_owned(),
            deadline_s: (now + 2 * FINISH_DEADLINE).as_secs(),
            owner: Owner::this_process(),
        }
        .of(&name, None, Role::Probe);
        let volume = engine
            .create_volume(&name, labels.clone())
            .await
            .map_err(ImageError::engine("make the volume for containerd's store"))?;
        let spec = ContainerSpec {
            name: name.clone(),
            hostname: "image".to_owned(),
            image: base.to_owned(),
            entrypoint: Some(vec!["/kind/recipe/finish".to_owned()]),
            command: Some(vec![kubernetes.to_owned()]),
            environment: Vec::new(),
            stop_signal: Some("SIGKILL".to_owned()),
            // containerd mounts what it unpacks. A host that lacks this one capability refuses to
            // grant it, and `finish` does not need it.
            privilege: Privilege::Without(vec!["SYS_RESOURCE".to_owned()]),
            terminal: false,
            tmpfs: Vec::new(),
            volumes: vec![VolumeMount {
                volume: volume.clone(),
                path: "/import".to_owned(),
            }],
            read_only_binds: Vec::new(),
            access: Access::None,
            labels,
        };
        match engine.create_container(spec).await {
            Ok(container) => Ok(Self { container, volume }),
            Err(error) => {
                // What is told is the first failure; a volume that stays is left to `reap`.
                let _ = engine.remove_volume(&volume).await;
                Err(ImageError::engine("make the helper container")(error))
            }
        }
    }

    /// Runs `finish`; what it adds to the base image, as a tar archive.
    async fn result(&self, engine: &Engine, files: Vec<NodeFile>) -> Result<Bytes, ImageError> {
        let Self {
            container,
            volume: _,
        } = self;
        let archive = NodeFile::archive(&files);
        let run = async {
            engine
                .upload(container, "/", archive, COPY_DEADLINE)
                .await?;
            engine.start(container).await?;
            engine
                .wait_for_power(container, Power::Off, FINISH_DEADLINE)
                .await
        };
        let helping = || ImageError::engine("run `finish` in the helper container");
        let ended = run.await.map_err(helping())?;
        if ended.exit_code != 0 {
            let words = engine.logs(container, 20).await.map_err(helping())?;
            return Err(ImageError::Finish {
                code: ended.exit_code,
                words: tail(&words, 20),
            });
        }
        let copied = engine
            .download(
                container,
                "/import/node.tar",
                RESULT_BYTES_MAX,
                COPY_DEADLINE,
            )
            .await
            .map_err(ImageError::engine("fetch the result of `finish`"))?;
        only_entry(&copied)
    }

    async fn remove(&self, engine: &Engine) -> Result<(), ImageError> {
        let remove = async {
            engine.remove_container(&self.container).await?;
            engine.remove_volume(&self.volume).await?;
            Ok::<(), EngineError>(())
        };
        remove.await.map_err(ImageError::engine(
            "remove the helper container; `chrysalis reap` does it later",
        ))
    }
}

/// The engine packs the archive that was asked for into another one.
fn only_entry(archive: &[u8]) -> Result<Bytes, ImageError> {
    let read = || {
        let mut archive = tar::Archive::new(archive);
        let mut content = Vec::new();
        for entry in archive.entries()? {
            std::io::copy(&mut entry?, &mut content)?;
        }
        Ok(content.into())
    };
    read().map_err(ImageError::file("read the result of `finish`"))
}

/// What is put into the helper: the node's files at their places, and `finish` with its lists.
fn helper_files(recipe: &Recipe) -> Result<Vec<NodeFile>, ImageError> {
    let read = |path: &Path, place: String| {
        let reading = || ImageError::file(format!("read {}", path.display()));
        let executable = fs::metadata(path).map_err(reading())?.permissions().mode() & 0o111 != 0;
        let mode = if executable { 0o755 } else { 0o644 };
        Ok(NodeFile::new(
            place,
            mode,
            fs::read(path).map_err(reading())?,
        ))
    };
    let mut files = Vec::new();
    let tree = recipe.path("node");
    let listing = ImageError::file(format!("list {}", tree.display()));
    for file in files_below(&tree, Path::new("")).map_err(listing)? {
        files.push(read(&tree.join(&file), format!("/{}", file.display()))?);
    }
    for name in ["finish", "components", "masked-units"] {
        files.push(read(&recipe.path(name), format!("/kind/recipe/{name}"))?);
    }
    let agent = "/kind/layers/pod-network/usr/local/bin/pod-network";
    files.push(read(recipe.pod_network()?, agent.to_owned())?);
    Ok(files)
}

fn node_spec(
    recipe: &Recipe,
    base: &str,
    reference: &str,
    added: Bytes,
    hash: &str,
    kubernetes: &str,
) -> Result<ImageSpec, ImageError> {
    let dockerfile = recipe.path("Dockerfile.node");
    let reading = format!("read {}", dockerfile.display());
    Ok(ImageSpec {
        reference: reference.to_owned(),
        dockerfile: fs::read_to_string(&dockerfile).map_err(ImageError::file(reading))?,
        files: vec![ContextFile {
            path: "node.tar".to_owned(),
            mode: 0o644,
            content: ContextContent::Bytes(added),
        }],
        arguments: HashMap::from([("BASE".to_owned(), base.to_owned())]),
        labels: HashMap::from([
            (LABEL_HASH.to_owned(), hash.to_owned()),
            (LABEL_KUBERNETES.to_owned(), kubernetes.to_owned()),
            ("chrysalis.image.stage".to_owned(), "node".to_owned()),
        ]),
    })
}
