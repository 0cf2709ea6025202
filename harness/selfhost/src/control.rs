//! The control FIFO, over which a waiting installer is released.

use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode};
use terms::{Moment, StepName};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::unix::pipe::{OpenOptions, Receiver};

use crate::durable_file::FileError;
use crate::hold::parse_release;

/// The reading end. Also opened for writing, so that writers may come and go without ending it.
#[derive(Debug)]
pub(crate) struct ControlFifo {
    lines: Lines<BufReader<Receiver>>,
}

impl ControlFifo {
    /// Makes the FIFO, mode 0600, where there is none, and opens it.
    ///
    /// # Errors
    /// Names the path, also when something else than a FIFO lies there.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        match rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(FileError::when("make the control FIFO", path)(error.into())),
        }
        let kind = std::fs::metadata(path)
            .map_err(FileError::when("inspect", path))?
            .file_type();
        if !kind.is_fifo() {
            let error = std::io::Error::other("something else than a FIFO lies there");
            return Err(FileError::when("use as the control FIFO", path)(error));
        }
        let receiver = OpenOptions::new()
            .read_write(true)
            .open_receiver(path)
            .map_err(FileError::when("open the control FIFO", path))?;
        Ok(Self {
            lines: BufReader::new(receiver).lines(),
        })
    }

    /// The next release. Lines that are none are reported on standard error and passed over.
    ///
    /// # Cancel safety
    /// A line that was only partly received is kept for the next call.
    pub(crate) async fn released(&mut self) -> (StepName, Moment) {
        loop {
            match self.lines.next_line().await {
                Ok(Some(line)) => match parse_release(&line) {
                    Ok(released) => return released,
                    Err(error) => eprintln!("control: {error}"),
                },
                // Both ends are ours, so that neither can happen while the FIFO is open; the hold's
                // own deadline bounds the wait in any case.
                Ok(None) => std::future::pending().await,
                Err(error) => {
                    eprintln!("control: reading failed, holds now end by their deadline: {error}");
                    std::future::pending().await
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn writers_come_and_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        let mut control = ControlFifo::open(&path).unwrap();
        for step in ["one", "two"] {
            let mut writer = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            writeln!(writer, "nonsense\nrelease {step}:entered").unwrap();
            drop(writer);
            assert_eq!(
                control.released().await,
                (StepName::new(step), Moment::Entered)
            );
        }
    }

    #[tokio::test]
    async fn a_plain_file_is_not_taken_for_a_fifo() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        std::fs::write(&path, b"").unwrap();
        let said = ControlFifo::open(&path).unwrap_err().to_string();
        assert!(said.contains("control FIFO"), "{said}");
    }
}
