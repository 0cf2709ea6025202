//! Follows a file that another process appends lines to.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

/// The most that is read at one look, so that a runaway writer cannot fill the memory.
const MOST_BYTES: u64 = 1 << 20;

/// A place in a growing file. From its beginning, so that a restarted observer repeats lines
/// rather than lose one; whoever reads them drops what he knows.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
    partial: String,
}

impl Tail {
    /// Follows this file, which need not exist yet.
    pub fn new(path: &PathBuf) -> Self {
        Self {
            path: path.clone(),
            offset: 0,
            partial: String::new(),
        }
    }

    /// The complete lines that appeared since the last call.
    pub fn lines(&mut self) -> Vec<String> {
        let Ok(mut file) = File::open(&self.path) else {
            return Vec::new();
        };
        let length = file
            .metadata()
            .map(|metadata| metadata.len())
            .unwrap_or_default();
        if length < self.offset {
            // The file was made anew: begin again.
            self.offset = 0;
            self.partial.clear();
        }
        let mut bytes = Vec::new();
        let read = file
            .seek(SeekFrom::Start(self.offset))
            .and_then(|_| file.take(MOST_BYTES).read_to_end(&mut bytes));
        let Ok(count) = read else {
            return Vec::new();
        };
        self.offset += count as u64;
        self.partial.push_str(&String::from_utf8_lossy(&bytes));
        let mut lines: Vec<String> = Vec::new();
        while let Some(end) = self.partial.find('\n') {
            let line: String = self.partial.drain(..=end).collect();
            lines.push(line.trim_end().to_owned());
        }
        lines.retain(|line| !line.is_empty());
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn half_a_line_waits_for_its_other_half() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.ndjson");
        let mut tail = Tail::new(&path);
        assert!(tail.lines().is_empty());
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(tail.lines(), ["one"]);
        file.write_all(b"o\n").unwrap();
        assert_eq!(tail.lines(), ["two"]);
        std::fs::write(&path, "new\n").unwrap();
        assert_eq!(tail.lines(), ["new"]);
    }
}
