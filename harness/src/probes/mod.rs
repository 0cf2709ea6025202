//! What looks at a cluster from outside. Each probe is a task that puts what it sees into the
//! stream until it is cancelled; none of them decides anything.

mod apiserver;
mod cluster;
mod connection;
mod credentials;
mod etcd;
mod etcd_keys;
mod host;
mod node;
pub(crate) use node::OBSERVER;
mod read_back;
mod requests;

pub use connection::{ConnectError, Identity, IdentityError, Session};
pub use credentials::CredentialProbe;
pub use read_back::read_back;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use oracle::Source;
use terms::NodeId;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::stream::Stream;

/// How often each apiserver and the load balancer are asked: 5 Hz.
pub const INTERVAL: Duration = Duration::from_millis(200);

/// How long a request may take. Longer than a healthy write on a busy host (some 100 ms), shorter
/// than what people would call an outage.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(2);

/// What the probes need to know of a cluster.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Control-plane nodes with their addresses.
    pub control_planes: Vec<(NodeId, Ipv4Addr)>,
    /// The node with the temporary apiserver.
    pub bootstrap: (NodeId, Ipv4Addr),
    /// The load balancer's address.
    pub load_balancer: Ipv4Addr,
    /// The probes' own identity towards apiservers.
    pub identity: Identity,
    /// The probes' own identity towards etcd.
    pub etcd_identity: Identity,
    /// A directory on the disk that the record is written to.
    pub disk: PathBuf,
}

/// Port of self-hosted apiservers, and of the load balancer.
pub const APISERVER_PORT: u16 = 6443;
/// Port of bootstrap and checkpoint apiservers.
pub const TEMPORARY_PORT: u16 = 6444;
/// Client port of etcd.
pub const ETCD_PORT: u16 = 2379;

/// All probes of a case.
#[derive(Debug)]
pub struct Probes {
    tracker: TaskTracker,
    token: CancellationToken,
}

impl Probes {
    /// Starts looking at the host; the cluster is added when it is there.
    pub fn start(stream: &Stream, disk: PathBuf) -> Self {
        let probes = Self {
            tracker: TaskTracker::new(),
            token: CancellationToken::new(),
        };
        probes.spawn(host::watch(stream.clone(), disk));
        probes
    }

    /// Starts looking at a cluster.
    pub fn watch_cluster(&self, stream: &Stream, subject: &Subject) {
        let at = |address: Ipv4Addr, port: u16| SocketAddr::from((address, port));
        let identity = &subject.identity;
        for (node, address) in &subject.control_planes {
            let source = Source::Apiserver(node.clone());
            let target = at(*address, APISERVER_PORT);
            self.spawn(apiserver::watch(
                stream.clone(),
                source,
                target,
                identity.clone(),
            ));
            let member = at(*address, ETCD_PORT);
            self.spawn(etcd::watch(
                stream.clone(),
                node.clone(),
                member,
                subject.etcd_identity.clone(),
            ));
        }
        let (node, address) = &subject.bootstrap;
        let source = Source::BootstrapApiserver(node.clone());
        self.spawn(apiserver::watch(
            stream.clone(),
            source,
            at(*address, TEMPORARY_PORT),
            identity.clone(),
        ));
        let balanced = at(subject.load_balancer, APISERVER_PORT);
        self.spawn(apiserver::watch_balanced(
            stream.clone(),
            balanced,
            identity.clone(),
        ));
        self.spawn(cluster::watch(stream.clone(), balanced, identity.clone()));
        let members = subject
            .control_planes
            .iter()
            .map(|(_, address)| at(*address, ETCD_PORT))
            .collect();
        self.spawn(etcd_keys::watch(
            stream.clone(),
            members,
            subject.etcd_identity.clone(),
        ));
    }

    /// Starts looking at a node through the observer in it.
    pub fn watch_node(
        &self,
        stream: &Stream,
        node: crate::cluster::Node,
        steps: Vec<&'static str>,
    ) {
        self.spawn(node::watch(stream.clone(), node, steps));
    }

    /// Asks for a service-account token until one is had.
    pub fn keep_token(&self, probe: Arc<Mutex<CredentialProbe>>) {
        self.spawn(async move {
            while !probe.lock().await.has_token() {
                probe.lock().await.obtain_token().await;
                tokio::time::sleep(credentials::TOKEN_RETRY).await;
            }
        });
    }

    fn spawn(&self, probe: impl Future<Output = ()> + Send + 'static) {
        let token = self.token.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = token.cancelled() => {}
                () = probe => {}
            }
        });
    }

    /// Stops all probes and waits until they are gone.
    pub async fn stop(self) {
        self.token.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}
