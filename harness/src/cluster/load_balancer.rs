//! The load balancer in front of the apiservers: HAProxy from the node image.

use super::Topology;
use crate::docker::{Access, ContainerSpec, Network, Owned, Privilege, Role, RunLabels};

/// The load balancer's node name.
pub const LOAD_BALANCER: &str = "load-balancer";
/// The port of the load balancer's statistics: CSV at `/;csv`.
pub const STATISTICS_PORT: u16 = 8404;
/// Where its configuration lies.
pub(crate) const CONFIGURATION_PATH: &str = "/etc/haproxy/chrysalis.cfg";

/// The port of self-hosted apiservers.
const SELF_HOSTED_PORT: u16 = 6443;
/// The port of bootstrap (and later checkpoint) apiservers.
const BOOTSTRAP_PORT: u16 = 6444;

/// The load balancer's container.
pub(crate) fn load_balancer_container(
    topology: &Topology,
    image: &str,
    network: &Owned<Network>,
    labels: &RunLabels,
) -> ContainerSpec {
    ContainerSpec {
        name: topology.container(LOAD_BALANCER),
        hostname: LOAD_BALANCER.to_owned(),
        image: image.to_owned(),
        entrypoint: Some(vec!["/usr/sbin/haproxy".to_owned()]),
        command: Some(vec![
            "-db".to_owned(),
            "-f".to_owned(),
            CONFIGURATION_PATH.to_owned(),
        ]),
        environment: Vec::new(),
        stop_signal: Some("SIGTERM".to_owned()),
        privilege: Privilege::Ordinary,
        terminal: false,
        // It needs nothing of the image's /var, which is large and would be copied.
        tmpfs: vec![("/var".to_owned(), String::new())],
        volumes: Vec::new(),
        read_only_binds: Vec::new(),
        access: Access::Fixed {
            network: network.clone(),
            address: topology.load_balancer,
        },
        labels: labels.of(&topology.name, Some(LOAD_BALANCER), Role::LoadBalancer),
    }
}

/// HAProxy's configuration.
///
/// Every control-plane node stands there with both apiserver ports, so that no line changes when the
/// bootstrap apiserver hands over to the self-hosted one. A server that fails two checks loses its
/// sessions at once: otherwise clients of a vanished node would wait for their own time-outs, 45 s
/// for a request and minutes for a watch. The time-outs for silence are longer than any watch.
pub(crate) fn configuration(topology: &Topology) -> String {
    let mut text = format!(
        "\
global
    maxconn 8192
    log stdout format raw local0

defaults
    mode tcp
    log global
    option dontlognull
    maxconn 8192
    timeout connect 500ms
    timeout check 2s
    timeout client 2h
    timeout server 2h
    timeout tunnel 2h
    retries 3
    option redispatch 1

frontend apiservers
    bind :{SELF_HOSTED_PORT}
    default_backend apiservers

backend apiservers
    balance roundrobin
    option httpchk GET /readyz
    http-check expect status 200
    default-server check check-ssl verify none inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
"
    );
    for node in topology.control_plane() {
        let (name, address) = (&node.name, node.address);
        text += &format!("    server {name}-self-hosted {address}:{SELF_HOSTED_PORT}\n");
        text += &format!("    server {name}-bootstrap {address}:{BOOTSTRAP_PORT}\n");
    }
    text += &format!(
        "
frontend statistics
    bind :{STATISTICS_PORT}
    mode http
    timeout client 10s
    stats enable
    stats uri /
"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Subnet;

    #[test]
    fn both_ports_of_every_control_plane_node_are_listed() {
        let topology = Topology::new("demo", 3, 2, Subnet::new(7)).unwrap();
        let text = configuration(&topology);
        let servers: Vec<_> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("server "))
            .collect();
        let expected = [
            "cp-1-self-hosted 10.231.7.11:6443",
            "cp-1-bootstrap 10.231.7.11:6444",
            "cp-2-self-hosted 10.231.7.12:6443",
            "cp-2-bootstrap 10.231.7.12:6444",
            "cp-3-self-hosted 10.231.7.13:6443",
            "cp-3-bootstrap 10.231.7.13:6444",
        ];
        assert_eq!(servers, expected);
    }
}
