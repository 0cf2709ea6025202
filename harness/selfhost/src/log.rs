//! The log of inputs and effects: enough to make the machine decide everything again.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use pivot::{Facts, Input, LeaseFact, LogEntry};

use crate::durable_file::FileError;

/// Appends entries.
pub(crate) struct Log {
    lines: LogFile,
    last_facts: Option<Facts>,
}

/// The file of a log: entries are whole lines, each in one write.
pub(crate) struct LogFile {
    file: File,
    path: PathBuf,
}

impl LogFile {
    /// Opens a log; what it holds already is kept, but for a last line that a kill has torn. Its
    /// effects were never performed, for an entry is written before they are.
    ///
    /// # Errors
    /// Names the file.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(FileError::when("open the log", path))?;
        let content = std::fs::read(path).map_err(FileError::when("read the log", path))?;
        let whole = content
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        if whole < content.len() {
            eprintln!(
                "log: {} ended within an entry, which is removed",
                path.display()
            );
            file.set_len(whole as u64)
                .map_err(FileError::when("shorten the log", path))?;
        }
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Appends a line, given without its end.
    ///
    /// # Errors
    /// Names the file.
    pub(crate) fn append(&mut self, mut line: String) -> Result<(), FileError> {
        line.push('\n');
        self.file
            .write_all(line.as_bytes())
            .map_err(FileError::when("append to the log", &self.path))
    }
}

impl Log {
    /// Opens a log, see [`LogFile::open`].
    ///
    /// # Errors
    /// Names the file.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        Ok(Self {
            lines: LogFile::open(path)?,
            last_facts: None,
        })
    }

    /// Appends an entry, in one write. Facts that say the same as those before and lead to nothing
    /// (`idle`: no effects, and the state as it was) are left out; the replay is exact without them.
    ///
    /// # Errors
    /// Names the file.
    pub(crate) fn append(&mut self, entry: &LogEntry, idle: bool) -> Result<(), FileError> {
        if let LogEntry::Stepped {
            input: Input::Facts(facts),
            ..
        } = entry
        {
            let same = self
                .last_facts
                .is_some_and(|last| ageless(last) == ageless(*facts));
            if idle && same {
                return Ok(());
            }
            self.last_facts = Some(*facts);
        }
        self.lines.append(entry.to_line())
    }
}

/// Facts without the ages of leases, which differ at every look.
fn ageless(facts: Facts) -> Facts {
    Facts {
        leases: [LeaseFact { age_ds: 0 }; 2],
        ..facts
    }
}

#[cfg(test)]
mod tests {
    use pivot::{Effects, read_log};

    use super::*;

    fn resumed() -> LogEntry {
        LogEntry::Resumed {
            durable: None,
            effects: Effects::none(),
        }
    }

    #[test]
    fn a_torn_entry_is_removed() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join("log.ndjson");
        Log::open(&path).unwrap().append(&resumed(), false).unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"resumed\":{\"dur").unwrap();
        Log::open(&path).unwrap().append(&resumed(), false).unwrap();
        let read = read_log(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read, [resumed(), resumed()]);
    }
}
