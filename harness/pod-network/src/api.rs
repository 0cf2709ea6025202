//! The way to the Kubernetes API: an address and the service account's credentials.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::{Client, Config};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Time to reach the API, in seconds, before the attempt counts as failed.
const CONNECT_DEADLINE_S: u64 = 5;

/// Why there is no way to the API.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The environment names no address.
    #[error(
        "no address of the API is known; set KUBERNETES_API, for example to https://10.96.0.1:443"
    )]
    NoAddress,
    /// The address cannot be used.
    #[error("`{address}` is not an https address with a literal IP; set KUBERNETES_API to one")]
    BadAddress {
        /// What the environment says.
        address: String,
    },
    /// The cluster's authority could not be read.
    #[error("cannot read {SERVICE_ACCOUNT}/ca.crt; the pod needs automountServiceAccountToken")]
    Authority(#[source] rustls_pki_types::pem::Error),
    /// The client could not be made of what the service account has.
    #[error(
        "cannot use the service account in {SERVICE_ACCOUNT}; the pod needs automountServiceAccountToken"
    )]
    ServiceAccount(#[source] kube::Error),
}

/// A client for the API at `address`, or where the environment says.
///
/// # Errors
/// If no address is known, or the service account's files are missing.
pub(crate) fn client(address: Option<&str>) -> Result<Client, ApiError> {
    let address = match address {
        Some(address) => address.to_owned(),
        None => address_from(&|name| std::env::var(name).ok()).ok_or(ApiError::NoAddress)?,
    };
    let bad = || ApiError::BadAddress {
        address: address.clone(),
    };
    let uri: http::Uri = address.parse().map_err(|_| bad())?;
    // No resolver is linked in, and a name that resolves through the cluster's own DNS would
    // need the network that is to be built here.
    let host = uri.host().map(|host| host.trim_matches(['[', ']']));
    if uri.scheme_str() != Some("https")
        || host.and_then(|host| host.parse::<IpAddr>().ok()).is_none()
    {
        return Err(bad());
    }
    let mut config = Config::new(uri);
    // The certificates are given as well as their file: without them the client would look for
    // those of the system, of which the image has none.
    let authority = PathBuf::from(format!("{SERVICE_ACCOUNT}/ca.crt"));
    config.root_cert = Some(certificates(&authority).map_err(ApiError::Authority)?);
    config.root_cert_file = Some(authority);
    config.auth_info.token_file = Some(format!("{SERVICE_ACCOUNT}/token"));
    config.connect_timeout = Some(Duration::from_secs(CONNECT_DEADLINE_S));
    config.default_retry = false;
    Client::try_from(config).map_err(ApiError::ServiceAccount)
}

fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, rustls_pki_types::pem::Error> {
    let found = CertificateDer::pem_file_iter(path)?;
    found
        .map(|certificate| certificate.map(|certificate| certificate.to_vec()))
        .collect()
}

/// The address that the environment gives: a literal control-plane endpoint, else the
/// `kubernetes` Service.
fn address_from(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let literal = |endpoint: &String| endpoint.parse::<std::net::SocketAddr>().is_ok();
    if let Some(endpoint) = variable("CONTROL_PLANE_ENDPOINT").filter(literal) {
        return Some(format!("https://{endpoint}"));
    }
    let host = variable("KUBERNETES_SERVICE_HOST")?;
    let port = variable("KUBERNETES_SERVICE_PORT").unwrap_or_else(|| "443".to_owned());
    Some(format!("https://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: Option<&str>) {
        let found = address_from(&|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn the_environment_gives_the_address() {
        let service = ("KUBERNETES_SERVICE_HOST", "10.96.0.1");
        check(&[], None);
        check(&[service], Some("https://10.96.0.1:443"));
        check(
            &[service, ("KUBERNETES_SERVICE_PORT", "6443")],
            Some("https://10.96.0.1:6443"),
        );
        check(
            &[service, ("CONTROL_PLANE_ENDPOINT", "10.0.0.2:6443")],
            Some("https://10.0.0.2:6443"),
        );
        check(
            &[
                service,
                ("CONTROL_PLANE_ENDPOINT", "kind-control-plane:6443"),
            ],
            Some("https://10.96.0.1:443"),
        );
    }

    #[test]
    fn names_are_refused() {
        for address in [
            "https://kubernetes.default",
            "http://10.0.0.2:6443",
            "10.0.0.2:6443",
            "",
        ] {
            assert!(
                matches!(client(Some(address)), Err(ApiError::BadAddress { .. })),
                "{address}"
            );
        }
    }
}
