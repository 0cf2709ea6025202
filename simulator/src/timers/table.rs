//! The table itself. A number that was measured says so; one that is a default names whose.

use super::{MINORS, Minor, Span, Timer};

/// A timer's span, where it comes from, and for which versions it is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The timer.
    pub timer: Timer,
    /// The first and the last minor version.
    pub minors: (Minor, Minor),
    /// How long.
    pub span: Span,
    /// What it is.
    pub what: &'static str,
    /// Where the numbers come from.
    pub source: &'static str,
}

impl Row {
    /// Whether the row is true of this version.
    pub const fn is_of(&self, minor: Minor) -> bool {
        self.minors.0 <= minor && minor <= self.minors.1
    }
}

const fn span(least_ms: u64, usual_ms: u64, most_ms: u64) -> Span {
    Span {
        least_ms,
        usual_ms,
        most_ms,
    }
}

const fn always(timer: Timer, span: Span, what: &'static str, source: &'static str) -> Row {
    Row {
        timer,
        minors: MINORS,
        span,
        what,
        source,
    }
}

/// Every row, in the order of [`Timer`].
pub const ROWS: &[Row] = &[
    always(
        Timer::NodeBoot,
        span(1_300, 1_500, 3_000),
        "power back → services run",
        "measured: systemd in a node container is up after 1.3 s to 3 s",
    ),
    always(
        Timer::RebootGap,
        span(200, 300, 1_000),
        "power lost → power back, in a reboot",
        "measured: stop and start of a container",
    ),
    always(
        Timer::KubeletRestart,
        span(1_000, 1_200, 2_000),
        "kubelet killed → it runs again",
        "its unit's RestartSec=1, and its start",
    ),
    always(
        Timer::EndNoticed,
        span(0, 0, 1_000),
        "process ended → the kubelet notices",
        "kubelet: the pod lifecycle is listed each second",
    ),
    always(
        Timer::BackOff,
        span(10_000, 10_000, 10_000),
        "first back-off of a container, doubled each time",
        "kubelet: 10 s × 2; the very first restart is at once",
    ),
    always(
        Timer::LongestBackOff,
        span(300_000, 300_000, 300_000),
        "the longest back-off",
        "kubelet: 300 s (since 1.35 it can be configured; the default stayed)",
    ),
    always(
        Timer::BackOffForgotten,
        span(600_000, 600_000, 600_000),
        "run without an end → the back-off is forgotten",
        "kubelet: twice the longest back-off",
    ),
    always(
        Timer::EtcdStart,
        span(800, 1_500, 2_500),
        "a member's start",
        "measured on kept runs: static pod seen → first answer",
    ),
    always(
        Timer::EtcdElection,
        span(1_000, 1_200, 2_000),
        "leader lost → the next one commits",
        "etcd: election timeout 1 s, drawn anew from 1 to 2 times that",
    ),
    always(
        Timer::ApiserverStart,
        span(3_000, 4_000, 8_000),
        "start → ready",
        "measured: 4 s, up to 8 s when nine processes start on two processors",
    ),
    always(
        Timer::ApiserverDrain,
        span(3_000, 3_000, 6_000),
        "told to stop → gone",
        "the reference installer: --shutdown-delay-duration=3s, and watches end within 3 s",
    ),
    always(
        Timer::ControllerStart,
        span(1_500, 2_000, 5_000),
        "start → ready",
        "measured: 2 s, up to 5 s while others start",
    ),
    always(
        Timer::ControllerStop,
        span(100, 300, 1_000),
        "told to stop → gone",
        "measured",
    ),
    always(
        Timer::BootstrapLease,
        span(5_000, 5_000, 5_000),
        "the lease of a bootstrap controller",
        "the reference installer: --leader-elect-lease-duration=5s",
    ),
    always(
        Timer::Lease,
        span(15_000, 15_000, 15_000),
        "the lease of a self-hosted controller",
        "component-base: LeaseDuration 15 s",
    ),
    always(
        Timer::LeaseRenewal,
        span(1_000, 1_000, 1_000),
        "how often a holder is seen to renew",
        "component-base: RetryPeriod 2 s; the reference installer's bootstrap ones 1 s",
    ),
    always(
        Timer::LeaseTaken,
        span(0, 2_000, 4_400),
        "lease ran out → taken",
        "client-go: RetryPeriod 2 s, and up to 1.2 times that as jitter on top",
    ),
    always(
        Timer::NodeFresh,
        span(5_000, 10_000, 15_000),
        "node off → not fresh to the installer",
        "the reference installer takes a lease as fresh for 15 s; the kubelet renews it each 10 s",
    ),
    Row {
        timer: Timer::NodeGrace,
        minors: (MINORS.0, 31),
        span: span(30_000, 40_000, 45_000),
        what: "node off → not Ready",
        source: "kube-controller-manager until 1.31: grace 40 s, looked at each 5 s, lease up to 10 s old",
    },
    Row {
        timer: Timer::NodeGrace,
        minors: (32, MINORS.1),
        span: span(40_000, 50_000, 55_000),
        what: "node off → not Ready",
        source: "kube-controller-manager since 1.32: grace 50 s, looked at each 5 s, lease up to 10 s old",
    },
    always(
        Timer::LoadBalancerCheck,
        span(1_000, 1_000, 1_000),
        "how often servers are asked; two failures unlist, one success lists",
        "the harness's HAProxy: inter 1s fall 2 rise 1",
    ),
    always(
        Timer::InstallerLook,
        span(100, 500, 500),
        "how often the installer looks",
        "the reference installer: a snapshot each 100 ms of sources asked each 250 ms",
    ),
    always(
        Timer::InstallerTask,
        span(10, 100, 400),
        "a task",
        "measured on kept runs: 40 ms for three manifests, 100 ms for six groups of assets, 200 ms for a teardown, 1.4 s for claim and secrets",
    ),
    always(
        Timer::InstallerCanary,
        span(1_500, 2_000, 4_000),
        "the canary",
        "measured: 2 s to 3 s after the hand-over",
    ),
    always(
        Timer::FaultProof,
        span(100, 200, 500),
        "fault begun → its effect is proven",
        "measured: an answer of the container engine or of a shell in a node",
    ),
    always(
        Timer::OperationSeen,
        span(100, 400, 500),
        "operation ended → the runner sees it",
        "the harness asks systemd each 400 ms",
    ),
    always(
        Timer::AgentStart,
        span(500, 1_000, 3_000),
        "a checkpoint agent's start",
        "as a small container's: not measured by itself",
    ),
    always(
        Timer::AgentLook,
        span(300, 500, 1_000),
        "how often a checkpoint agent looks",
        "the reference installer's agent: each 500 ms, a second at most when the API does not answer",
    ),
    always(
        Timer::AgentTask,
        span(10, 100, 400),
        "a task of a checkpoint agent",
        "as the installer's tasks on the same disk",
    ),
];
