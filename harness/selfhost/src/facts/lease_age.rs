//! How long ago a lease was renewed, by our own clock: other clocks cannot be trusted.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::Instant;

/// When each lease of a namespace was seen to change.
#[derive(Clone, Debug, Default)]
pub(super) struct LeaseAges {
    seen: BTreeMap<String, Seen>,
    looked_before: bool,
    /// Since when every look was answered.
    unbroken_since: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Seen {
    renewal: String,
    changed: Option<Instant>,
}

impl LeaseAges {
    /// Notes a complete listing. A lease that is there at the very first look may be old; one that
    /// appears later, or whose renewal differs, was renewed just now.
    pub(super) fn observe(&mut self, leases: &[Lease]) {
        let now = Instant::now();
        let mut seen = BTreeMap::new();
        for lease in leases {
            let Some(name) = lease.metadata.name.clone() else {
                continue;
            };
            let renewal = renewal(lease);
            let earlier = self.seen.get(&name);
            let changed = match earlier {
                Some(earlier) if earlier.renewal == renewal => earlier.changed,
                None if !self.looked_before => None,
                _ => Some(now),
            };
            seen.insert(name, Seen { renewal, changed });
        }
        self.seen = seen;
        self.looked_before = true;
        self.unbroken_since.get_or_insert(now);
    }

    /// Notes a look without an answer: whoever could not renew is not silent by himself.
    pub(super) fn interrupted(&mut self) {
        self.unbroken_since = None;
    }

    /// For how long a lease, there or not, was watched without a break and not renewed.
    pub(super) fn silence(&self, name: &str) -> Option<Duration> {
        let since = self.unbroken_since?;
        let changed = self.seen.get(name).and_then(|seen| seen.changed);
        Some(
            changed
                .map_or(since, |changed| changed.max(since))
                .elapsed(),
        )
    }

    /// The renewal that was seen last, for comparison with [`renewal`].
    pub(super) fn renewal_of(&self, name: &str) -> Option<String> {
        Some(self.seen.get(name)?.renewal.clone())
    }

    /// Time since the lease was last seen renewed; `None` if it never was.
    pub(super) fn age(&self, name: &str) -> Option<Duration> {
        Some(self.seen.get(name)?.changed?.elapsed())
    }
}

/// What changes when a lease is renewed.
pub(crate) fn renewal(lease: &Lease) -> String {
    let spec = lease.spec.as_ref();
    format!(
        "{:?} {:?}",
        spec.and_then(|spec| spec.renew_time.as_ref()),
        spec.and_then(|spec| spec.holder_identity.as_ref())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(second: u32) -> Lease {
        let time = format!("2024-01-01T00:00:{second:02}.000000Z");
        serde_json::from_value(serde_json::json!({
            "metadata": { "name": "cp-1" },
            "spec": { "holderIdentity": "cp-1", "renewTime": time },
        }))
        .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn age_counts_from_a_change_that_was_seen() {
        let mut ages = LeaseAges::default();
        ages.observe(&[lease(1)]);
        assert_eq!(ages.age("cp-1"), None, "the first sight may be years old");
        ages.observe(&[lease(2)]);
        tokio::time::advance(Duration::from_secs(4)).await;
        ages.observe(&[lease(2)]);
        assert_eq!(ages.age("cp-1"), Some(Duration::from_secs(4)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_appears_while_we_look_is_fresh() {
        let mut ages = LeaseAges::default();
        ages.observe(&[]);
        ages.observe(&[lease(1)]);
        assert_eq!(ages.age("cp-1"), Some(Duration::ZERO));
        ages.observe(&[]);
        assert_eq!(ages.age("cp-1"), None);
    }
}
