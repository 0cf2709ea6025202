//! The stream of steps: one JSON line for each announcement, flushed at once.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use terms::{Actor, Moment, StepEvent, StepName};

use crate::durable_file::FileError;

/// Where events go.
#[derive(Clone, Debug)]
pub(crate) enum EventsTo {
    /// Appended to a file.
    File(PathBuf),
    /// Standard output, written `-` on the command line.
    StandardOutput,
}

impl From<&str> for EventsTo {
    fn from(text: &str) -> Self {
        if text == "-" {
            Self::StandardOutput
        } else {
            Self::File(PathBuf::from(text))
        }
    }
}

/// Writes events, and counts how often each step was announced, earlier runs included.
pub(crate) struct Events {
    to: Box<dyn Write + Send>,
    place: PathBuf,
    actor: Actor,
    announced: Vec<(StepName, Moment)>,
}

impl Events {
    /// Opens the stream of this actor; what a file holds already is counted and kept.
    ///
    /// # Errors
    /// Names the file.
    pub(crate) fn of(actor: Actor, to: &EventsTo) -> Result<Self, FileError> {
        let EventsTo::File(path) = to else {
            let place = PathBuf::from("standard output");
            return Ok(Self {
                to: Box::new(io::stdout()),
                place,
                actor,
                announced: Vec::new(),
            });
        };
        let announced = read(path)?
            .into_iter()
            .map(|event| (event.step, event.moment))
            .collect();
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(FileError::when("open the events", path))?;
        if ends_within_a_line(path)? {
            // A run that was killed while writing; the torn line must not swallow ours.
            file.write_all(b"\n")
                .map_err(FileError::when("append to", path))?;
        }
        Ok(Self {
            to: Box::new(file),
            place: path.clone(),
            actor,
            announced,
        })
    }

    /// Which occurrence of this announcement the next one is, counted from 1.
    pub(crate) fn occurrence(&self, step: &StepName, moment: Moment) -> u32 {
        let earlier = self
            .announced
            .iter()
            .filter(|(s, m)| s == step && *m == moment)
            .count();
        u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Appends an event and flushes it.
    ///
    /// # Errors
    /// Names the place.
    pub(crate) fn announce(
        &mut self,
        step: &StepName,
        moment: Moment,
        held: bool,
        reason: Option<String>,
    ) -> Result<(), FileError> {
        let event = StepEvent {
            v: 1,
            actor: self.actor.clone(),
            step: step.clone(),
            moment,
            boot_us: boot_us(),
            held,
            reason,
        };
        let mut line = serde_json::to_vec(&event).expect("an event is plain data");
        line.push(b'\n');
        // One write, so that a kill cannot cut a line in two.
        self.to
            .write_all(&line)
            .and_then(|()| self.to.flush())
            .map_err(FileError::when("append to", &self.place))?;
        self.announced.push((event.step, event.moment));
        Ok(())
    }
}

/// The events of a file; none when there is no file. Lines that a kill tore are passed over.
///
/// # Errors
/// Names the file.
pub(crate) fn read(path: &Path) -> Result<Vec<StepEvent>, FileError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FileError::when("read the events", path)(error)),
    };
    Ok(text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

/// Whether a file is there, not empty, and does not end with a line's end.
pub(crate) fn ends_within_a_line(path: &Path) -> Result<bool, FileError> {
    let content = fs::read(path).map_err(FileError::when("read", path))?;
    Ok(content.last().is_some_and(|last| *last != b'\n'))
}

/// The host's boot-time clock in microseconds: the same in every container of a host.
pub(crate) fn boot_us() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).expect("the boot-time clock is never negative");
    let nanoseconds = u64::try_from(now.tv_nsec).expect("the boot-time clock is never negative");
    seconds * 1_000_000 + nanoseconds / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occurrences_count_over_restarts_and_torn_lines_swallow_nothing() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join("events.ndjson");
        let step = StepName::new("verified");
        let to = EventsTo::File(path.clone());
        let mut events = Events::of(Actor::default(), &to).unwrap();
        assert_eq!(events.occurrence(&step, Moment::Entered), 1);
        events.announce(&step, Moment::Entered, true, None).unwrap();
        drop(events);
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(b"{\"v\":1,\"step\":\"ver").unwrap();
        let mut events = Events::of(Actor::default(), &to).unwrap();
        assert_eq!(events.occurrence(&step, Moment::Entered), 2);
        assert_eq!(events.occurrence(&step, Moment::Completed), 1);
        events
            .announce(&step, Moment::Completed, false, Some("because".to_owned()))
            .unwrap();
        let all = read(&path).unwrap();
        assert_eq!(all.len(), 2);
        assert!(all[0].held && all[1].reason.as_deref() == Some("because"));
        assert!(all[0].boot_us <= all[1].boot_us);
    }
}
