//! The console: events of a run in, lines out.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use oracle::{CaseResult, Finding, Observation, Verdict};
use reports::{RunReport, Tone, closing, duration, narrate, result_word};

use super::ConsoleKind;
use super::palette::Palette;
use super::screen::{Screen, usually};

/// The console of a run: every method may be called from any task, and none fails or waits for
/// anything but the terminal.
pub struct Console {
    palette: Palette,
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    inner: Mutex<Inner>,
}

struct Inner {
    screen: Screen,
    /// What each open case was last said to wait for, so that it is said once.
    waits: BTreeMap<String, String>,
}

impl Console {
    /// A console of this kind on standard output, whose time starts now.
    pub fn new(kind: ConsoleKind) -> Self {
        let started = Instant::now();
        let clock = Box::new(move || started.elapsed());
        match kind {
            ConsoleKind::Terminal { colours } => Self::with(Screen::live(), colours, clock),
            ConsoleKind::Plain => {
                Self::with(Screen::Lines(Box::new(std::io::stdout())), false, clock)
            }
        }
    }

    /// Plain lines into `sink`, with the time that `clock` says has passed.
    pub fn plain_into(
        sink: impl Write + Send + 'static,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self::with(Screen::Lines(Box::new(sink)), false, Box::new(clock))
    }

    fn with(screen: Screen, colours: bool, clock: Box<dyn Fn() -> Duration + Send + Sync>) -> Self {
        let inner = Mutex::new(Inner {
            screen,
            waits: BTreeMap::new(),
        });
        Self {
            palette: Palette { colours },
            clock,
            inner,
        }
    }

    /// A case has started.
    pub fn case_started(&self, id: &str) {
        let mut inner = self.lock();
        inner.screen.open(id);
        self.say(&mut inner, id, "started");
    }

    /// A case has entered a phase; `usually_ms` is how long it usually takes, where that is known.
    pub fn phase(&self, id: &str, text: &str, usually_ms: Option<u64>) {
        let mut inner = self.lock();
        inner.waits.remove(id);
        inner.screen.phase(id, text, usually_ms);
        let usual = usually_ms
            .map(|ms| format!(" (usually {})", usually(ms)))
            .unwrap_or_default();
        let line = format!("{text}{}", self.palette.dim(&usual));
        self.say(&mut inner, id, &line);
    }

    /// What a case is waiting for; a plain console says it once.
    pub fn waiting_for(&self, id: &str, text: &str) {
        let mut inner = self.lock();
        inner.screen.waiting(id, text);
        let is_new = inner
            .waits
            .insert(id.to_owned(), text.to_owned())
            .as_deref()
            != Some(text);
        if is_new && matches!(inner.screen, Screen::Lines(_)) {
            self.say(&mut inner, id, &format!("waiting for {text}"));
        }
    }

    /// Something was seen in a case; only what tells its story is shown.
    pub fn observation(&self, id: &str, observation: &Observation) {
        if matches!(observation.saw, oracle::Sighting::Entry(_)) {
            // The runner names its phases itself, with how long they usually take.
            return;
        }
        if let Some(told) = narrate(observation) {
            let line = self.palette.tone(told.tone, &told.text);
            self.say(&mut self.lock(), id, &line);
        }
    }

    /// An invariant was violated; `expected` when the case asks for it. Provisional until the
    /// verdict.
    pub fn finding(&self, id: &str, slug: &str, finding: &Finding, expected: bool) {
        let line = if expected {
            let text = format!("violated as expected: {slug}: {}", finding.what);
            self.palette.tone(Tone::Note, &text)
        } else {
            let text = format!("VIOLATED {slug}: {}", finding.what);
            self.palette.result(CaseResult::Failed, &text)
        };
        self.say(&mut self.lock(), id, &line);
    }

    /// A case has ended.
    pub fn case_finished(&self, id: &str, verdict: &Verdict, took_ms: u64) {
        let mut inner = self.lock();
        inner.waits.remove(id);
        inner.screen.close(id);
        let word = self
            .palette
            .result(verdict.result, result_word(verdict.result));
        let line = format!("{word} in {}: {}", duration(took_ms), verdict.reason);
        self.say(&mut inner, id, &line);
    }

    /// Something that concerns the run and no case, such as what is being made ready.
    pub fn note(&self, text: &str) {
        let stamp = self.stamp();
        self.lock().screen.line(&format!("{stamp} {text}"));
    }

    /// The run has ended: what went wrong, once more, and the counts.
    pub fn summary(&self, run: &RunReport) {
        let mut inner = self.lock();
        inner.screen.line("");
        for line in closing(run).lines() {
            let line = self.highlight(line);
            inner.screen.line(&line);
        }
    }

    /// Colours the result that leads a line.
    fn highlight(&self, line: &str) -> String {
        for result in [CaseResult::Failed, CaseResult::Inconclusive] {
            let word = result_word(result);
            if let Some(rest) = line.strip_prefix(word) {
                return format!("{}{rest}", self.palette.result(result, word));
            }
        }
        line.to_owned()
    }

    fn say(&self, inner: &mut Inner, id: &str, text: &str) {
        inner.screen.line(&format!("{} {id}  {text}", self.stamp()));
    }

    /// `[  12.3s]`: the time of the run.
    fn stamp(&self) -> String {
        let tenths = (self.clock)().as_millis() / 100;
        self.palette
            .dim(&format!("[{:>5}.{}s]", tenths / 10, tenths % 10))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
