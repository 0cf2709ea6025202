//! `selfhost render`: everything that a cluster is made of, as files.
//!
//! Out of a cluster file come a tree of files for each node, what the installer places and
//! applies, and credentials for people outside. Every private key is made here, once; rendering
//! twice gives two clusters that do not trust each other, so a directory is never reused.

mod apiserver;
mod assets;
mod authority;
pub(crate) mod checkpoint_agent;
mod controllers;
mod dns;
mod escrow;
mod etcd;
mod identities;
mod installer_files;
mod kubeconfig;
mod kubelet;
mod network;
mod node_tree;
mod output;
mod pod;
mod rbac;
mod release;
mod switches;
#[cfg(test)]
mod tests;

use std::path::Path;

use pivot::checkpoint::AgentPlan;

use crate::cluster_file::ClusterFile;
use authority::CertificateError;
use identities::Identities;
use output::{Output, OutputError};
use release::{RELEASES, Release};
pub(crate) use switches::Switches;

/// Why rendering failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenderError {
    /// The cluster file asks for a Kubernetes minor that this program does not know.
    #[error("kubernetes: no release is known for `{minor}`; known: {known}")]
    UnknownMinor {
        /// What was asked for.
        minor: String,
        /// What there is.
        known: String,
    },
    /// A file or directory could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl RenderError {
    /// Whether the person asked for something wrong (exit code 64).
    pub(crate) fn is_usage(&self) -> bool {
        match self {
            Self::UnknownMinor { .. } => true,
            Self::Output(error) => error.is_usage(),
            Self::Certificate(_) => false,
        }
    }
}

/// Renders `cluster` into the directory `out`, which must be new or empty; `agent` is what the
/// checkpoint agent follows, if the cluster has one.
///
/// # Errors
/// Refuses an unknown Kubernetes minor and a directory with anything in it, before anything is
/// written.
pub(crate) fn render(
    cluster: &ClusterFile,
    out: &Path,
    switches: &Switches,
    agent: Option<&AgentPlan>,
) -> Result<(), RenderError> {
    let release =
        Release::of_minor(&cluster.kubernetes).ok_or_else(|| RenderError::UnknownMinor {
            minor: cluster.kubernetes.clone(),
            known: RELEASES
                .iter()
                .map(|release| release.minor)
                .collect::<Vec<_>>()
                .join(", "),
        })?;
    let output = Output::create(out)?;
    let identities = Identities::new(cluster, switches.certificates_live)?;
    let groups = assets::groups(cluster, release, &identities, switches, agent.is_some())?;
    node_tree::write_all(&output, cluster, release, &identities, agent)?;
    installer_files::write_installer(&output, cluster, release, &identities, &groups)?;
    let identities = identities.living_as_usual();
    installer_files::write_admin(&output, &identities)?;
    escrow::write_escrow(&output, cluster, release, &identities)
}
