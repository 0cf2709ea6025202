//! The objects that the installer applies, in groups and in the order of their numbers.

use serde_json::{Value, json};
use terms::Incarnation;

use super::authority::CertificateError;
use super::controllers::Controller;
use super::identities::{Files, Identities};
use super::release::Release;
use super::switches::Switches;
use super::{apiserver, checkpoint_agent, dns, network, rbac};
use crate::cluster_file::ClusterFile;

/// Objects that may be applied in any order among themselves.
pub(super) struct Group {
    /// Name of the directory: its number orders the groups.
    pub(super) name: &'static str,
    /// The objects.
    pub(super) objects: Vec<Value>,
}

/// All objects of the cluster; with `agent`, those of the checkpoint agent too.
pub(super) fn groups(
    cluster: &ClusterFile,
    release: Release,
    identities: &Identities<'_>,
    switches: &Switches,
    agent: bool,
) -> Result<Vec<Group>, CertificateError> {
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "kube-system",
            "labels": { "pod-security.kubernetes.io/enforce": "privileged" },
        },
    });
    let mut control_plane = vec![apiserver::daemon_set(cluster, release, switches)];
    control_plane.extend(Controller::ALL.map(|controller| controller.daemon_set(cluster, release)));
    if agent {
        control_plane.push(checkpoint_agent::daemon_set());
    }
    Ok(vec![
        Group {
            name: "00-namespaces",
            objects: vec![namespace],
        },
        Group {
            name: "10-rbac",
            objects: rbac::objects(cluster, agent),
        },
        Group {
            name: "20-configuration",
            objects: configuration(cluster, identities)?,
        },
        Group {
            name: "30-network",
            objects: network::daemon_sets(cluster, release),
        },
        Group {
            name: "40-control-plane",
            objects: control_plane,
        },
        Group {
            name: "50-dns",
            objects: dns::objects(cluster, release),
        },
    ])
}

/// Name of the file of one object: `<kind>-<name>.json`, without characters that need quoting.
pub(super) fn file_name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("unnamed").replace(':', "-");
    let kind = text(&object["kind"]).to_lowercase();
    format!("{kind}-{}.json", text(&object["metadata"]["name"]))
}

fn configuration(
    cluster: &ClusterFile,
    identities: &Identities<'_>,
) -> Result<Vec<Value>, CertificateError> {
    let incarnation = Incarnation::SelfHosted;
    let authentication = format!("{:#}\n", apiserver::authentication());
    Ok(vec![
        secret("kube-apiserver", identities.apiserver_files(incarnation)?),
        secret(
            "kube-controller-manager",
            identities.controller_manager_files(incarnation)?,
        ),
        secret("kube-scheduler", identities.scheduler_files(incarnation)?),
        config_map(
            "kube-apiserver",
            json!({ "authentication.json": authentication }),
        ),
        config_map("kube-proxy", network::kube_proxy_configuration(cluster)),
        config_map("coredns", dns::configuration()),
    ])
}

fn secret(name: &str, files: Files) -> Value {
    use base64::Engine as _;
    // Encoded here, not left to `stringData`: what is applied must equal what is read back.
    let data: serde_json::Map<String, Value> = files
        .into_iter()
        .map(|(file, content)| {
            (
                file,
                json!(base64::engine::general_purpose::STANDARD.encode(content)),
            )
        })
        .collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": { "name": name, "namespace": "kube-system" },
        "data": data,
    })
}

fn config_map(name: &str, data: Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": name, "namespace": "kube-system" },
        "data": data,
    })
}
