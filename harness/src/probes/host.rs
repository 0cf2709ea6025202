//! Control samples that never touch the cluster: how late a timer fires, how long an fsync takes, how many tasks
//! want to run.
//! They tell a slow host from a slow product.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use oracle::observation::{Crowd, HostSample};
use oracle::{Sighting, Source};
use tokio::time::{Instant, sleep};

use crate::stream::Stream;

/// The timer whose lateness is measured.
const TIMER: Duration = Duration::from_millis(100);
/// The time between samples: an fsync a second is little beside etcd's own.
const PAUSE: Duration = Duration::from_millis(900);

pub(super) async fn watch(stream: Stream, disk: PathBuf) {
    loop {
        let start_us = stream.clock.now_us();
        let begun = Instant::now();
        sleep(TIMER).await;
        let timer_late_us = micros(begun.elapsed().saturating_sub(TIMER));
        let directory = disk.clone();
        let synced = tokio::task::spawn_blocking(move || fsync_once(&directory)).await;
        match synced {
            Ok(Ok(took)) => {
                let sample = HostSample {
                    timer_late_us,
                    fsync_us: micros(took),
                    crowd: crowd(),
                };
                stream
                    .saw(Source::Host, start_us, Sighting::HostSample(sample))
                    .await;
            }
            Ok(Err(error)) => gap(&stream, start_us, error.to_string()).await,
            Err(error) => gap(&stream, start_us, error.to_string()).await,
        }
        sleep(PAUSE).await;
    }
}

async fn gap(stream: &Stream, since_us: u64, reason: String) {
    let gap = oracle::observation::Gap {
        since_us,
        reason: format!("no control sample: {reason}"),
    };
    stream.saw(Source::Host, since_us, Sighting::Gap(gap)).await;
}

fn fsync_once(directory: &Path) -> std::io::Result<Duration> {
    let mut file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(directory.join(".fsync-sample"))?;
    let begun = std::time::Instant::now();
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&[0; 4096])?;
    file.sync_data()?;
    Ok(begun.elapsed())
}

/// How many tasks want to run now, by the fourth word of `/proc/loadavg`, such as `3/512`; the sampler is one of them.
fn crowd() -> Option<Crowd> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let processors = std::thread::available_parallelism().ok()?;
    Some(Crowd {
        runnable: runnable(&text)?,
        processors: u32::try_from(processors.get()).ok()?,
    })
}

fn runnable(loadavg: &str) -> Option<u32> {
    let (runnable, _) = loadavg.split_whitespace().nth(3)?.split_once('/')?;
    runnable.parse().ok()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{crowd, runnable};

    #[test]
    fn runnable_tasks_are_counted() {
        assert_eq!(runnable("0.20 0.18 0.12 3/512 11206\n"), Some(3));
        assert_eq!(runnable("0.20 0.18"), None);
        // Whoever counts runs.
        assert!(crowd().is_some_and(|crowd| crowd.runnable > 0 && crowd.processors > 0));
    }
}
