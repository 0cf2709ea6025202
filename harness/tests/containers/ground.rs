//! What every test stands on: an engine, an image, a name of its own, and a clean end.

use std::future::Future;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrysalis::cluster::{Cluster, ClusterSpec, Up};
use chrysalis::docker::{
    Access, Container, ContainerSpec, Engine, Owned, Owner, Privilege, Role, RunLabels,
};
use tokio_util::sync::CancellationToken;

/// Longer than any single wait of these tests should take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An engine, an image, and a cluster name that no other test has.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) engine: Engine,
    pub(crate) image: String,
    pub(crate) name: String,
}

/// Runs a test and removes whatever bears its cluster's name, even when it panics.
pub(crate) fn on_ground<Test, Ends>(test: Test)
where
    Test: FnOnce(Ground) -> Ends + Send + 'static,
    Ends: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let ground = Ground::find().await;
        let (engine, name) = (ground.engine.clone(), ground.name.clone());
        let outcome = tokio::spawn(async move { test(ground).await }).await;
        for name in [name.clone(), format!("{name}-b")] {
            Cluster::remove(&engine, &name)
                .await
                .expect("what a test made can be removed");
        }
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic.into_panic());
        }
    });
}

impl Ground {
    async fn find() -> Self {
        let engine = Engine::connect()
            .await
            .unwrap_or_else(|error| panic!("no container engine: {error}; `ci/engine` starts one"));
        let image =
            std::env::var("CHRYSALIS_IMAGE").unwrap_or_else(|_| "chrysalis/node:latest".to_owned());
        let there = engine.image_id(&image).await.expect("the engine answers");
        assert!(
            there.is_some(),
            "no node image {image}: build it with `chrysalis image build`"
        );
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            engine,
            image,
            name: format!("test-{}-{next}", std::process::id()),
        }
    }

    pub(crate) fn labels(&self) -> RunLabels {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("it is later than 1970");
        RunLabels {
            run: self.name.clone(),
            case: "test".to_owned(),
            deadline_s: now.as_secs() + 600,
            owner: Owner::this_process(),
        }
    }

    /// The command of this project, with a state directory that is not the user's.
    pub(crate) fn command(&self, state: &std::path::Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chrysalis"));
        command
            .env("XDG_STATE_HOME", state)
            .env("CHRYSALIS_IMAGE", &self.image);
        command
    }

    /// A running container that does nothing, without a cluster around it.
    pub(crate) async fn idle_container(&self) -> Owned<Container> {
        let spec = ContainerSpec {
            name: format!("{}-idle", self.name),
            hostname: "idle".to_owned(),
            image: self.image.clone(),
            entrypoint: Some(vec!["/bin/sleep".to_owned()]),
            command: Some(vec!["infinity".to_owned()]),
            environment: Vec::new(),
            stop_signal: None,
            privilege: Privilege::Ordinary,
            terminal: false,
            tmpfs: vec![("/var".to_owned(), String::new())],
            volumes: Vec::new(),
            read_only_binds: Vec::new(),
            access: Access::None,
            labels: self.labels().of(&self.name, Some("idle"), Role::Probe),
        };
        let container = self
            .engine
            .create_container(spec)
            .await
            .expect("it can be made");
        self.engine
            .start(&container)
            .await
            .expect("it can be started");
        container
    }

    pub(crate) async fn bare(&self, name: &str, control_plane: u32, workers: u32) -> Up {
        let spec = ClusterSpec::new(name, control_plane, workers, &self.image, "1.34")
            .expect("the specification is right");
        let cancel = CancellationToken::new();
        Cluster::up(&self.engine, &spec, &self.labels(), &|_| {}, &cancel)
            .await
            .unwrap_or_else(|error| panic!("{name} does not come up: {}", chain(&error)))
    }

    /// Whether nothing bears the cluster's name.
    pub(crate) async fn nothing_left(&self, name: &str) -> bool {
        self.engine
            .find(Some(name))
            .await
            .expect("the engine answers")
            .is_empty()
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// A command as words.
pub(crate) fn words(command: &[&str]) -> Vec<String> {
    command.iter().map(|word| (*word).to_owned()).collect()
}
