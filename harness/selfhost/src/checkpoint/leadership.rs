//! Whether somebody leads: whether a Lease was renewed lately, by our own clock.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use pivot::checkpoint::{Known, UNLED_AFTER_MS, UNLED_IN_SILENCE_AFTER_MS};
use tokio::time::Instant;

/// Whoever could not look for so long may have missed renewals, and begins anew. While the API does
/// not answer nobody can renew: that time does not count against the holder.
const GAP: Duration = Duration::from_secs(4);

/// What was seen of some Leases.
#[derive(Clone, Debug)]
pub(super) struct Leadership {
    seen: BTreeMap<&'static str, Seen>,
    looked: Option<Instant>,
    /// When the API answered last, or when its silence began to be heard.
    answered: Instant,
}

#[derive(Clone, Debug)]
struct Seen {
    renewal: String,
    /// Since when it is known that it was not renewed.
    unchanged_since: Instant,
    /// Whether it was ever seen to change.
    renewed: bool,
}

impl Leadership {
    /// Nothing was seen yet.
    pub(super) fn new() -> Self {
        Self {
            seen: BTreeMap::new(),
            looked: None,
            answered: Instant::now(),
        }
    }

    /// Notes one look at all Leases: `names` are those that matter.
    pub(super) fn observe(&mut self, names: &[&'static str], leases: &[Lease]) {
        let now = Instant::now();
        if self.looked.is_none_or(|looked| now - looked > GAP) {
            self.seen.clear();
        }
        self.looked = Some(now);
        for name in names {
            let lease = leases
                .iter()
                .find(|lease| lease.metadata.name.as_deref() == Some(name));
            let spec = lease.and_then(|lease| lease.spec.as_ref());
            let renewal = format!(
                "{:?} {:?}",
                spec.and_then(|spec| spec.renew_time.as_ref()),
                spec.and_then(|spec| spec.holder_identity.as_ref())
            );
            match self.seen.get_mut(name) {
                Some(seen) if seen.renewal == renewal => {}
                earlier => {
                    let renewed = earlier.is_some() && lease.is_some();
                    let unchanged_since = now;
                    self.seen.insert(
                        name,
                        Seen {
                            renewal,
                            unchanged_since,
                            renewed,
                        },
                    );
                }
            }
        }
    }

    /// Notes that the API answered, be it with a refusal.
    pub(super) fn note_answer(&mut self) {
        self.answered = Instant::now();
    }

    /// Whether somebody leads, as far as can be told while the API does not answer.
    pub(super) fn is_led_in_silence(&self) -> Known {
        if is_over(self.answered, UNLED_IN_SILENCE_AFTER_MS) {
            Known::No
        } else {
            Known::Unknown
        }
    }

    /// Whether the Lease was renewed within thirty seconds; unknown until that long was looked.
    pub(super) fn is_led(&self, name: &str) -> Known {
        match self.seen.get(name) {
            Some(seen) if is_over(seen.unchanged_since, UNLED_AFTER_MS) => Known::No,
            Some(seen) if seen.renewed => Known::Yes,
            _ => Known::Unknown,
        }
    }
}

fn is_over(since: Instant, after_ms: u32) -> bool {
    since.elapsed() >= Duration::from_millis(after_ms.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "kube-scheduler";

    fn lease(second: u32) -> Lease {
        let time = format!("2024-01-01T00:00:{second:02}.000000Z");
        serde_json::from_value(serde_json::json!({
            "metadata": { "name": NAME },
            "spec": { "holderIdentity": "cp-1", "renewTime": time },
        }))
        .unwrap()
    }

    async fn watch(leadership: &mut Leadership, leases: &[Lease], seconds: u32) {
        for _ in 0..seconds {
            tokio::time::advance(Duration::from_secs(1)).await;
            leadership.observe(&[NAME], leases);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_nobody_renews_for_thirty_seconds_has_no_leader() {
        let mut leadership = Leadership::new();
        assert_eq!(leadership.is_led(NAME), Known::Unknown);
        watch(&mut leadership, &[lease(1)], 1).await;
        assert_eq!(
            leadership.is_led(NAME),
            Known::Unknown,
            "the first sight proves nothing"
        );
        watch(&mut leadership, &[lease(2)], 29).await;
        assert_eq!(leadership.is_led(NAME), Known::Yes);
        watch(&mut leadership, &[lease(2)], 2).await;
        assert_eq!(leadership.is_led(NAME), Known::No);
        watch(&mut leadership, &[lease(3)], 1).await;
        assert_eq!(leadership.is_led(NAME), Known::Yes);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_does_not_exist_has_no_leader_either() {
        let mut leadership = Leadership::new();
        watch(&mut leadership, &[], 31).await;
        assert_eq!(leadership.is_led(NAME), Known::No);
    }

    #[tokio::test(start_paused = true)]
    async fn time_without_an_answer_does_not_count_against_the_holder() {
        let mut leadership = Leadership::new();
        watch(&mut leadership, &[lease(1)], 20).await;
        tokio::time::advance(Duration::from_secs(60)).await;
        watch(&mut leadership, &[lease(1)], 1).await;
        assert_eq!(leadership.is_led(NAME), Known::Unknown);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_leads_once_the_api_was_silent_for_twenty_seconds() {
        let mut leadership = Leadership::new();
        let wait = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        wait(19).await;
        assert_eq!(leadership.is_led_in_silence(), Known::Unknown);
        wait(1).await;
        assert_eq!(leadership.is_led_in_silence(), Known::No);
        leadership.note_answer();
        assert_eq!(leadership.is_led_in_silence(), Known::Unknown);
        wait(20).await;
        assert_eq!(leadership.is_led_in_silence(), Known::No);
    }
}
