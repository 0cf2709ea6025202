//! Gives every sample its place, and hands it to everybody who wants it, in one order.

use std::collections::BTreeMap;

use oracle::{Finding, Observation, Sighting, Source};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::picture::Picture;
use crate::evidence::{CaseClock, Recorder, Sample};

/// How many samples may wait for the dispatcher: some ten seconds of a 3+1 cluster. A source that
/// finds the queue full waits, and its samples keep their times.
const QUEUE: usize = 4096;

/// Where sources put what they see. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stream {
    samples: mpsc::Sender<Sample>,
    picture: watch::Receiver<Picture>,
    /// The case's time.
    pub clock: CaseClock,
}

impl Stream {
    /// Something was seen by looking from `start_us` until now.
    pub async fn saw(&self, source: Source, start_us: u64, saw: Sighting) {
        let end_us = self.clock.now_us();
        self.put(Sample {
            source,
            start_us,
            end_us,
            saw,
        })
        .await;
    }

    /// The runner did or noticed something just now.
    pub async fn runner(&self, saw: Sighting) {
        self.saw(Source::Runner, self.clock.now_us(), saw).await;
    }

    /// Puts a sample that has its times.
    pub async fn put(&self, sample: Sample) {
        // A closed dispatcher means that the case is over: late samples are of no use to anybody.
        let _ = self.samples.send(sample).await;
    }

    /// The latest of everything; wait on it for changes.
    pub fn picture(&self) -> watch::Receiver<Picture> {
        self.picture.clone()
    }
}

/// Who else listens to the one stream.
pub trait Observers: Send + 'static {
    /// An observation has its place.
    fn observed(&mut self, observation: &Observation);
    /// An invariant was found violated, provisionally.
    fn found(&mut self, slug: &str, finding: &Finding);
}

/// The one place where samples become observations.
#[derive(Debug)]
pub struct Dispatcher {
    task: JoinHandle<Result<(), String>>,
}

impl Dispatcher {
    /// Starts dispatching.
    pub fn start(
        clock: CaseClock,
        recorder: Recorder,
        observers: impl Observers,
    ) -> (Self, Stream) {
        let (samples, queue) = mpsc::channel(QUEUE);
        let (publish, picture) = watch::channel(Picture::default());
        let work = Work {
            clock,
            recorder,
            observers,
            publish,
            next: BTreeMap::new(),
            live: oracle::Live::new(),
        };
        let task = tokio::spawn(work.run(queue));
        (
            Self { task },
            Stream {
                samples,
                picture,
                clock,
            },
        )
    }

    /// Waits until everything that was put is recorded and the file is on the disk. All streams
    /// must be dropped, or a `CaseClosed` must have been put.
    ///
    /// # Errors
    /// When recording is incomplete.
    pub async fn close(self) -> Result<(), String> {
        self.task
            .await
            .map_err(|error| format!("the dispatcher broke: {error}"))?
    }
}

struct Work<O> {
    clock: CaseClock,
    recorder: Recorder,
    observers: O,
    publish: watch::Sender<Picture>,
    next: BTreeMap<Source, u64>,
    live: oracle::Live,
}

impl<O: Observers> Work<O> {
    async fn run(mut self, mut queue: mpsc::Receiver<Sample>) -> Result<(), String> {
        while let Some(sample) = queue.recv().await {
            let last = matches!(sample.saw, Sighting::CaseClosed(_));
            self.take(sample);
            if last {
                break;
            }
        }
        self.recorder.close()
    }

    fn take(&mut self, sample: Sample) {
        let observation = self.number(sample);
        if let Err(why) = self.recorder.append(&observation) {
            let now_us = self.clock.now_us();
            let degraded = self.number(Sample {
                source: Source::Runner,
                start_us: now_us,
                end_us: now_us,
                saw: Sighting::RecordingDegraded(why),
            });
            self.tell(&degraded);
        }
        self.tell(&observation);
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
        self.publish.send_modify(|picture| {
            picture.fold(observation);
            picture.findings.extend(
                found
                    .into_iter()
                    .map(|(slug, finding)| (slug.to_string(), finding)),
            );
        });
    }
}
