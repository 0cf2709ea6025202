//! Control samples that never touch the cluster: how late a timer fires, how long an fsync takes.
//! They tell a slow host from a slow product.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use oracle::observation::HostSample;
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

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
