//! What the engine says about itself.

use super::verb::{QUICK, verb};
use super::{Engine, EngineError};

/// What the engine says about itself and its host. Empty or zero where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineInfo {
    /// Such as `Debian GNU/Linux 12 (bookworm)` or `Docker Desktop`.
    pub operating_system: String,
    /// The kernel's version.
    pub kernel: String,
    /// `1` or `2`.
    pub cgroup_version: String,
    /// `cgroupfs` or `systemd`.
    pub cgroup_driver: String,
    /// Such as `overlay2`.
    pub storage_driver: String,
    /// Where the engine keeps images and volumes.
    pub root_directory: String,
    /// Processors.
    pub processors: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Such as `name=seccomp,profile=default` or `name=rootless`.
    pub security_options: Vec<String>,
}

impl Engine {
    /// Asks the engine about itself.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn info(&self) -> Result<EngineInfo, EngineError> {
        let answer = verb("describe itself", QUICK, self.api.info()).await?;
        Ok(EngineInfo {
            operating_system: answer.operating_system.unwrap_or_default(),
            kernel: answer.kernel_version.unwrap_or_default(),
            cgroup_version: answer
                .cgroup_version
                .map(|v| v.to_string())
                .unwrap_or_default(),
            cgroup_driver: answer
                .cgroup_driver
                .map(|d| d.to_string())
                .unwrap_or_default(),
            storage_driver: answer.driver.unwrap_or_default(),
            root_directory: answer.docker_root_dir.unwrap_or_default(),
            processors: answer
                .ncpu
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or_default(),
            memory_bytes: answer
                .mem_total
                .and_then(|bytes| u64::try_from(bytes).ok())
                .unwrap_or_default(),
            security_options: answer.security_options.unwrap_or_default(),
        })
    }
}
