//! `lock.json`: exactly what was run on what, so that a run can be compared with another.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::case::{Backend, Containers};

/// What was run on what.
#[derive(Debug, Serialize)]
pub(super) struct Lock {
    v: u32,
    chrysalis: &'static str,
    image: String,
    image_id: String,
    binaries: BTreeMap<String, String>,
    engine: String,
    engine_api: String,
    kernel: String,
    processors: usize,
    seed: u64,
}

impl Lock {
    /// Looks at everything. The simulator has neither image nor engine: those stay empty.
    pub(super) async fn read(backend: &Backend, seed: u64) -> Self {
        let mut lock = Self {
            v: 1,
            chrysalis: env!("CARGO_PKG_VERSION"),
            image: String::new(),
            image_id: String::new(),
            binaries: binaries(),
            engine: SIMULATOR.to_owned(),
            engine_api: String::new(),
            kernel: kernel(),
            processors: std::thread::available_parallelism().map_or(0, Into::into),
            seed,
        };
        if let Backend::Docker(Containers { engine, image }) = backend {
            lock.image.clone_from(image);
            lock.image_id = engine
                .image_id(image)
                .await
                .ok()
                .flatten()
                .unwrap_or_default();
            lock.engine.clone_from(&engine.version);
            lock.engine_api.clone_from(&engine.api_version);
        }
        lock
    }

    /// The host in one line.
    pub(super) fn host(&self) -> String {
        format!(
            "Linux {}, engine {}, {} processors",
            self.kernel, self.engine, self.processors
        )
    }
}

/// What `lock.json` calls the engine of a simulated run.
const SIMULATOR: &str = "sim";

fn kernel() -> String {
    rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned()
}

fn binaries() -> BTreeMap<String, String> {
    let Ok(here) = std::env::current_exe() else {
        return BTreeMap::new();
    };
    ["chrysalis", "selfhost", "chrysalis-observer"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), hash(&here.with_file_name(name))?)))
        .collect()
}

fn hash(path: &Path) -> Option<String> {
    let digest = Sha256::digest(std::fs::read(path).ok()?);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
