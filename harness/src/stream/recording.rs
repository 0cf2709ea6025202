//! The one place where samples become observations: each gets its place, is written down, and only
//! then told to everybody who wants it. Real runs and simulated ones record through it.

use std::collections::BTreeMap;

use oracle::{Finding, Observation, Sighting, Source};

use crate::evidence::{Recorder, Sample};

/// Who else listens to the one stream.
pub trait Observers: Send + 'static {
    /// An observation has its place.
    fn observed(&mut self, observation: &Observation);
    /// An invariant was found violated, provisionally.
    fn found(&mut self, slug: &str, finding: &Finding);
}

/// The recording of a case.
pub struct Recording<O> {
    recorder: Recorder,
    observers: O,
    next: BTreeMap<Source, u64>,
    live: oracle::Live,
}

impl<O: Observers> Recording<O> {
    /// A recording in which there is nothing yet.
    pub fn new(recorder: Recorder, observers: O) -> Self {
        Self {
            recorder,
            observers,
            next: BTreeMap::new(),
            live: oracle::Live::new(),
        }
    }

    /// Takes a sample in. When it cannot be written down, that is said instead of hidden.
    pub fn take(&mut self, sample: Sample) {
        let observation = self.number(sample);
        if let Err(why) = self.recorder.append(&observation) {
            let degraded = self.number(Sample {
                source: Source::Runner,
                start_us: observation.end_us,
                end_us: observation.end_us,
                saw: Sighting::RecordingDegraded(why),
            });
            self.tell(&degraded);
        }
        self.tell(&observation);
    }

    /// Makes sure that everything is on the disk.
    ///
    /// # Errors
    /// When recording is incomplete.
    pub fn close(self) -> Result<(), String> {
        self.recorder.close()
    }

    fn number(&mut self, sample: Sample) -> Observation {
        let next = self.next.entry(sample.source.clone()).or_default();
        let seq = *next;
        *next += 1;
        sample.into_observation(seq)
    }

    fn tell(&mut self, observation: &Observation) {
        let found = self.live.observe(observation);
        self.observers.observed(observation);
        for (slug, finding) in &found {
            self.observers.found(slug, finding);
        }
    }
}
