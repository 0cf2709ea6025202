//! How long the suite and each claim may take.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

/// All claims together.
const SUITE: Duration = Duration::from_secs(45);
/// One claim. On a healthy cluster each takes a few seconds.
const CLAIM: Duration = Duration::from_secs(20);
/// How often it is looked whether something that takes its time is there.
const INTERVAL: Duration = Duration::from_millis(200);

/// The time of the whole suite.
#[derive(Debug)]
pub(super) struct Suite {
    end: Instant,
}

impl Suite {
    /// Begins now.
    pub(super) fn begin() -> Self {
        Self {
            end: Instant::now() + SUITE,
        }
    }

    /// The time of a claim that begins now.
    pub(super) fn claim(&self) -> Deadline {
        let begun = Instant::now();
        Deadline {
            begun,
            end: self.end.min(begun + CLAIM),
        }
    }
}

/// The time of one claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    begun: Instant,
    end: Instant,
}

impl Deadline {
    /// Does something that must succeed at once.
    ///
    /// # Errors
    /// With what was being done, when it fails or the time is up.
    pub(super) async fn once<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        match timeout_at(self.end, work).await {
            Ok(result) => result.map_err(|reason| format!("{what}: {reason}")),
            Err(_) => Err(format!("{what}: no end {}", self.elapsed())),
        }
    }

    /// Looks again and again until something that takes its time is there.
    ///
    /// # Errors
    /// With the last reason, when the time is up.
    pub(super) async fn until<T, F: Future<Output = Result<T, String>>>(
        &self,
        what: &str,
        mut look: impl FnMut() -> F,
    ) -> Result<T, String> {
        let mut last = "no answer".to_owned();
        loop {
            match timeout_at(self.end, look()).await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(reason)) => last = reason,
                Err(_) => return Err(format!("{what}: not {}: {last}", self.elapsed())),
            }
            if Instant::now() + INTERVAL >= self.end {
                return Err(format!("{what}: not {}: {last}", self.elapsed()));
            }
            sleep(INTERVAL).await;
        }
    }

    fn elapsed(&self) -> String {
        format!("within {} s", (self.end - self.begun).as_secs_f32().round())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over() -> Deadline {
        Deadline {
            begun: Instant::now(),
            end: Instant::now(),
        }
    }

    #[tokio::test]
    async fn tells_the_last_reason_when_the_time_is_up() {
        let result: Result<(), String> = over()
            .until("wait for pods", || async { Err("0 of 2".to_owned()) })
            .await;
        assert_eq!(result.unwrap_err(), "wait for pods: not within 0 s: 0 of 2");
    }

    #[tokio::test]
    async fn does_not_wait_for_ever() {
        let result: Result<(), String> = over().once("ask", std::future::pending()).await;
        assert_eq!(result.unwrap_err(), "ask: no end within 0 s");
    }

    #[tokio::test]
    async fn looks_until_it_is_there() {
        let mut looks = 0;
        let result = Suite::begin()
            .claim()
            .until("wait", || {
                looks += 1;
                std::future::ready(if looks == 2 {
                    Ok(looks)
                } else {
                    Err(String::new())
                })
            })
            .await;
        assert_eq!(result, Ok(2));
    }
}
