//! `service-account-token`.

use k8s_openapi::api::authentication::v1::{SelfSubjectReview, TokenRequest};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;
use kube::config::Kubeconfig;
use serde_json::json;

use super::deadline::Deadline;
use super::namespace::create;
use super::reason::reason;
use super::stage::Stage;
use crate::kubernetes;

/// A new token is taken for who it was issued to.
pub(super) async fn accepted(
    stage: &Stage,
    deadline: Deadline,
    kubeconfig: &str,
) -> Result<(), String> {
    let token = deadline.once("request a token", request(stage)).await?;
    let bearer = bearer_kubeconfig(kubeconfig, &token)?;
    let review = async {
        let client = kubernetes::client(&bearer)
            .await
            .map_err(|error| error.to_string())?;
        let review = create(
            &Api::<SelfSubjectReview>::all(client),
            json!({ "metadata": {} }),
        )
        .await?;
        let user = review
            .status
            .and_then(|status| status.user_info)
            .and_then(|info| info.username);
        let expected = format!("system:serviceaccount:{}:default", stage.name);
        match user {
            Some(user) if user == expected => Ok(()),
            user => Err(format!("it is taken for {user:?}, not for {expected}")),
        }
    };
    deadline.once("use the token", review).await
}

async fn request(stage: &Stage) -> Result<String, String> {
    let accounts = Api::<ServiceAccount>::namespaced(stage.client.clone(), &stage.name);
    let wanted: TokenRequest =
        serde_json::from_value(json!({ "metadata": {}, "spec": { "audiences": [] } }))
            .map_err(|error| error.to_string())?;
    let issued = accounts
        .create_token_request("default", &PostParams::default(), &wanted)
        .await;
    let token = issued.map_err(reason)?.status.map(|status| status.token);
    token
        .filter(|token| !token.is_empty())
        .ok_or_else(|| "the answer has no token".to_owned())
}

/// The same cluster, with the token and nothing else to identify the client.
fn bearer_kubeconfig(kubeconfig: &str, token: &str) -> Result<String, String> {
    let mut bearer = Kubeconfig::from_yaml(kubeconfig).map_err(|error| error.to_string())?;
    for user in &mut bearer.auth_infos {
        user.auth_info = serde_json::from_value(json!({ "token": token })).ok();
    }
    // JSON is YAML.
    serde_json::to_string(&bearer).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_identifies_the_client() {
        let kubeconfig = "{ apiVersion: v1, kind: Config, current-context: a,
            clusters: [{ name: a, cluster: { server: 'https://10.0.0.1:6443' } }],
            contexts: [{ name: a, context: { cluster: a, user: a } }],
            users: [{ name: a, user: { client-key-data: c2VjcmV0, client-certificate-data: eA== } }] }";
        let bearer = bearer_kubeconfig(kubeconfig, "abc").unwrap();
        assert!(bearer.contains(r#""token":"abc""#), "{bearer}");
        assert!(bearer.contains("https://10.0.0.1:6443"), "{bearer}");
        assert!(!bearer.contains("c2VjcmV0"), "{bearer}");
        assert!(Kubeconfig::from_yaml(&bearer).is_ok());
    }
}
