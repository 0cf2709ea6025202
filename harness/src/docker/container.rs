//! Containers: making, starting, signalling and removing them.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig,
    HostConfigCgroupnsModeEnum, NetworkingConfig,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    RestartContainerOptionsBuilder, StopContainerOptionsBuilder,
};

use super::network::gone;
use super::verb::{SLOW, verb};
use super::{Container, Engine, EngineError, Labels, Network, Owned, Volume};

/// What a container may do to the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Privilege {
    /// What the engine gives to any container.
    #[default]
    Ordinary,
    /// The engine's `--privileged`.
    Privileged,
    /// Everything that `--privileged` gives, named piece by piece, except these capabilities:
    /// for hosts whose own bounding set lacks them.
    Without(Vec<String>),
}

/// A named volume and where it is mounted.
#[derive(Clone, Debug)]
pub struct VolumeMount {
    /// The volume.
    pub volume: Owned<Volume>,
    /// The path in the container.
    pub path: String,
}

/// How a container reaches others.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// It has no network at all.
    #[default]
    None,
    /// It sits on one network, at a fixed address that survives kill and start.
    Fixed {
        /// The network.
        network: Owned<Network>,
        /// The address.
        address: Ipv4Addr,
    },
}

/// A container to be made. It is never restarted by the engine: who lives and who is dead is
/// decided by scenarios.
#[derive(Clone, Debug)]
pub struct ContainerSpec {
    /// The container's name on the engine.
    pub name: String,
    /// The host name inside.
    pub hostname: String,
    /// The image.
    pub image: String,
    /// The entry point; `None` takes the image's.
    pub entrypoint: Option<Vec<String>>,
    /// The arguments; `None` takes the image's.
    pub command: Option<Vec<String>>,
    /// Environment variables, as `NAME=value`.
    pub environment: Vec<String>,
    /// The signal that asks the first process to stop, such as `SIGRTMIN+3`; `None` takes the
    /// image's.
    pub stop_signal: Option<String>,
    /// What it may do.
    pub privilege: Privilege,
    /// Whether the first process gets a terminal, which systemd needs to log to the console.
    pub terminal: bool,
    /// In-memory file systems: path and options.
    pub tmpfs: Vec<(String, String)>,
    /// Named volumes.
    pub volumes: Vec<VolumeMount>,
    /// Host directories that are mounted read-only at the same path.
    pub read_only_binds: Vec<PathBuf>,
    /// The network.
    pub access: Access,
    /// The labels.
    pub labels: Labels,
}

impl Engine {
    /// Makes a container without starting it.
    ///
    /// # Errors
    /// When the image is missing, the name is taken ([`EngineError::is_conflict`]), or the engine
    /// fails.
    pub async fn create_container(
        &self,
        spec: ContainerSpec,
    ) -> Result<Owned<Container>, EngineError> {
        let (name, labels) = (spec.name.clone(), spec.labels.clone());
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let doing = format!("create container {name} from image {}", spec.image);
        let request = self.api.create_container(Some(options), body(spec));
        let made = verb(doing, SLOW, request).await?;
        Ok(Owned::new(made.id, name, labels))
    }

    /// Starts a container. Starting a running one does nothing.
    ///
    /// # Errors
    /// When the engine or the container runtime fails.
    pub async fn start(&self, container: &Owned<Container>) -> Result<(), EngineError> {
        let doing = format!("start container {}", container.name());
        verb(doing, SLOW, self.api.start_container(&container.id, None)).await
    }

