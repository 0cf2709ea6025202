//! Collecting facts. Nothing is judged here.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{EngineFacts, Facts, FsyncLatency, HostFacts, Kernel, NodeImage};
use crate::cluster::Profile;
use crate::docker::{Engine, EngineError, Owner, RunLabels};

/// How long what a probe makes may stay, should this process be killed while probing.
const PROBE_LIFE_S: u64 = 300;

/// Collects facts about the engine and this host. With the node image there, containers of it are
/// tried; they are removed again.
pub async fn gather(image: &str) -> Facts {
    let engine = engine_facts(image).await;
    let root = engine
        .as_ref()
        .ok()
        .map(|engine| engine.info.root_directory.clone());
    // The looks at the host read files and call fsync, which would hold up an asynchronous thread.
    let looking = tokio::task::spawn_blocking(move || host_facts(root.as_deref()));
    let host = looking.await.unwrap_or_default();
    Facts {
        engine: engine.map_err(|error| words(&error)),
        host,
    }
}

async fn engine_facts(name: &str) -> Result<EngineFacts, EngineError> {
    let engine = Engine::connect().await?;
    let info = engine.info().await?;
    let name = name.to_owned();
    let image = match engine.image_id(&name).await? {
        None => NodeImage::Absent { name },
        Some(_) => {
            let profile = Profile::probe(&engine, &name, &probe_labels()).await;
            let profile = profile.map(|profile| profile.to_string());
            NodeImage::Present {
                name,
                profile: profile.map_err(|error| words(&error)),
            }
        }
    };
    let (version, api_version) = (engine.version.clone(), engine.api_version.clone());
    Ok(EngineFacts {
        version,
        api_version,
        info,
        image,
    })
}

fn host_facts(engine_root: Option<&str>) -> HostFacts {
    let engine_root = engine_root
        .filter(|root| !root.is_empty())
        .unwrap_or("/var/lib/docker");
    let bridged = fs::read_to_string("/proc/sys/net/bridge/bridge-nf-call-iptables").ok();
    HostFacts {
        kernel: Kernel::look(),
        root: rustix::process::geteuid().is_root(),
        bridged_packets_are_filtered: bridged.map(|value| value.trim() == "1"),
        inotify_instances: number("/proc/sys/fs/inotify/max_user_instances"),
        inotify_watches: number("/proc/sys/fs/inotify/max_user_watches"),
        free_disk_bytes: free_bytes(Path::new(engine_root)),
        available_memory_bytes: available_memory_bytes(),
        fsync: Some(
            FsyncLatency::measure(&fsync_directory(Path::new(engine_root)))
                .map_err(|error| error.to_string()),
        ),
    }
}

/// Where fsync is measured: beside the engine's data, since nodes' disks lie there; in the temporary
/// directory when that may not be written.
fn fsync_directory(engine_root: &Path) -> PathBuf {
    let writable = rustix::fs::access(engine_root, rustix::fs::Access::WRITE_OK).is_ok();
    if writable {
        engine_root.to_owned()
    } else {
        std::env::temp_dir()
    }
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Free space of the file system that holds `path`, or of the nearest directory above it that may
/// be looked at.
fn free_bytes(path: &Path) -> Option<u64> {
    let status = path
        .ancestors()
        .find_map(|path| rustix::fs::statvfs(path).ok())?;
    Some(status.f_bavail * status.f_frsize)
}

fn available_memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn probe_labels() -> RunLabels {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    RunLabels {
        run: "doctor".to_owned(),
        case: "doctor".to_owned(),
        deadline_s: now.as_secs() + PROBE_LIFE_S,
        owner: Owner::this_process(),
    }
}

fn words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", words(source)),
        None => error.to_string(),
    }
}
