//! etcd: a static pod on every control-plane node, one cluster from the first moment.

use serde_json::Value;

use super::pod::{ControlPlanePod, Probes, Source, Volume};
use super::release::Release;
use crate::cluster_file::{ClusterFile, Node};

/// Directory of a node with its member's certificates.
pub(super) const CERTIFICATES: &str = "/etc/kubernetes/pki/etcd";
/// Directory of a node with its member's data.
pub(super) const DATA: &str = "/var/lib/etcd";
/// Port for metrics and health, on the loopback address only.
const METRICS_PORT: u16 = 2381;

/// The static pod of the member on `node`.
pub(super) fn static_pod(cluster: &ClusterFile, release: Release, node: &Node) -> Value {
    let members: Vec<String> = cluster
        .control_plane()
        .map(|member| format!("{}=https://{}:2380", member.name, member.address))
        .collect();
    let address = node.address;
    let command = vec![
        "etcd".to_owned(),
        format!("--name={}", node.name),
        format!("--data-dir={DATA}"),
        format!("--initial-cluster={}", members.join(",")),
        // Names the cluster: members of another one with the same addresses are refused.
        format!("--initial-cluster-token={}", cluster.name),
        "--initial-cluster-state=new".to_owned(),
        format!("--listen-client-urls=https://127.0.0.1:2379,https://{address}:2379"),
        format!("--advertise-client-urls=https://{address}:2379"),
        format!("--listen-peer-urls=https://{address}:2380"),
        format!("--initial-advertise-peer-urls=https://{address}:2380"),
        format!("--listen-metrics-urls=http://127.0.0.1:{METRICS_PORT}"),
        "--client-cert-auth=true".to_owned(),
        format!("--trusted-ca-file={CERTIFICATES}/ca.crt"),
        format!("--cert-file={CERTIFICATES}/server.crt"),
        format!("--key-file={CERTIFICATES}/server.key"),
        "--peer-client-cert-auth=true".to_owned(),
        format!("--peer-trusted-ca-file={CERTIFICATES}/ca.crt"),
        format!("--peer-cert-file={CERTIFICATES}/peer.crt"),
        format!("--peer-key-file={CERTIFICATES}/peer.key"),
        "--watch-progress-notify-interval=5s".to_owned(),
    ];
    let data = Volume {
        name: "data",
        path: DATA,
        writable: true,
        source: Source::NodeMade(DATA),
    };
    ControlPlanePod {
        component: "etcd",
        image: release.etcd_image(),
        command,
        environment: Vec::new(),
        volumes: vec![
            Volume::read("certificates", CERTIFICATES, Source::Node(CERTIFICATES)),
            data,
        ],
        probes: Probes {
            port: METRICS_PORT,
            scheme: "HTTP",
            liveness: "/livez",
            readiness: "/readyz",
        },
        grace_seconds: 10,
        cpu_milli: 100,
        memory_mib: 64,
    }
    .static_pod("etcd")
}
