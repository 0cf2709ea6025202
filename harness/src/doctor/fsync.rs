//! How long it takes until written bytes are safe.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often is measured: enough to see a slow disk, short enough for a slow one.
const SAMPLES: usize = 20;
/// etcd's writes are of this size.
const BLOCK: [u8; 4096] = [0x5a; 4096];
/// A disk slower than this is cut short; the samples so far tell enough.
const BUDGET: Duration = Duration::from_secs(5);

/// How long an fsync of 4 KiB takes, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FsyncLatency {
    /// Half of them take at most this long.
    pub median_us: u64,
    /// 99 in 100 take at most this long; of 20 samples, the slowest.
    pub p99_us: u64,
}

impl FsyncLatency {
    /// Measures in a file of its own in `directory`, and removes the file.
    ///
    /// # Errors
    /// When the file cannot be made or written.
    pub(crate) fn measure(directory: &Path) -> std::io::Result<Self> {
        let path = directory.join(format!("chrysalis-fsync-{}", std::process::id()));
        let measured = File::create(&path).and_then(|mut file| {
            let begun = Instant::now();
            let mut samples = Vec::with_capacity(SAMPLES);
            while samples.len() < SAMPLES && begun.elapsed() < BUDGET {
                let sample = Instant::now();
                file.write_all(&BLOCK)?;
                file.sync_data()?;
                samples.push(sample.elapsed());
            }
            Ok(Self::of(samples))
        });
        let removed = std::fs::remove_file(&path);
        let latency = measured?;
        removed?;
        Ok(latency)
    }

    fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        let at = |percent: usize| {
            let index = (samples.len() * percent).div_ceil(100).saturating_sub(1);
            let sample = samples.get(index).copied().unwrap_or_default();
            u64::try_from(sample.as_micros()).unwrap_or(u64::MAX)
        };
        Self {
            median_us: at(50),
            p99_us: at(99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let samples = (1..=20).rev().map(Duration::from_micros).collect();
        assert_eq!(
            FsyncLatency::of(samples),
            FsyncLatency {
                median_us: 10,
                p99_us: 20
            }
        );
        assert_eq!(
            FsyncLatency::of(Vec::new()),
            FsyncLatency {
                median_us: 0,
                p99_us: 0
            }
        );
    }

    #[test]
    fn measuring_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        FsyncLatency::measure(directory.path()).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
