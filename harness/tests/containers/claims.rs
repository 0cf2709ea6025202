//! The claims suite on trial, on a real cluster: each claim is seen to fail when what it is about
//! is broken, and to hold before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrysalis::claims::Claims;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Node;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;

use crate::ground::{Ground, PATIENCE, on_ground};

#[test]
fn each_claim_fails_when_what_it_is_about_is_broken() {
    on_ground(|ground| async move {
        let state = tempfile::tempdir().expect("a temporary directory");
        let kubeconfig = brought_up(&ground, state.path());
        let claims = Claims::new(kubeconfig.clone());
        assert_eq!(
            claims.check().await,
            BTreeMap::new(),
            "nothing is broken yet"
        );

        let client = client(&kubeconfig).await;
        break_dns(&client).await;
        forbid(&client).await;
        let failed = claims.check().await;
        let denied = [
            "certificate-signing-request",
            "eviction-respects-budget",
            "service-account-token",
            "service-and-dns",
        ];
        assert_eq!(names(&failed), denied.into(), "{failed:#?}");

        close_kubelets(&ground, state.path());
        let failed = claims.check().await;
        let unreachable = ["control-plane-logs", "exec", "logs", "port-forward"];
        let expected = denied.into_iter().chain(unreachable).collect();
        assert_eq!(names(&failed), expected, "{failed:#?}");

        cordon_all(&client).await;
        let failed = claims.check().await;
        let rollout = failed
            .get("deployment-rolls-out")
            .expect("no node takes a pod");
        assert!(!rollout.starts_with("not checked"), "{rollout}");
    });
}

fn brought_up(ground: &Ground, state: &Path) -> String {
    let run = |words: &[&str]| {
        let ended = ground.command(state).args(words).output().expect("it runs");
        let complaint = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success(), "{words:?}: {complaint}");
        String::from_utf8(ended.stdout).expect("text")
    };
    let name = &ground.name;
    run(&[
        "cluster",
        "up",
        "--name",
        name,
        "--control-planes",
        "1",
        "--workers",
        "1",
    ]);
    run(&["cluster", "kubeconfig", name])
}

async fn client(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    Client::try_from(config.expect("a usable kubeconfig")).expect("a client")
}

async fn break_dns(client: &Client) {
    let deployments = Api::<Deployment>::namespaced(client.clone(), "kube-system");
    let none = Patch::Merge(json!({ "spec": { "replicas": 0 } }));
    let params = PatchParams::default();
    deployments
        .patch("coredns", &params, &none)
        .await
        .expect("CoreDNS is scaled down");
}

/// Logs and streams come from the kubelets' port.
fn close_kubelets(ground: &Ground, state: &Path) {
    for node in ["cp-1", "worker-1"] {
        let close = "iptables -I INPUT -p tcp --dport 10250 -j REJECT --reject-with tcp-reset";
        let reach = [
            "cluster",
            "exec",
            "--cluster",
            &ground.name,
            node,
            "--",
            "sh",
            "-c",
            close,
        ];
        let ended = ground.command(state).args(reach).output().expect("it runs");
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
}

fn names(failed: &BTreeMap<String, String>) -> BTreeSet<&str> {
    failed.keys().map(String::as_str).collect()
}

/// Tokens, signatures and evictions are denied to everybody; an eviction then is refused, but not
/// for its budget's sake.
async fn forbid(client: &Client) {
    let rule = |group: &str, resource: &str, operation: &str| json!({ "apiGroups": [group], "apiVersions": ["v1"], "operations": [operation], "resources": [resource] });
    let policy: ValidatingAdmissionPolicy = serde_json::from_value(json!({
        "metadata": { "name": "broken-on-purpose" },
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": { "resourceRules": [
                rule("", "serviceaccounts/token", "CREATE"),
                rule("", "pods/eviction", "CREATE"),
                rule("certificates.k8s.io", "certificatesigningrequests/status", "UPDATE"),
            ] },
            // Kubelets may: their pods could not start without a token.
            "matchConditions": [{
                "name": "not-a-kubelet",
                "expression": "!request.userInfo.username.startsWith('system:node:')",
            }],
            "validations": [{ "expression": "false", "message": "broken on purpose" }],
        },
    }))
    .expect("a policy");
    let binding: ValidatingAdmissionPolicyBinding = serde_json::from_value(json!({
        "metadata": { "name": "broken-on-purpose" },
        "spec": { "policyName": "broken-on-purpose", "validationActions": ["Deny"] },
    }))
    .expect("a binding");
    let params = PostParams::default();
    let policies = Api::all(client.clone());
    policies
        .create(&params, &policy)
        .await
        .expect("the policy is taken");
    let bindings = Api::all(client.clone());
    bindings
        .create(&params, &binding)
        .await
        .expect("the binding is taken");
    // Apiservers learn of a new policy from a watch; they say nowhere that they have.
    tokio::time::sleep(PATIENCE / 12).await;
}

async fn cordon_all(client: &Client) {
    let nodes = Api::<Node>::all(client.clone());
    let listed = nodes
        .list(&ListParams::default())
        .await
        .expect("the nodes are listed");
    for node in listed {
        let name = node.metadata.name.expect("a name");
        nodes
            .cordon(&name)
            .await
            .expect("it takes no pods any more");
    }
}
