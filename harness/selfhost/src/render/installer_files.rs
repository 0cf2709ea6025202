//! What the installer itself works with on the bootstrap node, and what people outside get.

use serde_json::Value;
use terms::Incarnation;

use super::controllers::Controller;
use super::identities::{Files, Identities, add_pair};
use super::output::Output;
use super::release::Release;
use super::{RenderError, apiserver, assets};
use crate::cluster_file::{ClusterFile, Node};

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
    let balanced = identities.administrator_kubeconfig(INSTALLER, &identities.load_balancer())?;
    output.file("installer/kubeconfig", &balanced)?;
    write_files(output, "installer/etcd", identities.etcd_client(INSTALLER)?)?;
    let bootstrap = Bootstrap {
        directory: "installer",
        user: INSTALLER,
        node: bootstrap_node,
    };
    bootstrap.write(output, cluster, release, identities)?;
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
    )
}

/// What it takes to run a temporary control plane on a node.
pub(super) struct Bootstrap<'a> {
    /// Where it is written.
    pub(super) directory: &'a str,
    /// As whom its operator acts.
    pub(super) user: &'a str,
    /// The node.
    pub(super) node: &'a Node,
}

impl Bootstrap<'_> {
    /// Writes manifests, secrets, and a kubeconfig for the temporary apiserver.
    pub(super) fn write(
        &self,
        output: &Output,
        cluster: &ClusterFile,
        release: Release,
        identities: &Identities<'_>,
    ) -> Result<(), RenderError> {
        let Self {
            directory,
            user,
            node,
        } = self;
        let direct = format!("https://{}:{}", node.address, apiserver::BOOTSTRAP_PORT);
        let kubeconfig = identities.administrator_kubeconfig(user, &direct)?;
        output.file(&format!("{directory}/kubeconfig-bootstrap"), &kubeconfig)?;
        let manifest = |name: &str, pod: &Value| {
            output.json(&format!("{directory}/bootstrap-manifests/{name}.yaml"), pod)
        };
        let apiserver = apiserver::bootstrap_pod(cluster, release, node.address);
        manifest("bootstrap-kube-apiserver", &apiserver)?;
        for controller in Controller::ALL {
            manifest(
                controller.bootstrap_name(),
                &controller.bootstrap_pod(cluster, release),
            )?;
        }
        for (name, files) in bootstrap_secrets(node, identities)? {
            let path = format!("{directory}/bootstrap-secrets/{name}");
            write_files(output, &path, files)?;
        }
        Ok(())
    }
}

fn bootstrap_secrets(
    node: &Node,
    identities: &Identities<'_>,
) -> Result<[(&'static str, Files); 5], RenderError> {
    let incarnation = Incarnation::Bootstrap;
    let mut serving = Files::new();
    let pair = identities.apiserver_serving(node, incarnation)?;
    add_pair(&mut serving, incarnation.name(), pair);
    let configuration = vec![(
        "authentication.json".to_owned(),
        format!("{:#}\n", apiserver::authentication()),
    )];
    Ok([
        ("serving", serving),
        ("configuration", configuration),
        ("kube-apiserver", identities.apiserver_files(incarnation)?),
        (
            "kube-controller-manager",
            identities.controller_manager_files(incarnation)?,
        ),
        ("kube-scheduler", identities.scheduler_files(incarnation)?),
    ])
}

/// Writes files into a directory.
pub(super) fn write_files(
    output: &Output,
    directory: &str,
    files: Files,
) -> Result<(), RenderError> {
    for (name, content) in files {
        output.file(&format!("{directory}/{name}"), &content)?;
    }
    Ok(())
}
