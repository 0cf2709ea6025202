//! The container of one node.

use std::path::PathBuf;

use super::{NodePlace, Profile, Topology};
use crate::docker::{Access, ContainerSpec, Network, Owned, RunLabels, Volume, VolumeMount};

/// What makes systemd shut down in an orderly way.
const STOP_SIGNAL: &str = "SIGRTMIN+3";

/// The container of one node.
///
/// - `/run` and `/tmp` are in memory: a power cut empties them, as it does a machine's.
/// - `/var` is a named volume that the engine fills from the image: it survives a power cut, and
///   container images and etcd's files need a real file system under them, not an overlay.
/// - The address is fixed, because etcd's peers and every certificate name it.
pub(crate) fn node_container(
    topology: &Topology,
    place: &NodePlace,
    image: &str,
    profile: Profile,
    network: &Owned<Network>,
    var: Owned<Volume>,
    labels: &RunLabels,
) -> ContainerSpec {
    let modules = PathBuf::from("/lib/modules");
    ContainerSpec {
        name: topology.container(&place.name),
        hostname: place.name.clone(),
        image: image.to_owned(),
        entrypoint: None,
        command: None,
        environment: vec![
            "container=docker".to_owned(),
            // The node's entry point then takes its default route away.
            "CHRYSALIS_NETWORK=internal".to_owned(),
        ],
        stop_signal: Some(STOP_SIGNAL.to_owned()),
        privilege: profile.privilege(),
        terminal: true,
        tmpfs: vec![
            // Binaries are unpacked and run below /run.
            ("/run".to_owned(), "exec,mode=755".to_owned()),
            ("/tmp".to_owned(), "exec,mode=1777".to_owned()),
        ],
        volumes: vec![VolumeMount {
            volume: var,
            path: "/var".to_owned(),
        }],
        read_only_binds: Some(modules)
            .filter(|path| path.is_dir())
            .into_iter()
            .collect(),
        access: Access::Fixed {
            network: network.clone(),
            address: place.address,
        },
        labels: labels.of(&topology.name, Some(&place.name), place.role),
    }
}
