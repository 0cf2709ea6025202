//! A value and when it was seen.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a value counts as known. Two seconds for a slow answer, one for its turn to come.
const STALE_AFTER: Duration = Duration::from_secs(3);

/// The last value that a source saw. After a failure, and after a while, it is unknown again.
#[derive(Debug)]
pub(super) struct Observed<T>(Mutex<Option<(T, Instant)>>);

impl<T> Default for Observed<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Observed<T> {
    /// Notes what was seen; `None` when asking failed.
    pub(super) fn set(&self, value: Option<T>) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *place = value.map(|value| (value, Instant::now()));
    }

    /// The value, if it is known now.
    pub(super) fn known(&self) -> Option<T> {
        let place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        place
            .as_ref()
            .filter(|(_, at)| at.elapsed() < STALE_AFTER)
            .map(|(value, _)| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_and_failure_are_unknown_and_not_the_last_value() {
        let observed = Observed::default();
        assert_eq!(observed.known(), None);
        observed.set(Some(7));
        assert_eq!(observed.known(), Some(7));
        tokio::time::advance(STALE_AFTER).await;
        assert_eq!(observed.known(), None);
        observed.set(Some(8));
        observed.set(None);
        assert_eq!(observed.known(), None);
    }
}
