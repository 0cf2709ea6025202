//! The escrow: what a recovery needs and must not ask a dead cluster for. It is kept off the cluster.

use super::RenderError;
use super::identities::Identities;
use super::installer_files::{Bootstrap, write_files};
use super::output::Output;
use super::release::Release;
use crate::cluster_file::ClusterFile;

/// User as which a recovery acts.
const RECOVERY: &str = "chrysalis-recovery";

/// Writes `escrow/…`: authorities, a temporary control plane for each node that may have to recover
/// the others, and copies of the assets and of the nodes' own files.
pub(super) fn write_escrow(
    output: &Output,
    cluster: &ClusterFile,
    release: Release,
    identities: &Identities<'_>,
) -> Result<(), RenderError> {
    let description = serde_json::to_value(cluster).expect("a cluster file has string keys only");
    output.json("escrow/cluster.json", &description)?;
    let balanced = identities.administrator_kubeconfig(RECOVERY, &identities.load_balancer())?;
    output.file("escrow/kubeconfig", &balanced)?;
    write_files(output, "escrow/etcd", identities.etcd_client(RECOVERY)?)?;
    write_files(output, "escrow/authorities", identities.escrow())?;
    for node in cluster.control_plane() {
        let directory = format!("escrow/recovery/{}", node.name);
        let bootstrap = Bootstrap {
            directory: &directory,
            user: RECOVERY,
            node,
        };
        bootstrap.write(output, cluster, release, identities)?;
    }
    output.copy("installer/assets", "escrow/assets")?;
    Ok(output.copy("nodes", "escrow/nodes")?)
}
