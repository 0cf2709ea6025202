//! Where a fact comes from, so that a finding can point at it.

use std::collections::BTreeMap;
use std::fmt;

use crate::observation::{Observation, Source};
use crate::verdict::Witness;

/// Points at one observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Who saw it.
    pub source: Source,
    /// Position within the source.
    pub seq: u64,
    /// When looking began, in microseconds of the case.
    pub start_us: u64,
    /// When the answer was there, in microseconds of the case.
    pub end_us: u64,
}

impl Reference {
    /// Points at `seen`.
    pub fn to(seen: &Observation) -> Self {
        Self {
            source: seen.source.clone(),
            seq: seen.seq,
            start_us: seen.start_us,
            end_us: seen.end_us,
        }
    }

    /// Points at `seen` from now on. Most often the source is as it was, and comparing costs less than copying.
    pub(crate) fn move_to(&mut self, seen: &Observation) {
        if self.source != seen.source {
            self.source.clone_from(&seen.source);
        }
        self.seq = seen.seq;
        self.start_us = seen.start_us;
        self.end_us = seen.end_us;
    }

    /// The witness that says `saw` of what is pointed at.
    pub fn witness(&self, saw: impl Into<String>) -> Witness {
        Witness {
            at_us: self.end_us,
            source: format!("{} #{}", self.source, self.seq),
            saw: saw.into(),
        }
    }
}

/// The latest value of something, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub from: Reference,
}

impl<T> Latest<T> {
    /// What `seen` says.
    pub fn new(value: T, seen: &Observation) -> Self {
        Self {
            value,
            from: Reference::to(seen),
        }
    }

    /// The value, unless it is older than `stale_us`: silence is unknown, never the last value.
    pub fn fresh(&self, now_us: u64, stale_us: u64) -> Option<&T> {
        (now_us.saturating_sub(self.from.end_us) <= stale_us).then_some(&self.value)
    }
}

impl<T: Clone + PartialEq> Latest<T> {
    /// What `seen` says now of the subject `key`, and whether that is what was said before. Most of what is
    /// read again is as it was, and comparing costs less than copying.
    pub(crate) fn renew<K: Ord + Clone>(
        all: &mut BTreeMap<K, Self>,
        key: &K,
        value: &T,
        seen: &Observation,
    ) -> bool {
        if let Some(latest) = all.get_mut(key) {
            return latest.again(value, seen);
        }
        all.insert(key.clone(), Self::new(value.clone(), seen));
        false
    }

    /// What `seen` says now, and whether that is what was said before.
    pub(crate) fn again(&mut self, value: &T, seen: &Observation) -> bool {
        self.from.move_to(seen);
        let repeats = self.value == *value;
        if !repeats {
            self.value.clone_from(value);
        }
        repeats
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runner => formatter.write_str("runner"),
            Self::Steps => formatter.write_str("steps"),
            Self::Apiserver(node) => write!(formatter, "apiserver {node}"),
            Self::BootstrapApiserver(node) => write!(formatter, "bootstrap apiserver {node}"),
            Self::LoadBalancer => formatter.write_str("load balancer"),
            Self::Cluster => formatter.write_str("cluster"),
            Self::EtcdMember(node) => write!(formatter, "etcd {node}"),
            Self::EtcdKeys => formatter.write_str("etcd keys"),
            Self::Node(node) => write!(formatter, "node {node}"),
            Self::Host => formatter.write_str("host"),
        }
    }
}

/// Microseconds as people read them in findings, such as `12.3 s`.
pub(crate) fn seconds(microseconds: u64) -> String {
    format!(
        "{}.{} s",
        microseconds / 1_000_000,
        microseconds % 1_000_000 / 100_000
    )
}
