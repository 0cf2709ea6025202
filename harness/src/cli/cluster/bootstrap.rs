//! Where the installer is called: the only place to change when there is one.

use crate::cli::exit::{Exit, Failure};
use crate::cluster::Cluster;

/// Whether an installer is there, asked before any container is started.
pub(super) fn available() -> Result<(), Failure> {
    Err(Failure::new(
        Exit::Unavailable,
        "this build has no installer, so only nodes can be made; add --bare",
    ))
}

/// Makes Kubernetes on the nodes and returns the administrator's kubeconfig.
pub(super) async fn bootstrap(_cluster: &Cluster) -> Result<String, Failure> {
    available().map(|()| String::new())
}
