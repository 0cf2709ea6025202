//! Which of the two consoles is shown.

use std::ffi::OsStr;
use std::io::IsTerminal;

/// Which of the two consoles is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleKind {
    /// Live phases, redrawn in place.
    Terminal {
        /// Whether colours are used.
        colours: bool,
    },
    /// One line an event, without colours.
    Plain,
}

impl ConsoleKind {
    /// What standard output and the environment ask for: live on a terminal that can be redrawn,
    /// plain lines elsewhere; no colours where `NO_COLOR` is set to anything but nothing.
    pub fn detect() -> Self {
        Self::decide(
            std::io::stdout().is_terminal(),
            std::env::var_os("TERM").as_deref(),
            std::env::var_os("NO_COLOR").as_deref(),
        )
    }

    fn decide(is_terminal: bool, term: Option<&OsStr>, no_color: Option<&OsStr>) -> Self {
        if is_terminal && term != Some(OsStr::new("dumb")) {
            Self::Terminal {
                colours: no_color.is_none_or(OsStr::is_empty),
            }
        } else {
            Self::Plain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_dumb_terminals_and_no_color_are_honoured() {
        let decide = |is_terminal, term: &str, no_color: Option<&str>| {
            ConsoleKind::decide(
                is_terminal,
                Some(OsStr::new(term)),
                no_color.map(OsStr::new),
            )
        };
        assert_eq!(decide(false, "xterm", None), ConsoleKind::Plain);
        assert_eq!(decide(true, "dumb", None), ConsoleKind::Plain);
        assert_eq!(
            decide(true, "xterm", None),
            ConsoleKind::Terminal { colours: true }
        );
        assert_eq!(
            decide(true, "xterm", Some("")),
            ConsoleKind::Terminal { colours: true }
        );
        assert_eq!(
            decide(true, "xterm", Some("1")),
            ConsoleKind::Terminal { colours: false }
        );
    }
}
