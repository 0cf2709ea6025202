//! The apiserver: its flags and pods as bootstrap and as self-hosted instance.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use terms::Incarnation;

use super::identities::FRONT_PROXY_CLIENT;
use super::pod::{CONFIGURATION, CREDENTIALS, ControlPlanePod, Probes, SERVING, Source, Volume};
use super::release::Release;
use super::switches::Switches;
use crate::cluster_file::ClusterFile;

/// Directory of a node with the serving pairs of its apiservers.
pub(super) const SERVING_PAIRS: &str = "/etc/kubernetes/pki/apiserver";
/// Port of self-hosted apiservers, and of the load balancer.
pub(super) const SELF_HOSTED_PORT: u16 = 6443;
/// Port of bootstrap and checkpoint apiservers: another one, so that both can run on one node
/// and each answers its own probes.
pub(super) const BOOTSTRAP_PORT: u16 = 6444;
/// A new instance counts only after this time, in seconds, of being ready: long enough for the
/// load balancer and the endpoints to follow before the next one is replaced.
const MIN_READY_SECONDS: u32 = 15;

/// The static pod of the temporary control plane; `address` is its node's.
pub(super) fn bootstrap_pod(cluster: &ClusterFile, release: Release, address: Ipv4Addr) -> Value {
    let mut command = flags(
        cluster,
        Incarnation::Bootstrap,
        BOOTSTRAP_PORT,
        &address.to_string(),
    );
    // An apiserver withdraws its address from the `kubernetes` endpoints when it starts and when
    // it stops, its self-hosted twin's with the same address too.
    command.push("--endpoint-reconciler-type=none".to_owned());
    let volumes = vec![
        Volume::read(
            "credentials",
            CREDENTIALS,
            Source::Node("/etc/kubernetes/bootstrap-secrets/kube-apiserver"),
        ),
        Volume::read(
            "serving",
            SERVING,
            Source::Node("/etc/kubernetes/bootstrap-secrets/serving"),
        ),
        Volume::read(
            "configuration",
            CONFIGURATION,
            Source::Node("/etc/kubernetes/bootstrap-secrets/configuration"),
        ),
    ];
    pod(release, command, Vec::new(), volumes, BOOTSTRAP_PORT)
        .static_pod("bootstrap-kube-apiserver")
}

/// The DaemonSet of the self-hosted control plane.
pub(super) fn daemon_set(cluster: &ClusterFile, release: Release, switches: &Switches) -> Value {
    let command = flags(
        cluster,
        Incarnation::SelfHosted,
        SELF_HOSTED_PORT,
        "$(NODE_ADDRESS)",
    );
    let environment = vec![json!({
        "name": "NODE_ADDRESS",
        "valueFrom": { "fieldRef": { "fieldPath": "status.hostIP" } },
    })];
    let volumes = vec![
        Volume::read("credentials", CREDENTIALS, Source::Secret("kube-apiserver")),
        Volume::read("serving", SERVING, Source::Node(SERVING_PAIRS)),
        Volume::read(
            "configuration",
            CONFIGURATION,
            Source::ConfigMap("kube-apiserver"),
        ),
    ];
    let mut node_selector = json!({ "node-role.kubernetes.io/control-plane": "" });
    if let Some(key) = &switches.apiserver_node_selector {
        node_selector[key] = json!("no-node-carries-this");
    }
    pod(release, command, environment, volumes, SELF_HOSTED_PORT)
        .daemon_set(&node_selector, MIN_READY_SECONDS)
}

/// Who may ask without saying who they are: nobody, except for health, which kubelets and the
/// load balancer ask without credentials.
pub(super) fn authentication() -> Value {
    json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [],
        "anonymous": {
            "enabled": true,
            "conditions": [{ "path": "/livez" }, { "path": "/readyz" }, { "path": "/healthz" }],
        },
    })
}

fn pod(
    release: Release,
    command: Vec<String>,
    environment: Vec<Value>,
    volumes: Vec<Volume>,
    port: u16,
) -> ControlPlanePod {
    ControlPlanePod {
        component: "kube-apiserver",
        image: release.component_image("kube-apiserver"),
        command,
        environment,
        volumes,
        // Without etcd's check: a rolling DaemonSet deletes all unavailable old pods at once, so
        // an etcd election in the middle of a rollout would take every apiserver.
        probes: Probes {
            port,
            scheme: "HTTPS",
            liveness: "/livez",
            readiness: "/readyz?exclude=etcd",
        },
        // Above the shutdown delay, the watches' grace and the requests still in flight.
        grace_seconds: 30,
        cpu_milli: 100,
        memory_mib: 128,
    }
}

fn flags(
    cluster: &ClusterFile,
    incarnation: Incarnation,
    port: u16,
    advertise: &str,
) -> Vec<String> {
    let mut flags = vec![
        "kube-apiserver".to_owned(),
        format!("--secure-port={port}"),
        format!("--advertise-address={advertise}"),
        format!("--service-cluster-ip-range={}", cluster.service_cidr),
        format!("--tls-cert-file={SERVING}/{incarnation}.crt"),
        format!("--tls-private-key-file={SERVING}/{incarnation}.key"),
        format!("--authentication-config={CONFIGURATION}/authentication.json"),
        format!("--requestheader-allowed-names={FRONT_PROXY_CLIENT}"),
    ];
    for (flag, file) in [
        ("client-ca-file", "ca.crt"),
        ("etcd-cafile", "etcd-ca.crt"),
        ("etcd-certfile", "etcd-client.crt"),
        ("etcd-keyfile", "etcd-client.key"),
        ("kubelet-certificate-authority", "ca.crt"),
        ("kubelet-client-certificate", "kubelet-client.crt"),
        ("kubelet-client-key", "kubelet-client.key"),
        ("proxy-client-cert-file", "front-proxy-client.crt"),
        ("proxy-client-key-file", "front-proxy-client.key"),
        ("requestheader-client-ca-file", "front-proxy-ca.crt"),
        ("service-account-key-file", "service-account.pub"),
        ("service-account-signing-key-file", "service-account.key"),
    ] {
        flags.push(format!("--{flag}={CREDENTIALS}/{file}"));
    }
    flags.extend(FIXED_FLAGS.iter().map(|flag| (*flag).to_owned()));
    flags
}

const FIXED_FLAGS: &[&str] = &[
    // Its own node's etcd, so that a joining node changes no flag elsewhere.
    "--etcd-servers=https://127.0.0.1:2379",
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--enable-bootstrap-token-auth=true",
    "--allow-privileged=true",
    "--kubelet-preferred-address-types=InternalIP",
    "--service-account-issuer=https://kubernetes.default.svc",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-username-headers=X-Remote-User",
    // The load balancer asks every second and believes two failures; an instance that is told to
    // stop fails its readiness at once and goes on serving until nobody is sent to it any more.
    "--shutdown-delay-duration=3s",
    "--shutdown-send-retry-after=true",
    "--shutdown-watch-termination-grace-period=3s",
    "--profiling=false",
];
