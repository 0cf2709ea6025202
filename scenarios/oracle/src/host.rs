//! Whether the host was in trouble, which excuses a missed time bound but never a safety violation.

use crate::observation::{Crowd, Observation, Sighting};
use crate::verdict::Finding;

/// A timer of 100 ms that fires later than this says that nothing ran on time. Measured on two
/// processors: 95 % of the samples were below 3 ms on a quiet host, and below 130 ms on one that
/// compiled meanwhile and met every bound.
pub(crate) const TIMER_LATE_MAX_US: u64 = 250_000;
/// A 4 KiB write and fsync that takes longer than this starves etcd: half of its election timeout of
/// one second. Measured in the same runs: 95 % below 2 ms, and below 40 ms.
pub(crate) const FSYNC_MAX_US: u64 = 500_000;
/// The share of the samples in the window, in percent, above which the host is blamed; one slow sample in minutes excuses nothing.
pub(crate) const BAD_SHARE_MAX_PERCENT: u64 = 5;
/// More tasks than so many for each processor wait for long. A timer does not show it, for who sleeps is let in front.
/// Measured on two processors, for each: during a quiet bootstrap of 3+1 nodes, which takes what it gets, 10 in the median and
/// 25 in a tenth of the samples; 22, 54 and 63 in three looks while bootstraps of several clusters at once did not end in time.
pub(crate) const RUNNABLE_MAX_PER_PROCESSOR: u32 = 24;
/// The share of the samples in the window, in percent, above which a crowd is blamed: every start is crowded for a moment.
pub(crate) const CROWDED_SHARE_MAX_PERCENT: u64 = 50;

/// What to say of the host over the window of a finding, from its first witness to its end; nothing when it was well.
pub(crate) fn trouble(sorted: &[&Observation], found: &Finding) -> Option<String> {
    let since_us = found
        .witness
        .iter()
        .map(|witness| witness.at_us)
        .min()
        .unwrap_or(found.at_us);
    let window = since_us..=found.at_us;
    let mut samples = 0u64;
    let mut bad = 0u64;
    let (mut late_us, mut slow_us) = (0, 0);
    let (mut crowded, mut most) = (0u64, 0);
    for seen in sorted {
        let Sighting::HostSample(sample) = &seen.saw else {
            continue;
        };
        if !window.contains(&seen.end_us) && !window.contains(&seen.start_us) {
            continue;
        }
        samples += 1;
        let is_bad = sample.timer_late_us > TIMER_LATE_MAX_US || sample.fsync_us > FSYNC_MAX_US;
        bad += u64::from(is_bad);
        late_us = late_us.max(sample.timer_late_us);
        slow_us = slow_us.max(sample.fsync_us);
        if let Some(Crowd {
            runnable,
            processors,
        }) = sample.crowd
        {
            crowded += u64::from(runnable > RUNNABLE_MAX_PER_PROCESSOR * processors);
            most = most.max(runnable);
        }
    }
    if crowded * 100 > samples * CROWDED_SHARE_MAX_PERCENT {
        return Some(format!(
            "the host was crowded in {crowded} of {samples} samples of that time (up to {most} tasks wanted to run, and more than \
             {RUNNABLE_MAX_PER_PROCESSOR} for each processor are too many)"
        ));
    }
    (bad > 0 && bad * 100 > samples * BAD_SHARE_MAX_PERCENT).then(|| {
        format!(
            "the host was in trouble in {bad} of {samples} samples of that time (timer up to {} ms late, fsync up to {} ms)",
            late_us / 1_000,
            slow_us / 1_000
        )
    })
}
