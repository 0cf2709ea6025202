//! The claims suite: what a user of a settled cluster may expect, under stable names.
//!
//! | Claim | What holds |
//! |---|---|
//! | `deployment-rolls-out` | A Deployment of two replicas becomes available, on different nodes where there are several. |
//! | `service-and-dns` | From each pod, the other pod answers by its address, and the Service by its DNS name, four times in a row. |
//! | `logs` | The log of each pod can be read. |
//! | `exec` | A command can be run in each pod. |
//! | `port-forward` | Each pod answers through a forwarded port. |
//! | `service-account-token` | The token of a service account is issued and accepted. |
//! | `certificate-signing-request` | An approved client certificate is issued. |
//! | `eviction-respects-budget` | An eviction that a disruption budget forbids is refused with 429. |
//! | `control-plane-logs` | The log of each control-plane pod can be read. |
//!
//! All but the last work in a namespace of their own, which is deleted at the end. Claims are about
//! nodes that are there: nodes that are switched off or not Ready are left out.
//!
//! Nodes hold no image but those of components. The pods use kube-proxy's, of the version that the
//! apiserver tells, and see their node's `/usr` read-only: `sh`, `socat` and `curl` are there.

mod answering_pod;
mod certificate;
mod control_plane_logs;
mod deadline;
mod eviction;
mod manifests;
mod namespace;
mod pod_access;
mod reason;
mod rollout;
mod service;
mod stage;
mod token;
pub(crate) mod workload;

use std::collections::BTreeMap;

use futures::join;
use terms::NodeId;

use deadline::Suite;
use stage::Stage;

/// Names of claims, which reports and baselines compare.
mod name {
    pub(super) const ROLLOUT: &str = "deployment-rolls-out";
    pub(super) const SERVICE: &str = "service-and-dns";
    pub(super) const LOGS: &str = "logs";
    pub(super) const EXEC: &str = "exec";
    pub(super) const PORT_FORWARD: &str = "port-forward";
    pub(super) const TOKEN: &str = "service-account-token";
    pub(super) const CERTIFICATE: &str = "certificate-signing-request";
    pub(super) const EVICTION: &str = "eviction-respects-budget";
    pub(super) const CONTROL_PLANE_LOGS: &str = "control-plane-logs";

    /// Those that need the rolled-out pods.
    pub(super) const OF_PODS: [&str; 5] = [SERVICE, LOGS, EXEC, PORT_FORWARD, EVICTION];
    /// Those that need a namespace.
    pub(super) const OF_NAMESPACE: [&str; 7] =
        [ROLLOUT, TOKEN, SERVICE, LOGS, EXEC, PORT_FORWARD, EVICTION];
    /// All.
    pub(super) const ALL: [&str; 9] = [
        ROLLOUT,
        SERVICE,
        LOGS,
        EXEC,
        PORT_FORWARD,
        TOKEN,
        CERTIFICATE,
        EVICTION,
        CONTROL_PLANE_LOGS,
    ];
}

/// Failed claims by name, with why.
type Failures = BTreeMap<String, String>;

/// Checks the claims of one cluster.
#[derive(Clone, Debug)]
pub struct Claims {
    kubeconfig: String,
}

impl Claims {
    /// `kubeconfig` is the administrator's.
    pub fn new(kubeconfig: String) -> Self {
        Self { kubeconfig }
    }

    /// Checks all claims, within 45 s; those that failed, by name, with why. All nodes are taken to
    /// be switched on.
    pub async fn check(&self) -> BTreeMap<String, String> {
        self.check_without(&[]).await
    }

    /// Checks all claims of a cluster of which these nodes are switched off: until the control
    /// plane has noticed, it would send pods there, and their logs cannot be read.
    pub async fn check_without(&self, off: &[NodeId]) -> BTreeMap<String, String> {
        let suite = Suite::begin();
        let stage = match suite
            .claim()
            .once("prepare", Stage::new(&self.kubeconfig, off))
            .await
        {
            Ok(stage) => stage,
            Err(reason) => return all_failed(&name::ALL, &reason),
        };
        let (certificate, logs, of_namespace) = join!(
            certificate::issued(&stage, suite.claim()),
            control_plane_logs::readable(&stage, suite.claim()),
            namespace::checked(&stage, &suite, &self.kubeconfig),
        );
        let mut failures = of_namespace;
        failures.extend(failed(name::CERTIFICATE, certificate));
        failures.extend(failed(name::CONTROL_PLANE_LOGS, logs));
        failures
    }
}

fn failed(name: &str, result: Result<(), String>) -> Option<(String, String)> {
    result.err().map(|reason| (name.to_owned(), reason))
}

/// A claim that could not be checked is not one that holds.
fn all_failed(names: &[&str], reason: &str) -> Failures {
    names
        .iter()
        .map(|name| ((*name).to_owned(), format!("not checked: {reason}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_that_could_not_be_checked_failed() {
        let failures = all_failed(&name::OF_PODS, "no pod");
        assert_eq!(failures.len(), name::OF_PODS.len());
        assert_eq!(failures["logs"], "not checked: no pod");
        assert_eq!(failed("logs", Ok(())), None);
    }

    #[test]
    fn each_claim_has_a_name_of_its_own() {
        let unique: std::collections::BTreeSet<_> = name::ALL.into_iter().collect();
        assert_eq!(unique.len(), name::ALL.len());
        assert!(name::OF_NAMESPACE.iter().all(|of| unique.contains(of)));
        assert!(
            name::OF_PODS
                .iter()
                .all(|of| name::OF_NAMESPACE.contains(of))
        );
    }

    #[tokio::test]
    async fn without_a_usable_kubeconfig_all_claims_fail() {
        let failures = Claims::new("no: kubeconfig".to_owned()).check().await;
        assert_eq!(failures.len(), name::ALL.len());
        assert!(
            failures["exec"].contains("kubeconfig"),
            "{}",
            failures["exec"]
        );
    }
}
