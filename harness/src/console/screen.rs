//! Where lines and live phases are drawn.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use reports::duration;

/// How often live phases are redrawn.
const REDRAW: Duration = Duration::from_millis(250);

/// Where lines and live phases are drawn.
pub(super) enum Screen {
    /// One line after another.
    Lines(Box<dyn Write + Send>),
    /// Lines above, one live line for each open case below.
    Live {
        /// The live lines.
        all: MultiProgress,
        /// Each open case's own.
        bars: BTreeMap<String, Bar>,
    },
}

/// The live line of a case.
pub(super) struct Bar {
    line: ProgressBar,
    usually_ms: Arc<Mutex<Option<u64>>>,
    phase: String,
}

impl Screen {
    /// Lines above and live phases below, on standard output.
    pub(super) fn live() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        Self::Live {
            all,
            bars: BTreeMap::new(),
        }
    }

    /// Prints a line for good. Whoever closed our output does not want it: that is no error.
    pub(super) fn line(&mut self, text: &str) {
        match self {
            Self::Lines(sink) => {
                let _ = writeln!(sink, "{text}").and_then(|()| sink.flush());
            }
            Self::Live { all, .. } => {
                let _ = all.println(text);
            }
        }
    }

    /// Opens the live line of a case.
    pub(super) fn open(&mut self, case: &str) {
        if let Self::Live { all, bars } = self {
            let usually_ms = Arc::new(Mutex::new(None));
            let line = all.add(ProgressBar::new_spinner().with_style(style(&usually_ms)));
            line.set_prefix(case.to_owned());
            line.enable_steady_tick(REDRAW);
            bars.insert(
                case.to_owned(),
                Bar {
                    line,
                    usually_ms,
                    phase: String::new(),
                },
            );
        }
    }

    /// Shows a case's phase, whose duration starts to count.
    pub(super) fn phase(&mut self, case: &str, text: &str, usually_ms: Option<u64>) {
        if let Some(bar) = self.bar(case) {
            text.clone_into(&mut bar.phase);
            *bar.usually_ms
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner) = usually_ms;
            bar.line.reset_elapsed();
            bar.line.set_message(text.to_owned());
        }
    }

    /// Shows what a case is waiting for.
    pub(super) fn waiting(&mut self, case: &str, text: &str) {
        if let Some(bar) = self.bar(case) {
            bar.line
                .set_message(format!("{} · waiting for {text}", bar.phase));
        }
    }

    /// Takes a case's live line away.
    pub(super) fn close(&mut self, case: &str) {
        if let Self::Live { all, bars } = self
            && let Some(bar) = bars.remove(case)
        {
            bar.line.finish_and_clear();
            all.remove(&bar.line);
        }
    }

    fn bar(&mut self, case: &str) -> Option<&mut Bar> {
        match self {
            Self::Lines(_) => None,
            Self::Live { bars, .. } => bars.get_mut(case),
        }
    }
}

/// A live line: the case, how long its phase has taken and usually takes, and the phase, cut off
/// at the edge of the terminal.
fn style(usually_ms: &Arc<Mutex<Option<u64>>>) -> ProgressStyle {
    let usually_ms = Arc::clone(usually_ms);
    ProgressStyle::with_template("{spinner} {prefix} {took}  {wide_msg}")
        .expect("the template is a constant with known keys")
        .with_key(
            "took",
            move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let took_ms = u64::try_from(state.elapsed().as_millis()).unwrap_or(u64::MAX);
                let usually = *usually_ms
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                let _ = write!(out, "{}", took_and_usually(took_ms, usually));
            },
        )
}

/// `12.3s (usually 35.0s)`.
fn took_and_usually(took_ms: u64, usually_ms: Option<u64>) -> String {
    let mut text = duration(took_ms / 100 * 100);
    if let Some(usually_ms) = usually_ms {
        let _ = write!(text, " (usually {})", usually(usually_ms));
    }
    text
}

/// A usual duration, which nobody wants to the tenth of a second: `35s`.
pub(super) fn usually(ms: u64) -> String {
    if (1_000..59_500).contains(&ms) {
        format!("{}s", (ms + 500) / 1_000)
    } else {
        duration(ms)
    }
}
