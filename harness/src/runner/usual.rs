//! How long phases usually take, so that people know whether to worry. Medians of real runs of a
//! 3+1 cluster on two processors.

/// Containers up and booted.
pub(super) const CLUSTER_UP_MS: u64 = 5_000;
/// PKI rendered, files handed out, kubelets started.
pub(super) const PREPARE_MS: u64 = 3_000;
/// From the installer's start until it is done.
pub(super) const BOOTSTRAP_MS: u64 = 35_000;
/// Until everything serves again, stable time and claims included.
pub(super) const SETTLE_MS: u64 = 30_000;
/// A node's power back until it has booted.
pub(super) const HEAL_MS: u64 = 3_000;
/// Logs and manifests of all nodes.
pub(super) const EVIDENCE_MS: u64 = 4_000;
