//! TLS connections that tell who is at the other end.
//!
//! An HTTP client library would hide the certificate of each handshake, which is what proves who
//! served: its common name is the node, its organisational unit the incarnation.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use oracle::observation::Served;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use terms::{Incarnation, NodeId};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The most of an answer that is read.
const MOST_BODY_BYTES: usize = 16 << 20;

/// Whom a probe trusts and as whom it comes.
#[derive(Clone, Debug)]
pub struct Identity {
    config: Arc<ClientConfig>,
    anonymous: Arc<ClientConfig>,
    server_name: ServerName<'static>,
}

/// Why an identity cannot be used.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// A PEM text holds no certificate or key.
    #[error("cannot read the {what} of the probes' identity")]
    Pem {
        /// Which text.
        what: &'static str,
        /// The reader's words.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// The kubeconfig names no authority, certificate or key.
    #[error("the probes' kubeconfig has no {0}")]
    Kubeconfig(&'static str),
    /// Certificate, key and authority do not go together.
    #[error("cannot use the probes' identity")]
    Tls(#[from] rustls::Error),
}

impl Identity {
    /// An identity from PEM texts. `server_name` is the name that the server's certificate must bear.
    ///
    /// # Errors
    /// When a text holds no certificate or key, or they do not go together.
    pub fn from_pem(
        authority: &[u8],
        certificate: &[u8],
        key: &[u8],
        server_name: &'static str,
    ) -> Result<Self, IdentityError> {
        let mut roots = RootCertStore::empty();
        for root in certificates(authority, "certificate authority")? {
            roots.add(root)?;
        }
        let chain = certificates(certificate, "certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|source| IdentityError::Pem {
            what: "private key",
            source,
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trusting = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = settle(trusting.clone().with_client_auth_cert(chain, key)?);
        let anonymous = settle(trusting.with_no_client_auth());
        let server_name = ServerName::try_from(server_name)
            .expect("server names are constants of this program and valid");
        Ok(Self {
            config,
            anonymous,
            server_name,
        })
    }

    /// An identity from a kubeconfig with embedded certificates.
    ///
    /// # Errors
    /// When something is missing, or as [`Self::from_pem`].
    pub fn from_kubeconfig(text: &str, server_name: &'static str) -> Result<Self, IdentityError> {
        let missing = IdentityError::Kubeconfig;
        let file: KubeconfigFile =
            serde_saphyr::from_str(text).map_err(|_| missing("form of a kubeconfig"))?;
        let cluster = file
            .clusters
            .into_iter()
            .next()
            .ok_or(missing("cluster"))?
            .cluster;
        let user = file.users.into_iter().next().ok_or(missing("user"))?.user;
        let decode = |text: String, what| BASE64_STANDARD.decode(text).map_err(|_| missing(what));
        let authority = decode(cluster.authority, "authority")?;
        let certificate = decode(user.certificate, "certificate")?;
        let key = decode(user.key, "key")?;
        Self::from_pem(&authority, &certificate, &key, server_name)
    }

    /// The same trust without a client certificate, for requests that bring a token.
    #[must_use]
    pub fn without_certificate(&self) -> Self {
        Self {
            config: Arc::clone(&self.anonymous),
            ..self.clone()
        }
    }
}

/// What is read of a kubeconfig: the first cluster and the first user, with embedded certificates.
#[derive(Deserialize)]
struct KubeconfigFile {
    clusters: Vec<NamedCluster>,
    users: Vec<NamedUser>,
}

#[derive(Deserialize)]
struct NamedCluster {
    cluster: ClusterEntry,
}

#[derive(Deserialize)]
struct ClusterEntry {
    #[serde(rename = "certificate-authority-data")]
    authority: String,
}

#[derive(Deserialize)]
struct NamedUser {
    user: UserEntry,
}

#[derive(Deserialize)]
struct UserEntry {
    #[serde(rename = "client-certificate-data")]
    certificate: String,
    #[serde(rename = "client-key-data")]
    key: String,
}

fn settle(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session would prove nothing about who is there now.
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}

fn certificates(
    pem: &[u8],
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|source| IdentityError::Pem { what, source })
}

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nothing listens, or nothing is there.
    #[error("no connection: {0}")]
    Refused(std::io::Error),
    /// One side does not trust the other, or the handshake broke.
    #[error("no handshake: {0}")]
    Handshake(std::io::Error),
    /// HTTP could not begin.
    #[error("no HTTP: {0}")]
    Http(hyper::Error),
}

/// A connection after its handshake.
#[derive(Debug)]
pub struct Session {
    sender: http1::SendRequest<Full<Bytes>>,
    /// Who is at the other end, when its certificate says so.
    pub served: Option<Served>,
}

impl Session {
    /// Connects. Without a deadline of its own: callers put one around connection and request.
    ///
    /// # Errors
    /// When there is no connection, no handshake or no HTTP.
    pub async fn connect(target: SocketAddr, identity: &Identity) -> Result<Self, ConnectError> {
        let tcp = TcpStream::connect(target)
            .await
            .map_err(ConnectError::Refused)?;
        // Small requests must not wait for the kernel to collect more.
        tcp.set_nodelay(true).map_err(ConnectError::Refused)?;
        let tls = TlsConnector::from(Arc::clone(&identity.config))
            .connect(identity.server_name.clone(), tcp)
            .await
            .map_err(ConnectError::Handshake)?;
        let served = tls
            .get_ref()
            .1
            .peer_certificates()
            .and_then(|chain| chain.first())
            .and_then(|certificate| served(certificate));
        let (sender, connection) = http1::handshake(TokioIo::new(tls))
            .await
            .map_err(ConnectError::Http)?;
        // Ends by itself when the session is dropped or the peer closes.
        tokio::spawn(connection);
        Ok(Self { sender, served })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection is lost before the answer is complete, or the answer is too long.
    pub async fn request(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), String> {
        let response = self.open(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MOST_BODY_BYTES)
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes()))
    }

    /// Sends a request and gives the answer while it is still coming.
    ///
    /// # Errors
    /// When the connection is lost before the answer begins.
    pub async fn open(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, String> {
        self.sender
            .ready()
            .await
            .map_err(|error| error.to_string())?;
        self.sender
            .send_request(request)
            .await
            .map_err(|error| error.to_string())
    }
}

fn served(certificate: &CertificateDer<'_>) -> Option<Served> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let subject = certificate.subject();
    let node = subject.iter_common_name().next()?.as_str().ok()?;
    let unit = subject.iter_organizational_unit().next()?.as_str().ok()?;
    Some(Served {
        node: NodeId::new(node),
        incarnation: Incarnation::from_name(unit)?,
    })
}