    /// Sends a signal to the container's first process; `SIGKILL` ends all its processes at once,
    /// as a power cut would, and the engine answers once they are gone.
    ///
    /// # Errors
    /// When the container does not run ([`EngineError::is_conflict`]), or the engine fails.
    pub async fn kill(
        &self,
        container: &Owned<Container>,
        signal: &str,
    ) -> Result<(), EngineError> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        let doing = format!("send {signal} to container {}", container.name());
        verb(
            doing,
            SLOW,
            self.api.kill_container(&container.id, Some(options)),
        )
        .await
    }

    /// Asks the first process to stop and kills it after `grace_s` seconds.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn stop(
        &self,
        container: &Owned<Container>,
        grace_s: u16,
    ) -> Result<(), EngineError> {
        let options = StopContainerOptionsBuilder::new()
            .t(i32::from(grace_s))
            .build();
        let deadline = SLOW + std::time::Duration::from_secs(u64::from(grace_s));
        let doing = format!("stop container {}", container.name());
        verb(
            doing,
            deadline,
            self.api.stop_container(&container.id, Some(options)),
        )
        .await
    }

    /// Stops (with a grace of `grace_s` seconds) and starts a container.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn restart(
        &self,
        container: &Owned<Container>,
        grace_s: u16,
    ) -> Result<(), EngineError> {
        let options = RestartContainerOptionsBuilder::new()
            .t(i32::from(grace_s))
            .build();
        let deadline = SLOW + std::time::Duration::from_secs(u64::from(grace_s));
        let doing = format!("restart container {}", container.name());
        verb(
            doing,
            deadline,
            self.api.restart_container(&container.id, Some(options)),
        )
        .await
    }

    /// Stops the clock of every process of a container.
    ///
    /// # Errors
    /// When the container does not run or is paused already, or the engine fails.
    pub async fn pause(&self, container: &Owned<Container>) -> Result<(), EngineError> {
        let doing = format!("pause container {}", container.name());
        verb(doing, SLOW, self.api.pause_container(&container.id)).await
    }

    /// Undoes [`Engine::pause`].
    ///
    /// # Errors
    /// When the container is not paused, or the engine fails.
    pub async fn unpause(&self, container: &Owned<Container>) -> Result<(), EngineError> {
        let doing = format!("unpause container {}", container.name());
        verb(doing, SLOW, self.api.unpause_container(&container.id)).await
    }

    /// Kills and removes a container with its anonymous volumes. One that is gone already counts
    /// as removed.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn remove_container(&self, container: &Owned<Container>) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        let doing = format!("remove container {}", container.name());
        let request = self.api.remove_container(&container.id, Some(options));
        match gone(verb(doing, SLOW, request).await) {
            // Somebody else's removal of the same container is under way: the wish is fulfilled.
            Err(error) if error.is_conflict() && error.says("already in progress") => Ok(()),
            other => other,
        }
    }
}

fn body(spec: ContainerSpec) -> ContainerCreateBody {
    let ContainerSpec {
        name: _,
        hostname,
        image,
        entrypoint,
        command,
        environment,
        stop_signal,
        privilege,
        terminal,
        tmpfs,
        volumes,
        read_only_binds,
        access,
        labels,
    } = spec;
    let mut binds: Vec<String> = volumes
        .iter()
        .map(|mount| format!("{}:{}", mount.volume.name(), mount.path))
        .collect();
    binds.extend(read_only_binds.iter().map(|path| {
        let path = path.display();
        format!("{path}:{path}:ro")
    }));
    let mut host = HostConfig {
        binds: Some(binds),
        tmpfs: Some(tmpfs.into_iter().collect()),
        publish_all_ports: Some(false),
        init: Some(false),
        ..Default::default()
    };
    grant(&mut host, privilege);
    let networking_config = attach(&mut host, access);
    ContainerCreateBody {
        hostname: Some(hostname),
        image: Some(image),
        entrypoint,
        cmd: command,
        env: Some(environment),
        stop_signal,
        tty: Some(terminal),
        labels: Some(labels.to_map()),
        host_config: Some(host),
        networking_config,
        ..Default::default()
    }
}

fn grant(host: &mut HostConfig, privilege: Privilege) {
    let unconfined = || {
        Some(vec![
            "seccomp=unconfined".to_owned(),
            "apparmor=unconfined".to_owned(),
        ])
    };
    match privilege {
        Privilege::Ordinary => {}
        Privilege::Privileged => {
            host.privileged = Some(true);
            host.security_opt = unconfined();
            host.cgroupns_mode = Some(HostConfigCgroupnsModeEnum::PRIVATE);
        }
        Privilege::Without(dropped) => {
            host.cap_add = Some(vec!["ALL".to_owned()]);
            host.cap_drop = Some(dropped);
            host.security_opt = unconfined();
            host.device_cgroup_rules = Some(vec!["a *:* rwm".to_owned()]);
            // The API's spelling of the command line's `systempaths=unconfined`.
            host.masked_paths = Some(Vec::new());
            host.readonly_paths = Some(Vec::new());
            host.cgroupns_mode = Some(HostConfigCgroupnsModeEnum::PRIVATE);
        }
    }
}

fn attach(host: &mut HostConfig, access: Access) -> Option<NetworkingConfig> {
    match access {
        Access::None => {
            host.network_mode = Some("none".to_owned());
            None
        }
        Access::Fixed { network, address } => {
            host.network_mode = Some(network.name().to_owned());
            let endpoint = EndpointSettings {
                ipam_config: Some(EndpointIpamConfig {
                    ipv4_address: Some(address.to_string()),
                    ..Default::default()
                }),
                ..Default::default()
            };
            let endpoints = HashMap::from([(network.name().to_owned(), endpoint)]);
            Some(NetworkingConfig {
                endpoints_config: Some(endpoints),
            })
        }
    }
}
