//! `events.ndjson`: one line an observation, flushed as it is written, so that a killed runner
//! loses nothing that it had seen.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use oracle::Observation;

/// The most that one case may record. A 3+1 case of three minutes writes about 5 MB.
const MOST_BYTES: u64 = 1 << 30;

/// Appends observations to a file.
///
/// When the disk refuses, recording degrades: it says so once and loudly, and the case can no
/// longer pass, but the cluster is still taken down in order.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    file: Option<File>,
    written_bytes: u64,
}

impl Recorder {
    /// Begins a new file.
    ///
    /// # Errors
    /// When the file cannot be made, or is there already.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let file = File::options().append(true).create_new(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            written_bytes: 0,
        })
    }

    /// Appends one observation.
    ///
    /// # Errors
    /// The reason why recording degrades, once; afterwards nothing is written any more.
    pub fn append(&mut self, observation: &Observation) -> Result<(), String> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut line = serde_json::to_vec(observation)
            .map_err(|error| format!("an observation could not be written down: {error}"))?;
        line.push(b'\n');
        self.written_bytes += line.len() as u64;
        let written = if self.written_bytes > MOST_BYTES {
            Err(format!(
                "{} would grow over {MOST_BYTES} bytes",
                self.path.display()
            ))
        } else {
            file.write_all(&line)
                .map_err(|error| format!("cannot write {}: {error}", self.path.display()))
        };
        if written.is_err() {
            self.file = None;
        }
        written
    }

    /// Makes sure that everything is on the disk.
    ///
    /// # Errors
    /// When the disk refuses, or refused before.
    pub fn close(self) -> Result<(), String> {
        match self.file {
            Some(file) => file
                .sync_all()
                .map_err(|error| format!("cannot sync {}: {error}", self.path.display())),
            None => Err(format!("{} is incomplete", self.path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use oracle::{Sighting, Source};

    use super::*;

    fn observation() -> Observation {
        Observation {
            v: 1,
            source: Source::Runner,
            seq: 0,
            start_us: 0,
            end_us: 0,
            saw: Sighting::RecordingDegraded("for a test".to_owned()),
        }
    }

    #[test]
    fn a_full_disk_is_said_once_and_stays_said() {
        let mut recorder = Recorder {
            path: "/dev/full".into(),
            file: File::options().append(true).open("/dev/full").ok(),
            written_bytes: 0,
        };
        assert!(recorder.append(&observation()).is_err());
        assert_eq!(recorder.append(&observation()), Ok(()));
        assert!(recorder.close().is_err());
    }

    #[test]
    fn lines_are_there_before_the_file_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.ndjson");
        let mut recorder = Recorder::create(&path).unwrap();
        recorder.append(&observation()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
        assert!(
            Recorder::create(&path).is_err(),
            "an existing record is never overwritten"
        );
    }
}
