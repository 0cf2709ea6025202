//! `events.ndjson`, read back.

use std::path::Path;

use oracle::reader::{self, Record};

/// Reads a case's observations. A record that was cut off, in the middle of a line or of a letter,
/// is read up to there, with a note.
///
/// # Errors
/// Why it cannot be read, with the file's name.
pub fn read_record(events: &Path) -> Result<Record, String> {
    let bytes = std::fs::read(events)
        .map_err(|error| format!("cannot read {}: {error}", events.display()))?;
    let last_line = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.into(),
        // Cut off in the middle of a letter: the line was cut off, too, and the reader says so.
        Err(error) if error.valid_up_to() >= last_line => String::from_utf8_lossy(&bytes),
        Err(error) => {
            let line = bytes[..error.valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1;
            return Err(format!(
                "{}: line {line} is no text: the record was altered",
                events.display()
            ));
        }
    };
    reader::read(&text).map_err(|error| match std::error::Error::source(&error) {
        Some(source) => format!("{}: {error} ({source})", events.display()),
        None => format!("{}: {error}", events.display()),
    })
}
