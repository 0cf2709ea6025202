//! What was found on this host, without judgement.

use super::{FsyncLatency, Kernel};
use crate::docker::EngineInfo;

/// Everything that [`super::examine`] judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The engine, or why it cannot be used.
    pub engine: Result<EngineFacts, String>,
    /// The host that this process runs on.
    pub host: HostFacts,
}

/// What the engine said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFacts {
    /// Such as `20.10.24`.
    pub version: String,
    /// Such as `1.41`.
    pub api_version: String,
    /// Its description of itself.
    pub info: EngineInfo,
    /// The node image.
    pub image: NodeImage,
}

/// The node image, and what trying it gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeImage {
    /// The engine does not have it.
    Absent {
        /// Its name.
        name: String,
    },
    /// It is there.
    Present {
        /// Its name.
        name: String,
        /// The node profile that works, or why none does.
        profile: Result<String, String>,
    },
}

/// What was seen on the host itself. `None` and [`super::Presence::Unknown`] mean that it could not
/// be seen, which is not the same as being absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// What the kernel can do.
    pub kernel: Kernel,
    /// Whether this process may change routes and packet filters.
    pub root: bool,
    /// `net.bridge.bridge-nf-call-iptables`.
    pub bridged_packets_are_filtered: Option<bool>,
    /// `fs.inotify.max_user_instances`.
    pub inotify_instances: Option<u64>,
    /// `fs.inotify.max_user_watches`.
    pub inotify_watches: Option<u64>,
    /// Free space where the engine keeps its data, in bytes.
    pub free_disk_bytes: Option<u64>,
    /// Memory that can be used without swapping, in bytes.
    pub available_memory_bytes: Option<u64>,
    /// How long an fsync takes, or why it could not be measured.
    pub fsync: Option<Result<FsyncLatency, String>>,
}
