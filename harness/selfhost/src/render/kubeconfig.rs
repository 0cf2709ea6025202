//! Kubeconfigs that hold all they need, as JSON (which every reader of YAML reads).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::authority::Credential;

/// A kubeconfig of one user for one server.
pub(super) fn kubeconfig(
    cluster: &str,
    server: &str,
    authority: &str,
    user: &str,
    client: &Credential,
) -> String {
    let context = format!("{user}@{cluster}");
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": cluster, "cluster": {
            "server": server,
            "certificate-authority-data": STANDARD.encode(authority),
        }}],
        "users": [{ "name": user, "user": {
            "client-certificate-data": STANDARD.encode(&client.certificate),
            "client-key-data": STANDARD.encode(&client.key),
        }}],
        "contexts": [{ "name": context, "context": { "cluster": cluster, "user": user } }],
        "current-context": context,
        "preferences": {},
    });
    format!("{config:#}\n")
}
