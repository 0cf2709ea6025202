//! The controller manager and the scheduler: their flags and pods in both incarnations.

use serde_json::{Value, json};
use terms::Incarnation;

use super::pod::{CREDENTIALS, ControlPlanePod, Probes, Source, Volume};
use super::release::Release;
use crate::cluster_file::ClusterFile;

/// One of the two controllers of the control plane that hold a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controller {
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
}

impl Controller {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::ControllerManager, Self::Scheduler];

    /// Name of the component.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
        }
    }

    /// Name of the static pod, and of its manifest.
    pub(super) const fn bootstrap_name(self) -> &'static str {
        match self {
            Self::ControllerManager => "bootstrap-kube-controller-manager",
            Self::Scheduler => "bootstrap-kube-scheduler",
        }
    }

    /// The static pod of the temporary control plane.
    pub(super) fn bootstrap_pod(self, cluster: &ClusterFile, release: Release) -> Value {
        let directory = match self {
            Self::ControllerManager => "/etc/kubernetes/bootstrap-secrets/kube-controller-manager",
            Self::Scheduler => "/etc/kubernetes/bootstrap-secrets/kube-scheduler",
        };
        self.pod(
            cluster,
            release,
            Incarnation::Bootstrap,
            Source::Node(directory),
        )
        .static_pod(self.bootstrap_name())
    }

    /// The DaemonSet of the self-hosted control plane: a Deployment's pod on a dead node would
    /// return only after six minutes, and two replicas might share a node.
    pub(super) fn daemon_set(self, cluster: &ClusterFile, release: Release) -> Value {
        let node_selector = json!({ "node-role.kubernetes.io/control-plane": "" });
        self.pod(
            cluster,
            release,
            Incarnation::SelfHosted,
            Source::Secret(self.name()),
        )
        .daemon_set(&node_selector, 0)
    }

    /// The port on the loopback address; the two incarnations may run on one node.
    const fn port(self, incarnation: Incarnation) -> u16 {
        match (self, incarnation) {
            (Self::ControllerManager, Incarnation::SelfHosted) => 10257,
            (Self::ControllerManager, _) => 10357,
            (Self::Scheduler, Incarnation::SelfHosted) => 10259,
            (Self::Scheduler, _) => 10359,
        }
    }

    fn pod(
        self,
        cluster: &ClusterFile,
        release: Release,
        incarnation: Incarnation,
        credentials: Source,
    ) -> ControlPlanePod {
        let port = self.port(incarnation);
        let (liveness, readiness) = match self {
            Self::ControllerManager => ("/healthz", "/healthz"),
            // The scheduler's readiness covers its informers.
            Self::Scheduler => ("/livez", "/readyz"),
        };
        ControlPlanePod {
            component: self.name(),
            image: release.component_image(self.name()),
            command: self.flags(cluster, incarnation),
            environment: Vec::new(),
            volumes: vec![Volume::read("credentials", CREDENTIALS, credentials)],
            probes: Probes {
                port,
                scheme: "HTTPS",
                liveness,
                readiness,
            },
            grace_seconds: 10,
            cpu_milli: 25,
            memory_mib: 64,
        }
    }

    fn flags(self, cluster: &ClusterFile, incarnation: Incarnation) -> Vec<String> {
        let mut flags = vec![
            self.name().to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", self.port(incarnation)),
            format!("--kubeconfig={CREDENTIALS}/kubeconfig"),
            format!("--authentication-kubeconfig={CREDENTIALS}/kubeconfig"),
            format!("--authorization-kubeconfig={CREDENTIALS}/kubeconfig"),
            // Both authorities are given as files: looking them up in the API would make the
            // process exit, and wait in back-off, whenever it starts before an apiserver does.
            "--authentication-skip-lookup=true".to_owned(),
            format!("--client-ca-file={CREDENTIALS}/ca.crt"),
            format!("--requestheader-client-ca-file={CREDENTIALS}/front-proxy-ca.crt"),
            "--leader-elect=true".to_owned(),
            "--profiling=false".to_owned(),
        ];
        if incarnation == Incarnation::Bootstrap {
            // A short lease, so that the self-hosted instance need not wait long for it.
            flags.extend(
                ["lease-duration=5s", "renew-deadline=3s", "retry-period=1s"]
                    .map(|setting| format!("--leader-elect-{setting}")),
            );
        }
        if self == Self::ControllerManager {
            flags.extend([
                "--allocate-node-cidrs=true".to_owned(),
                format!("--cluster-cidr={}", cluster.pod_cidr),
                format!("--service-cluster-ip-range={}", cluster.service_cidr),
                format!("--cluster-signing-cert-file={CREDENTIALS}/ca.crt"),
                format!("--cluster-signing-key-file={CREDENTIALS}/ca.key"),
                format!("--root-ca-file={CREDENTIALS}/ca.crt"),
                format!("--service-account-private-key-file={CREDENTIALS}/service-account.key"),
                "--use-service-account-credentials=true".to_owned(),
                "--controllers=*,bootstrapsigner,tokencleaner".to_owned(),
                // The default of 20 requests a second holds a whole bring-up back.
                "--kube-api-qps=100".to_owned(),
                "--kube-api-burst=200".to_owned(),
            ]);
        }
        flags
    }
}
