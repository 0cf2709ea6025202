//! Kubernetes clients whose every request has a deadline and is made once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::{Client, Config};

use crate::assets::Assets;

/// How long connecting may take, and how long an answer.
const DEADLINE: Duration = Duration::from_secs(3);

/// The two ways to the API: straight to the bootstrap apiserver, or through the load balancer.
#[derive(Clone)]
pub(crate) struct Clients {
    direct: Client,
    through_load_balancer: Client,
    settings: Config,
    bootstrap_serves: Arc<AtomicBool>,
}

/// A client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the connection settings of a kubeconfig cannot be used; render the assets anew")]
pub(crate) struct ClientError(#[from] Box<kube::Error>);

impl Clients {
    /// Makes the clients; nothing is connected yet.
    ///
    /// # Errors
    /// When the credentials cannot be used.
    pub(crate) fn new(assets: &Assets) -> Result<Self, ClientError> {
        Ok(Self {
            direct: client(assets.direct.clone())?,
            through_load_balancer: client(assets.through_load_balancer.clone())?,
            settings: assets.through_load_balancer.clone(),
            bootstrap_serves: Arc::default(),
        })
    }

    /// Notes whether the bootstrap apiserver was ready when it was asked last.
    pub(crate) fn bootstrap_serves(&self, serves: bool) {
        self.bootstrap_serves.store(serves, Ordering::Relaxed);
    }

    /// The way to take now: the bootstrap apiserver while it serves, because it answers before the
    /// load balancer has noticed it; the load balancer from then on.
    pub(crate) fn current(&self) -> Client {
        if self.bootstrap_serves.load(Ordering::Relaxed) {
            self.direct.clone()
        } else {
            self.through_load_balancer.clone()
        }
    }

    /// The way through the load balancer.
    pub(crate) fn through_load_balancer(&self) -> Client {
        self.through_load_balancer.clone()
    }

    /// The way to one particular apiserver.
    ///
    /// # Errors
    /// When the credentials cannot be used.
    pub(crate) fn to(&self, address: SocketAddr) -> Result<Client, ClientError> {
        let mut config = self.settings.clone();
        config.cluster_url = format!("https://{address}")
            .parse()
            .expect("a socket address makes a valid URL");
        client(config)
    }
}

/// A client of these settings.
///
/// # Errors
/// When the credentials cannot be used.
pub(crate) fn client(mut config: Config) -> Result<Client, ClientError> {
    // A library that tries fifteen times hides an outage; the machine decides about trying again.
    config.default_retry = false;
    config.connect_timeout = Some(DEADLINE);
    config.read_timeout = Some(DEADLINE);
    config.write_timeout = Some(DEADLINE);
    // Otherwise the time that a pooled connection sat idle counts.
    config.reset_reader_on_write = true;
    Ok(Client::try_from(config).map_err(Box::new)?)
}
