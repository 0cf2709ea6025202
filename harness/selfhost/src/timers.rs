//! A machine's timers.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Which timers run, and when they fire.
#[derive(Debug)]
pub(crate) struct Timers<T> {
    armed: Vec<(T, Instant)>,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { armed: Vec::new() }
    }
}

impl<T: Copy + PartialEq> Timers<T> {
    /// Starts a timer anew.
    pub(crate) fn arm(&mut self, timer: T, duration: Duration) {
        self.disarm(timer);
        self.armed.push((timer, Instant::now() + duration));
    }

    /// Stops a timer; one that does not run is fine.
    pub(crate) fn disarm(&mut self, timer: T) {
        self.armed.retain(|(armed, _)| *armed != timer);
    }

    /// Waits for the next timer to fire and stops it; for ever when none runs.
    ///
    /// # Cancel safety
    /// A timer that fires is stopped only when it is returned.
    pub(crate) async fn elapsed(&mut self) -> T {
        let Some((timer, at)) = self.armed.iter().copied().min_by_key(|(_, at)| *at) else {
            return pending().await;
        };
        sleep_until(at).await;
        self.disarm(timer);
        timer
    }
}

#[cfg(test)]
mod tests {
    use pivot::Timer;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_earliest_fires_first_and_a_stopped_one_never() {
        let mut timers = Timers::default();
        timers.arm(Timer::Stage, Duration::from_secs(10));
        timers.arm(Timer::Stable, Duration::from_secs(2));
        timers.arm(Timer::Retry, Duration::from_secs(1));
        timers.arm(Timer::Retry, Duration::from_secs(3));
        timers.disarm(Timer::Stable);
        assert_eq!(timers.elapsed().await, Timer::Retry);
        assert_eq!(timers.elapsed().await, Timer::Stage);
        assert!(timers.armed.is_empty());
    }
}
