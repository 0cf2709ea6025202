//! From the bytes of a file to its tree, within limits: a scenario is small, plain and one document.

use serde_saphyr::options::{AliasLimits, MergeKeyPolicy};
use serde_saphyr::{Error, Options};

use crate::mistake::{Mistake, Wrong};
use crate::tree::{Place, Tree, Value};

/// The largest file that is read: a hundred times a long scenario.
pub(crate) const LARGEST_BYTES: usize = 256 * 1024;

/// The deepest nesting: the language needs eight levels.
const DEEPEST: usize = 24;

/// Reads the bytes of a file.
///
/// # Errors
/// The first mistake that makes the rest unreadable.
pub(crate) fn read<'a>(file: &str, bytes: &'a [u8]) -> Result<(&'a str, Tree), Box<Mistake>> {
    let text = text(file, bytes)?;
    let wrong = |wrong| Box::new(Mistake::at(file, text, wrong));
    plain(text).map_err(wrong)?;
    let tree: Tree = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| wrong(in_words(error.without_snippet())))?;
    if tree.value == Value::Nothing {
        return Err(Box::new(Mistake::of_file(
            file,
            "the file is empty",
            Some("a scenario begins with `name:`".to_owned()),
        )));
    }
    Ok((text, tree))
}

fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Box<Mistake>> {
    let not =
        |what: String, help: &str| Box::new(Mistake::of_file(file, what, Some(help.to_owned())));
    if bytes.len() > LARGEST_BYTES {
        return Err(not(
            format!(
                "the file has {} KiB; a scenario has at most {}",
                bytes.len() / 1024,
                LARGEST_BYTES / 1024
            ),
            "is this really a scenario?",
        ));
    }
    if bytes.contains(&0) {
        return Err(not(
            "the file is binary: it contains a zero byte".to_owned(),
            "a scenario is text in UTF-8",
        ));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        not(
            format!("line {line} is not UTF-8"),
            "save the file as UTF-8",
        )
    })
}

/// Refuses what the parser would only report in its own words, or would take.
fn plain(text: &str) -> Result<(), Wrong> {
    for (line, number) in text.lines().zip(1..) {
        let indent = line.len() - line.trim_start().len();
        if let Some(column) = line[..indent].find('\t') {
            let place = Place {
                line: number,
                column: column + 1,
                width: 1,
            };
            return Err(
                Wrong::new(place, "a tab indents this line").help("YAML is indented with spaces")
            );
        }
    }
    Ok(())
}

fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_anchors: 0,
        max_aliases: 0,
        max_documents: 1,
        max_depth: DEEPEST,
        flow_nesting_limit: DEEPEST,
        max_nodes: 20_000,
        max_events: 60_000,
        max_merge_keys: 0,
    };
    let mut alias_limits = AliasLimits::default();
    alias_limits.max_total_replayed_events = 0;
    serde_saphyr::options! {
        budget: budget,
        alias_limits: alias_limits,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn too_deep(place: Place) -> Wrong {
    Wrong::new(place, "this is nested too deeply").help("a scenario needs at most eight levels")
}

/// The parser's error in the words of this language.
fn in_words(error: &Error) -> Wrong {
    let place = Place::of_error(error);
    match error {
        Error::DuplicateMappingKey { key, .. } => {
            let what = key.as_ref().map_or_else(
                || "this key stands twice".to_owned(),
                |key| format!("the key `{key}` stands twice"),
            );
            Wrong::new(place, what).help("keep one of the two")
        }
        Error::MultipleDocuments { .. } => Wrong::new(place, "a second document begins here")
            .help("one scenario a file: split it at `---`"),
        Error::MergeKeyNotAllowed { .. } => {
            Wrong::new(place, "merge keys (`<<`) are not allowed").help("write the keys out")
        }
        other if other.to_string().contains("recursion limit") => too_deep(place),
        Error::Budget { breach, .. } => {
            let breach = format!("{breach:?}");
            if breach.contains("Depth") {
                return too_deep(place);
            }
            let (what, help) = if breach.contains("Anchor") || breach.contains("Alias") {
                (
                    "anchors and aliases (`&`, `*`) are not allowed",
                    "write the value out; `cases[].set` and `$name` vary a timeline",
                )
            } else if breach.contains("Document") {
                (
                    "a second document begins here",
                    "one scenario a file: split it at `---`",
                )
            } else {
                (
                    "the file is too complex to be a scenario",
                    "split it into several scenarios",
                )
            };
            Wrong::new(place, what).help(help)
        }
        other => {
            let said = other.to_string();
            let said = said.split(" at line ").next().unwrap_or(&said);
            Wrong::new(place, format!("this is not YAML: {said}"))
        }
    }
}
