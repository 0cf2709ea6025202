//! Clients of the Kubernetes API for actions (deletions, claims). Probes have connections of their
//! own, which tell who served.

use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use thiserror::Error;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take. Without a limit a server that accepts and never answers would hold
/// the caller for ever.
const READ: Duration = Duration::from_secs(15);

/// Why there is no client.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The kubeconfig cannot be used.
    #[error("cannot use the cluster's kubeconfig")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// The client cannot be set up.
    #[error("cannot set up a client of the cluster")]
    Client(#[from] kube::Error),
}

/// A client that does not retry behind the caller's back.
///
/// # Errors
/// When the kubeconfig cannot be used.
pub async fn client(kubeconfig: &str) -> Result<Client, ClientError> {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig)?;
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(READ);
    // Retries would make a dead control plane look like a slow one.
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}
