//! Credentials that were valid before a procedure, kept to be tried again after it.

use std::net::SocketAddr;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use oracle::Sighting;
use oracle::observation::{Credential, RequestOutcome};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::connection::{Identity, Session};
use super::{REQUEST_DEADLINE, requests};
use crate::stream::Stream;

/// A token of a service account lives long enough for any case.
const TOKEN_LIFETIME_S: u64 = 24 * 3600;
const TOKEN: &str = "/api/v1/namespaces/kube-system/serviceaccounts/default/token";
/// Asked as the service account: it answers every authenticated client.
const WHO_AM_I: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// A client certificate and a service-account token from before the pivot.
#[derive(Debug)]
pub struct CredentialProbe {
    target: SocketAddr,
    identity: Identity,
    token: Option<String>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    status: TokenStatus,
}

#[derive(Deserialize)]
struct TokenStatus {
    token: String,
}

impl CredentialProbe {
    /// The client certificate is the probes' own; the token is asked for by [`Self::obtain_token`].
    pub fn new(target: SocketAddr, identity: Identity) -> Self {
        Self {
            target,
            identity,
            token: None,
        }
    }

    /// Asks for a service-account token, once; until one is had, each call tries again.
    pub async fn obtain_token(&mut self) {
        if self.token.is_none() {
            self.token = timeout(REQUEST_DEADLINE, self.request_token())
                .await
                .ok()
                .flatten();
        }
    }

    /// Whether a token is had.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    async fn request_token(&self) -> Option<String> {
        let mut session = Session::connect(self.target, &self.identity).await.ok()?;
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_LIFETIME_S},
        });
        let (status, body) = session.request(requests::post(TOKEN, &body)).await.ok()?;
        if !status.is_success() {
            return None;
        }
        Some(
            serde_json::from_slice::<TokenAnswer>(&body)
                .ok()?
                .status
                .token,
        )
    }

    /// Tries both again and tells the stream.
    pub async fn try_again(&self, stream: &Stream) {
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let credentials = [
            ("client certificate from before the pivot", Some(None)),
            (
                "service-account token from before the pivot",
                bearer.map(Some),
            ),
        ];
        for (name, bearer) in credentials {
            let Some(bearer) = bearer else { continue };
            let asked = timeout(REQUEST_DEADLINE, self.accepted(bearer.as_deref())).await;
            let accepted = asked.ok().flatten();
            let credential = Credential {
                name: name.to_owned(),
                accepted,
            };
            stream.runner(Sighting::Credential(credential)).await;
        }
    }

    /// A token is sent without the client certificate's help: the review answers with the name of
    /// whoever was recognised, and a certificate is recognised first.
    async fn accepted(&self, bearer: Option<&str>) -> Option<Result<(), String>> {
        let identity = if bearer.is_some() {
            self.identity.without_certificate()
        } else {
            self.identity.clone()
        };
        let mut session = match Session::connect(self.target, &identity).await {
            Ok(session) => session,
            Err(error) => {
                return match requests::unconnected(&error) {
                    RequestOutcome::Untrusted(reason) => Some(Err(reason)),
                    // A load balancer without servers breaks handshakes too: nothing is known then.
                    _ => None,
                };
            }
        };
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let mut request = requests::post(WHO_AM_I, &review);
        if let Some(bearer) = bearer {
            request
                .headers_mut()
                .insert(AUTHORIZATION, HeaderValue::from_str(bearer).ok()?);
        }
        let (status, _) = session.request(request).await.ok()?;
        match status.as_u16() {
            200..=299 => Some(Ok(())),
            401 | 403 => Some(Err(status.to_string())),
            _ => None,
        }
    }
}

/// How often a token is asked for until one is had.
pub(crate) const TOKEN_RETRY: Duration = Duration::from_secs(1);
