//! Single requests over TLS that prove who answered. Each takes a new connection, because only a
//! handshake tells who serves now; an HTTP client library hides the peer's certificate.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use terms::Incarnation;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, X509Certificate};

/// How long one request may take, handshake included.
const DEADLINE: Duration = Duration::from_secs(2);

/// A request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpsError {
    /// There was no answer; says at which point it failed.
    #[error("{0}")]
    NoAnswer(String),
    /// Whoever answered has no certificate of this cluster's authority: it is not ours, and will not be.
    #[error("{0} shows a certificate that this cluster's authority did not sign")]
    Stranger(SocketAddr),
}

/// Certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be used; render the assets anew")]
pub(crate) struct IdentityError {
    what: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Who answered, as its certificate says, which the cluster's authority signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Common name: the node.
    pub(crate) node: String,
    /// Organisational unit: the incarnation, if it is one that we know.
    pub(crate) incarnation: Option<Incarnation>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Bytes,
    /// Who answered.
    pub(crate) peer: Peer,
}

/// A client with one identity and one authority.
#[derive(Clone)]
pub(crate) struct HttpsClient {
    connector: TlsConnector,
}

impl HttpsClient {
    /// A client that trusts the authority `ca` and shows `certificate`, all in PEM.
    ///
    /// # Errors
    /// Names which of them cannot be used.
    pub(crate) fn new(ca: &[u8], certificate: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(ca) {
            let root = root.map_err(broken("the authority's certificate"))?;
            roots
                .add(root)
                .map_err(broken("the authority's certificate"))?;
        }
        let chain = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(broken("the client certificate"))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(broken("the client key"))?;
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(broken("the TLS library"))?
                .with_root_certificates(roots)
                .with_client_auth_cert(chain, key)
                .map_err(broken("the client certificate"))?;
        // A resumed session repeats an old certificate; each handshake must show the present one.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
        })
    }

    /// `GET path` from `address`, within two seconds.
    ///
    /// # Errors
    /// Says at which point it failed.
    pub(crate) async fn get(&self, address: SocketAddr, path: &str) -> Result<Reply, HttpsError> {
        let request = hyper::Request::get(path);
        self.send(address, request, Bytes::new()).await
    }

    /// `POST path` with a JSON body to `address`, within two seconds.
    ///
    /// # Errors
    /// Says at which point it failed.
    pub(crate) async fn post(
        &self,
        address: SocketAddr,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Reply, HttpsError> {
        let request = hyper::Request::post(path).header("content-type", "application/json");
        self.send(address, request, Bytes::from(body.to_string()))
            .await
    }

    async fn send(
        &self,
        address: SocketAddr,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<Reply, HttpsError> {
        tokio::time::timeout(DEADLINE, self.exchange(address, request, body))
            .await
            .map_err(|_| {
                HttpsError::NoAnswer(format!("{address} did not answer within {DEADLINE:?}"))
            })?
    }

    async fn exchange(
        &self,
        address: SocketAddr,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<Reply, HttpsError> {
        let failed = |doing: &'static str| {
            move |error: &dyn std::error::Error| {
                HttpsError::NoAnswer(format!("{doing} {address}: {error}"))
            }
        };
        let stream = TcpStream::connect(address)
            .await
            .map_err(|e| failed("connecting to")(&e))?;
        let name = ServerName::from(IpAddr::from(address.ip()));
        let stream = self
            .connector
            .connect(name, stream)
            .await
            .map_err(|error| {
                if is_stranger(&error) {
                    HttpsError::Stranger(address)
                } else {
                    failed("TLS with")(&error)
                }
            })?;
        let peer = peer_of(&stream).ok_or_else(|| {
            HttpsError::NoAnswer(format!("{address} has no readable certificate"))
        })?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| failed("HTTP with")(&e))?;
        let request = request
            .header("host", address.to_string())
            .header("connection", "close")
            .body(Full::new(body))
            .expect("method, path and headers are literals");
        let exchange = async {
            let response = sender.send_request(request).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>((status, body))
        };
        // The connection is driven here and not by a task of its own, so that nothing outlives the deadline.
        let mut connection = std::pin::pin!(connection);
        let mut exchange = std::pin::pin!(exchange);
        let mut open = true;
        loop {
            tokio::select! {
                answer = &mut exchange => {
                    let (status, body) = answer.map_err(|e| failed("asking")(&e))?;
                    return Ok(Reply { status, body, peer });
                }
                _ = &mut connection, if open => open = false,
            }
        }
    }
}

