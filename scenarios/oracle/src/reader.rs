//! Reads a recorded case: one observation a line, appended and flushed, perhaps cut off.

use crate::observation::Observation;

/// No observation is longer: the largest, a read-back of all keys, stays below a tenth of it.
pub const LINE_MAX_BYTES: usize = 1 << 20;
/// No case is longer; a nightly case of an hour stays below a tenth of it.
pub const FILE_MAX_BYTES: usize = 1 << 30;
/// The version of the record that is understood.
const VERSION: u32 = 1;

/// A recorded case, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The observations, in the order of the file.
    pub observations: Vec<Observation>,
    /// What a reader should know, such as a last line that was cut off.
    pub notes: Vec<String>,
}

/// Why a record cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is larger than any case.
    #[error("the record has {bytes} bytes, more than {FILE_MAX_BYTES}: it is no record of a case")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A line is longer than any observation.
    #[error("line {line} has {bytes} bytes, more than {LINE_MAX_BYTES}: it is no observation")]
    LineTooLong {
        /// Which line, from 1.
        line: usize,
        /// Its length.
        bytes: usize,
    },
    /// A line in the middle is no observation.
    #[error("line {line} is no observation: the record was altered, or written by another version")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A line is of a version that this program does not know.
    #[error(
        "line {line} has version {version}, this program reads version {VERSION}: judge it with the program that recorded it"
    )]
    Version {
        /// Which line, from 1.
        line: usize,
        /// Its version.
        version: u32,
    },
}

/// Reads the text of an `events.ndjson`.
///
/// A last line without its line break was cut off while it was written: it is left out, and a note
/// says so. A bad line anywhere else is an error that names the line.
///
/// # Errors
/// When the record is too large, or a line is too long, no observation, or of another version.
pub fn read(text: &str) -> Result<Record, ReadError> {
    if text.len() > FILE_MAX_BYTES {
        return Err(ReadError::TooLarge { bytes: text.len() });
    }
    let mut record = Record::default();
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let line = index + 1;
        let is_whole = raw.ends_with('\n');
        let content = raw.trim_end_matches(['\n', '\r']);
        if content.len() > LINE_MAX_BYTES {
            return Err(ReadError::LineTooLong {
                line,
                bytes: content.len(),
            });
        }
        match serde_json::from_str::<Observation>(content) {
            Ok(seen) if seen.v != VERSION => {
                return Err(ReadError::Version {
                    line,
                    version: seen.v,
                });
            }
            Ok(seen) => record.observations.push(seen),
            Err(_) if !is_whole => {
                let note = format!(
                    "line {line}, the last, was cut off while it was written, and is left out"
                );
                record.notes.push(note);
            }
            Err(source) => return Err(ReadError::Line { line, source }),
        }
    }
    if record.observations.is_empty() {
        record
            .notes
            .push("the record holds no observation".to_owned());
    }
    Ok(record)
}
