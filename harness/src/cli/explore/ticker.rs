//! Progress once a second, and whether somebody wants a search to end.

use std::cell::Cell;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::interrupt;
use crate::console::lines::tell;

/// How often progress is told.
const EVERY: Duration = Duration::from_secs(1);

/// Does a search's work for as long as it takes, while other tasks, such as the one that hears Ctrl-C, go on.
///
/// # Errors
/// Those of the work, or when Ctrl-C cannot be heard.
pub(super) async fn in_background(
    work: impl FnOnce(&Ticker) -> Outcome + Send + 'static,
) -> Outcome {
    let cancel = interrupt::token_of_a_search()?;
    let ended = tokio::task::spawn_blocking(move || work(&Ticker::new(cancel))).await;
    ended.map_err(|error| Failure::new(Exit::Failed, error))?
}

/// Tells how far a search is: in one live line on a terminal, in plain lines elsewhere.
pub(super) struct Ticker {
    begun: Instant,
    told: Cell<Instant>,
    bar: Option<ProgressBar>,
    cancel: CancellationToken,
}

impl Ticker {
    /// Begins now; a search ends when this is cancelled.
    pub(super) fn new(cancel: CancellationToken) -> Self {
        let live = || {
            let line = ProgressStyle::with_template("{msg}").expect("the template is right");
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(line)
        };
        let now = Instant::now();
        Self {
            begun: now,
            told: Cell::new(now),
            bar: stderr().is_terminal().then(live),
            cancel,
        }
    }

    /// Tells what `words` says of the seconds since the beginning, if it is time.
    pub(super) fn tick(&self, words: impl FnOnce(f64) -> String) {
        if self.told.get().elapsed() < EVERY {
            return;
        }
        self.told.set(Instant::now());
        let words = words(self.seconds());
        match &self.bar {
            Some(bar) => {
                bar.set_message(words);
                bar.tick();
            }
            None => tell!("{words}"),
        }
    }

    /// Takes the live line away.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Seconds since the beginning.
    pub(super) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Whether the search is to end.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}
