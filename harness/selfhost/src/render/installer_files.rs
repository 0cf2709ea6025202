//! What the installer itself works with on the bootstrap node, and what people outside get.

use serde_json::Value;
use terms::Incarnation;

use super::controllers::Controller;
use super::identities::{Files, Identities, add_pair};
use super::output::Output;
use super::release::Release;
use super::{RenderError, apiserver, assets};
use crate::cluster_file::ClusterFile;

/// User as which the installer acts.
const INSTALLER: &str = "chrysalis-installer";

/// Writes `installer/…`, except for the assets' content, which is [`assets`]'s.
pub(super) fn write_installer(
    output: &Output,
    cluster: &ClusterFile,
    release: Release,
    identities: &Identities<'_>,
    groups: &[assets::Group],
) -> Result<(), RenderError> {
    let description = serde_json::to_value(cluster).expect("a cluster file has string keys only");
    output.json("installer/cluster.json", &description)?;
    let bootstrap_node = cluster.bootstrap_node();
    let direct = format!(
        "https://{}:{}",
        bootstrap_node.address,
        apiserver::BOOTSTRAP_PORT
    );
    for (file, server) in [
        ("kubeconfig", identities.load_balancer()),
        ("kubeconfig-bootstrap", direct),
    ] {
        let content = identities.administrator_kubeconfig(INSTALLER, &server)?;
        output.file(&format!("installer/{file}"), &content)?;
    }
    write_files(output, "installer/etcd", identities.etcd_client(INSTALLER)?)?;
    write_bootstrap(output, cluster, release, identities)?;
    for group in groups {
        for asset in &group.objects {
            let name = assets::file_name(asset);
            output.json(&format!("installer/assets/{}/{name}", group.name), asset)?;
        }
    }
    Ok(())
}

/// Writes `admin/…`: what people and observers outside the cluster use.
pub(super) fn write_admin(output: &Output, identities: &Identities<'_>) -> Result<(), RenderError> {
    for (file, user) in [
        ("kubeconfig", "chrysalis-admin"),
        ("observer-kubeconfig", "chrysalis-observer"),
    ] {
        let content = identities.administrator_kubeconfig(user, &identities.load_balancer())?;
        output.file(&format!("admin/{file}"), &content)?;
    }
    write_files(
        output,
        "admin/etcd",
        identities.etcd_client("chrysalis-observer")?,
    )?;
    write_files(output, "admin/authorities", identities.escrow())
}

fn write_bootstrap(
    output: &Output,
    cluster: &ClusterFile,
    release: Release,
    identities: &Identities<'_>,
) -> Result<(), RenderError> {
    let bootstrap_node = cluster.bootstrap_node();
    let manifest = |name: &str, pod: &Value| {
        output.json(&format!("installer/bootstrap-manifests/{name}.yaml"), pod)
    };
    let apiserver = apiserver::bootstrap_pod(cluster, release, bootstrap_node.address);
    manifest("bootstrap-kube-apiserver", &apiserver)?;
    for controller in Controller::ALL {
        manifest(
            controller.bootstrap_name(),
            &controller.bootstrap_pod(cluster, release),
        )?;
    }
    let incarnation = Incarnation::Bootstrap;
    let mut serving = Files::new();
    let pair = identities.apiserver_serving(bootstrap_node, incarnation)?;
    add_pair(&mut serving, incarnation.name(), pair);
    let configuration = vec![(
        "authentication.json".to_owned(),
        format!("{:#}\n", apiserver::authentication()),
    )];
    for (directory, files) in [
        ("serving", serving),
        ("configuration", configuration),
        ("kube-apiserver", identities.apiserver_files(incarnation)?),
        (
            "kube-controller-manager",
            identities.controller_manager_files(incarnation)?,
        ),
        ("kube-scheduler", identities.scheduler_files(incarnation)?),
    ] {
        write_files(
            output,
            &format!("installer/bootstrap-secrets/{directory}"),
            files,
        )?;
    }
    Ok(())
}

fn write_files(output: &Output, directory: &str, files: Files) -> Result<(), RenderError> {
    for (name, content) in files {
        output.file(&format!("{directory}/{name}"), &content)?;
    }
    Ok(())
}
