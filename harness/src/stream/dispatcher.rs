//! Brings the samples of many sources, as they come, into the one recording.

use oracle::{Finding, Observation, Sighting, Source};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::picture::Picture;
use super::recording::{Observers, Recording};
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

/// Takes samples from everywhere into the recording of a case.
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
        let recording = Recording::new(recorder, Published { observers, publish });
        let task = tokio::spawn(dispatch(recording, queue));
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

async fn dispatch(
    mut recording: Recording<impl Observers>,
    mut queue: mpsc::Receiver<Sample>,
) -> Result<(), String> {
    while let Some(sample) = queue.recv().await {
        let last = matches!(sample.saw, Sighting::CaseClosed(_));
        recording.take(sample);
        if last {
            break;
        }
    }
    recording.close()
}

/// Observers, and after them the picture that the runner decides by.
struct Published<O> {
    observers: O,
    publish: watch::Sender<Picture>,
}

impl<O: Observers> Observers for Published<O> {
    fn observed(&mut self, observation: &Observation) {
        self.observers.observed(observation);
        self.publish
            .send_modify(|picture| picture.fold(observation));
    }

    fn found(&mut self, slug: &str, finding: &Finding) {
        self.observers.found(slug, finding);
        self.publish.send_modify(|picture| {
            picture.findings.insert(slug.to_owned(), finding.clone());
        });
    }
}
