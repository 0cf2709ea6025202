//! Mistakes in files: where, what, and the nearest way that would be right.

use std::fmt;

use crate::tree::Place;

/// A mistake in a file, with the line that shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters are meant.
    width: usize,
    /// The line itself.
    text: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub help: Option<String>,
}

/// The most of a line that is shown, in characters.
const LONGEST_LINE: usize = 160;

impl Mistake {
    /// A mistake that concerns the whole file.
    pub fn of_file(file: &str, what: impl Into<String>, help: Option<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            width: 0,
            text: String::new(),
            what: what.into(),
            help,
        }
    }

    /// A mistake at a place of a text.
    pub(crate) fn at(file: &str, text: &str, wrong: Wrong) -> Self {
        let Wrong {
            place, what, help, ..
        } = wrong;
        let place = place.unwrap_or_default();
        let line = place
            .line
            .checked_sub(1)
            .and_then(|index| text.lines().nth(index));
        Self {
            file: file.to_owned(),
            line: place.line,
            column: place.column,
            width: place.width,
            text: line
                .unwrap_or_default()
                .chars()
                .take(LONGEST_LINE)
                .map(visible)
                .collect(),
            what,
            help,
        }
    }
}

/// Tabs and other control characters would shift or garble what is printed.
fn visible(character: char) -> char {
    match character {
        '\t' => '⇥',
        other if other.is_control() => '␀',
        other => other,
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "error: {}", self.what)?;
        if self.line == 0 {
            write!(formatter, "  --> {}", self.file)?;
        } else {
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            let rest = self
                .text
                .chars()
                .count()
                .saturating_sub(self.column.saturating_sub(1));
            let carets = "^".repeat(self.width.min(rest).max(1));
            let indent = " ".repeat(self.column.saturating_sub(1).min(LONGEST_LINE));
            writeln!(
                formatter,
                "{margin}--> {}:{}:{}",
                self.file, self.line, self.column
            )?;
            writeln!(formatter, "{margin} |")?;
            writeln!(formatter, "{number} | {}", self.text)?;
            write!(formatter, "{margin} | {indent}{carets}")?;
        }
        if let Some(help) = &self.help {
            write!(formatter, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// Every mistake of every file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: std::collections::BTreeSet<_> =
            self.0.iter().map(|mistake| &mistake.file).collect();
        let many = |number: usize, word: &str| {
            format!("{number} {word}{}", if number == 1 { "" } else { "s" })
        };
        write!(
            formatter,
            "{} in {}; nothing was started",
            many(self.0.len(), "mistake"),
            many(files.len(), "file")
        )?;
        for mistake in &self.0 {
            write!(formatter, "\n\n{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// A mistake before it is known in which file it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Where; none until the node is known.
    pub(crate) place: Option<Place>,
    /// What is wrong.
    pub(crate) what: String,
    /// What would be right.
    pub(crate) help: Option<String>,
    /// A word that is none of those expected, until it is known what kind of word it is.
    pub(crate) unknown: Option<Box<Unknown>>,
}

/// A word that is none of those expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// The word.
    pub(crate) word: String,
    /// What could have stood there.
    pub(crate) known: Vec<String>,
}

impl Wrong {
    /// A mistake at a place.
    pub(crate) fn new(place: Place, what: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            what: what.into(),
            help: None,
            unknown: None,
        }
    }

    /// The same with the way that would be right.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// A word that is none of those known, with the nearest of them.
    pub(crate) fn unknown<'a>(
        place: Place,
        noun: &str,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self::new(place, format!("unknown {noun} `{word}`")).help(suggestion(word, known))
    }
}

/// The nearest of the known words, when one is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = (word.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn distance(word: &str, candidate: &str) -> usize {
    if word.len() > 80 {
        return usize::MAX;
    }
    let plain = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    strsim::damerau_levenshtein(&plain(word), &plain(candidate))
}

/// `did you mean …?`, or everything that is known when nothing is near.
pub(crate) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "nothing can stand here".to_owned(),
        None => format!("known: {}", known.join(", ")),
    }
}
