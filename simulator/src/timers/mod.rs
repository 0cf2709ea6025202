//! How long things take, and why we think so: one table, per minor version of Kubernetes.
//!
//! *Timer*: something that takes time. *Span*: its least, usual and longest time. *Row*: a timer's
//! span with its source and the versions that it is true of. *Timers*: the table for one version.
//!
//! A timed run draws each duration from its span; a scene without chance takes the usual one. A
//! counterexample that needs durations outside their spans is no bug.

mod durations;
mod table;

pub use durations::Durations;
pub use table::{ROWS, Row};

use std::fmt::Write as _;

/// A minor version of Kubernetes 1, such as 34.
pub type Minor = u16;

/// The first and the last minor version that the table knows.
pub const MINORS: (Minor, Minor) = (30, 35);

/// Something that takes time. The order is that of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A node's power is back → its services run.
    NodeBoot,
    /// A momentary loss of power.
    RebootGap,
    /// A kubelet was killed → systemd has started it again.
    KubeletRestart,
    /// A process ended → the kubelet notices.
    EndNoticed,
    /// How long a container that ended twice within ten minutes waits; doubled each time.
    BackOff,
    /// The longest back-off.
    LongestBackOff,
    /// A container that ran for so long has its back-off forgotten.
    BackOffForgotten,
    /// An etcd member's start.
    EtcdStart,
    /// etcd lost its leader → the next one commits.
    EtcdElection,
    /// An apiserver's start, until it is ready.
    ApiserverStart,
    /// An apiserver that was told to stop serves on for so long.
    ApiserverDrain,
    /// A controller manager's or scheduler's start, until it is ready.
    ControllerStart,
    /// A controller manager or scheduler that was told to stop.
    ControllerStop,
    /// A bootstrap controller's lease.
    BootstrapLease,
    /// A self-hosted controller's lease.
    Lease,
    /// How often a holder renews, by its sightings.
    LeaseRenewal,
    /// A lease ran out → a candidate has taken it.
    LeaseTaken,
    /// A node is off → the installer's facts no longer call it fresh.
    NodeFresh,
    /// A node is off → it is no longer Ready.
    NodeGrace,
    /// How often the load balancer asks its servers.
    LoadBalancerCheck,
    /// How often the installer looks at the cluster.
    InstallerLook,
    /// A task of the installer.
    InstallerTask,
    /// The canary: created, bound, ready, removed.
    InstallerCanary,
    /// A fault was begun → its effect is proven.
    FaultProof,
    /// An operation ended → the runner sees it.
    OperationSeen,
    /// A checkpoint agent's start, until it holds the lock or waits for it.
    AgentStart,
    /// How often a checkpoint agent looks at its node and at the API.
    AgentLook,
    /// A task of a checkpoint agent.
    AgentTask,
}

/// How long something takes, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// At least.
    pub least_ms: u64,
    /// As a rule.
    pub usual_ms: u64,
    /// At most.
    pub most_ms: u64,
}

/// The table for one minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    minor: Minor,
}

impl Timers {
    /// The table for a version as scenarios write it, such as `1.34`; none for one that it does not know.
    pub fn of(version: &str) -> Option<Self> {
        let minor = version.strip_prefix("1.")?.parse().ok()?;
        Self::of_minor(minor)
    }

    /// The table for a minor version; none for one that it does not know.
    pub fn of_minor(minor: Minor) -> Option<Self> {
        (MINORS.0..=MINORS.1)
            .contains(&minor)
            .then_some(Self { minor })
    }

    /// The table for the version of the kept figures: 1.34.
    pub const fn measured() -> Self {
        Self { minor: 34 }
    }

    /// The minor version.
    pub const fn minor(self) -> Minor {
        self.minor
    }

    /// How long a timer takes in this version.
    ///
    /// # Panics
    /// When the table has no row for it: a bug of the table, which its tests rule out.
    pub fn span(self, timer: Timer) -> Span {
        ROWS.iter()
            .find(|row| row.timer == timer && row.is_of(self.minor))
            .map(|row| row.span)
            .expect("the table has a row for every timer in every version")
    }
}

/// The table as it stands in the documentation.
pub fn markdown() -> String {
    let mut text = String::from(
        "| timer | Kubernetes | least | usual | most | what it is | source |\n|---|---|--:|--:|--:|---|---|\n",
    );
    for Row {
        timer,
        minors: (first, last),
        span,
        what,
        source,
    } in ROWS
    {
        let Span {
            least_ms,
            usual_ms,
            most_ms,
        } = span;
        let versions = if first == last {
            format!("1.{first}")
        } else {
            format!("1.{first}–1.{last}")
        };
        writeln!(
            text,
            "| `{timer:?}` | {versions} | {least_ms} ms | {usual_ms} ms | {most_ms} ms | {what} | {source} |"
        )
        .expect("writing into a string cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timer_has_one_row_in_every_version() {
        for minor in MINORS.0..=MINORS.1 {
            for timer in ROWS.iter().map(|row| row.timer) {
                let rows = ROWS
                    .iter()
                    .filter(|row| row.timer == timer && row.is_of(minor));
                assert_eq!(rows.count(), 1, "{timer:?} in 1.{minor}");
            }
        }
        // The enumeration's last one is the table's last one: none was forgotten in between.
        let timers: std::collections::BTreeSet<Timer> = ROWS.iter().map(|row| row.timer).collect();
        assert_eq!(timers.len(), Timer::AgentTask as usize + 1);
    }

    #[test]
    fn spans_are_in_order_and_sources_are_named() {
        for row in ROWS {
            let Span {
                least_ms,
                usual_ms,
                most_ms,
            } = row.span;
            assert!(
                least_ms <= usual_ms && usual_ms <= most_ms,
                "{:?}",
                row.timer
            );
            assert!(!row.source.is_empty(), "{:?}", row.timer);
        }
    }

    #[test]
    fn versions_differ_where_kubernetes_did() {
        let grace = |version| Timers::of(version).map(|timers| timers.span(Timer::NodeGrace));
        assert!(grace("1.31").unwrap().usual_ms < grace("1.32").unwrap().usual_ms);
        assert_eq!(grace("1.29"), None);
        assert_eq!(grace("2.0"), None);
    }
}
