//! How nodes may run on this host.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tokio::sync::Mutex;

use super::ClusterError;
use crate::docker::{
    Access, Container, ContainerSpec, Engine, EngineError, Owned, Power, Privilege, Role, RunLabels,
};

/// How nodes may run on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The engine's `--privileged`.
    Privileged,
    /// All capabilities but CAP_SYS_RESOURCE, and everything unconfined: for hosts whose own
    /// bounding set lacks that capability, where `--privileged` is refused.
    Capabilities,
}

impl Profile {
    /// What a container of this profile may do.
    pub(crate) fn privilege(self) -> Privilege {
        match self {
            Self::Privileged => Privilege::Privileged,
            Self::Capabilities => Privilege::Without(vec!["SYS_RESOURCE".to_owned()]),
        }
    }

    /// Finds out by trying: a container of each profile runs `/bin/true`. The answer is remembered
    /// as long as this process lives.
    ///
    /// # Errors
    /// [`ClusterError::NoProfile`] with the engine's words when neither runs.
    pub async fn probe(
        engine: &Engine,
        image: &str,
        labels: &RunLabels,
    ) -> Result<Self, ClusterError> {
        // The lock is held while probing, so that clusters that start side by side probe once.
        let mut known = KNOWN.lock().await;
        if let Some(profile) = known.get(image) {
            return Ok(*profile);
        }
        let (privileged, capabilities) = tokio::join!(
            Self::Privileged.runs(engine, image, labels),
            Self::Capabilities.runs(engine, image, labels)
        );
        let profile = match (privileged, capabilities) {
            (Ok(()), _) => Self::Privileged,
            (Err(_), Ok(())) => Self::Capabilities,
            (Err(privileged), Err(capabilities)) => {
                let image = image.to_owned();
                return Err(ClusterError::NoProfile {
                    image,
                    privileged,
                    capabilities,
                });
            }
        };
        known.insert(image.to_owned(), profile);
        Ok(profile)
    }

    async fn runs(self, engine: &Engine, image: &str, labels: &RunLabels) -> Result<(), String> {
        let name = format!("chrysalis-probe-{self}-{}-{}", std::process::id(), unique());
        let spec = ContainerSpec {
            name: name.clone(),
            hostname: "probe".to_owned(),
            image: image.to_owned(),
            entrypoint: Some(vec!["/bin/true".to_owned()]),
            command: Some(Vec::new()),
            environment: Vec::new(),
            stop_signal: None,
            privilege: self.privilege(),
            terminal: false,
            // Keeps the engine from copying the image's /var into a volume of its own.
            tmpfs: vec![("/var".to_owned(), String::new())],
            volumes: Vec::new(),
            read_only_binds: Vec::new(),
            access: Access::None,
            labels: labels.of(&name, None, Role::Probe),
        };
        let container = engine.create_container(spec).await.map_err(words)?;
        let outcome = ends_well(engine, &container).await;
        let removed = engine.remove_container(&container).await.map_err(words);
        outcome.and(removed)
    }
}

static KNOWN: Mutex<BTreeMap<String, Profile>> = Mutex::const_new(BTreeMap::new());

async fn ends_well(engine: &Engine, container: &Owned<Container>) -> Result<(), String> {
    engine.start(container).await.map_err(words)?;
    let deadline = Duration::from_secs(20);
    let ended = engine
        .wait_for_power(container, Power::Off, deadline)
        .await
        .map_err(words)?;
    match ended.exit_code {
        0 => Ok(()),
        code => Err(format!("/bin/true ended with code {code}")),
    }
}

/// Distinguishes probes of one process: names must not collide while one is being removed.
fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn words(error: EngineError) -> String {
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Privileged => "privileged",
            Self::Capabilities => "capabilities",
        })
    }
}
