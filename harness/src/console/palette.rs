//! Colours by meaning, or none.

use oracle::CaseResult;
use owo_colors::{OwoColorize, Style};
use reports::Tone;

/// Colours by meaning, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Palette {
    /// Whether colours are used at all.
    pub(super) colours: bool,
}

impl Palette {
    /// A text in the colour of a result.
    pub(super) fn result(self, result: CaseResult, text: &str) -> String {
        self.paint(
            text,
            match result {
                CaseResult::Passed => Style::new().green().bold(),
                CaseResult::Failed => Style::new().red().bold(),
                CaseResult::Inconclusive => Style::new().yellow().bold(),
                CaseResult::NotApplicable => Style::new().dimmed(),
            },
        )
    }

    /// A text in the colour of what it tells of.
    pub(super) fn tone(self, tone: Tone, text: &str) -> String {
        self.paint(
            text,
            match tone {
                Tone::Step => Style::new(),
                Tone::Fault => Style::new().magenta(),
                Tone::Heal => Style::new().cyan(),
                Tone::Trouble => Style::new().yellow(),
                Tone::Note => Style::new().dimmed(),
            },
        )
    }

    /// A text in the background of attention.
    pub(super) fn dim(self, text: &str) -> String {
        self.paint(text, Style::new().dimmed())
    }

    fn paint(self, text: &str, style: Style) -> String {
        if self.colours {
            text.style(style).to_string()
        } else {
            text.to_owned()
        }
    }
}