fn is_stranger(error: &std::io::Error) -> bool {
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let unsigned = rustls::CertificateError::UnknownIssuer;
    let forged = rustls::CertificateError::BadSignature;
    cause.is_some_and(|cause| {
        [unsigned, forged]
            .into_iter()
            .any(|kind| *cause == rustls::Error::InvalidCertificate(kind))
    })
}

fn broken<E>(what: &'static str) -> impl FnOnce(E) -> IdentityError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |source| IdentityError {
        what,
        source: Box::new(source),
    }
}

fn peer_of(stream: &tokio_rustls::client::TlsStream<TcpStream>) -> Option<Peer> {
    let (_, session) = stream.get_ref();
    peer_of_certificate(session.peer_certificates()?.first()?)
}

fn peer_of_certificate(certificate: &[u8]) -> Option<Peer> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let subject = certificate.subject();
    let node = subject.iter_common_name().next()?.as_str().ok()?.to_owned();
    let incarnation = subject
        .iter_organizational_unit()
        .next()
        .and_then(|unit| unit.as_str().ok())
        .and_then(Incarnation::from_name);
    Some(Peer { node, incarnation })
}

#[cfg(test)]
pub(crate) mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn check(units: &[&str], expected: Option<Incarnation>) {
        let mut parameters = CertificateParams::default();
        parameters
            .distinguished_name
            .push(DnType::CommonName, "cp-1");
        for unit in units {
            parameters
                .distinguished_name
                .push(DnType::OrganizationalUnitName, *unit);
        }
        let certificate = parameters
            .self_signed(&KeyPair::generate().unwrap())
            .unwrap();
        let peer = peer_of_certificate(certificate.der()).unwrap();
        assert_eq!(
            peer,
            Peer {
                node: "cp-1".to_owned(),
                incarnation: expected
            }
        );
    }

    #[test]
    fn a_certificate_tells_node_and_incarnation() {
        check(&["bootstrap"], Some(Incarnation::Bootstrap));
        check(&["self-hosted"], Some(Incarnation::SelfHosted));
        check(&["somebody-else"], None);
        check(&[], None);
    }

    /// A client for tests that never get to ask anybody.
    pub(crate) fn silent_client() -> HttpsClient {
        let (authority, certificate, key) = authority();
        HttpsClient::new(authority.as_bytes(), certificate.as_bytes(), key.as_bytes()).unwrap()
    }

    /// An authority of its own: its certificate, and a pair that it signed for 127.0.0.1, in PEM.
    fn authority() -> (String, String, String) {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap().pem();
        let issuer = rcgen::Issuer::new(parameters, key);
        let leaf_key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        leaf.distinguished_name.push(DnType::CommonName, "cp-1");
        let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap().pem();
        (certificate, leaf, leaf_key.serialize_pem())
    }

    /// A server of one connection that says 200 to whoever completes the handshake.
    async fn serve(certificate: &str, key: &str) -> SocketAddr {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
            // A stranger's handshake fails; that is what the test is about.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut asked = [0; 1024];
            let count = stream.read(&mut asked).await.unwrap();
            assert_ne!(count, 0, "a request comes first");
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await
                .unwrap();
            stream.shutdown().await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn a_stranger_is_told_from_silence() {
        let (ours, certificate, key) = authority();
        let (theirs, _, _) = authority();
        let client = |ca: &str| {
            HttpsClient::new(ca.as_bytes(), certificate.as_bytes(), key.as_bytes()).unwrap()
        };
        let reply = client(&ours)
            .get(serve(&certificate, &key).await, "/readyz")
            .await
            .unwrap();
        assert_eq!((reply.status, &reply.body[..]), (200, &b"ok"[..]));
        assert_eq!(reply.peer.node, "cp-1");
        let stranger = client(&theirs)
            .get(serve(&certificate, &key).await, "/readyz")
            .await;
        assert!(
            matches!(stranger, Err(HttpsError::Stranger(_))),
            "{stranger:?}"
        );
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = silent.local_addr().unwrap();
        drop(silent);
        let silence = client(&ours).get(nobody, "/readyz").await;
        assert!(
            matches!(silence, Err(HttpsError::NoAnswer(_))),
            "{silence:?}"
        );
    }
}
