//! Running one long-lived command in a container and reading it line by line.

use std::collections::VecDeque;
use std::fmt;

use bollard::container::LogOutput;
use futures::StreamExt;

use super::exec::{Input, Output};
use super::verb::refused;
use super::{Container, Engine, EngineError, Owned};

/// The longest line that is passed on whole: 1 MiB. A longer one is cut into pieces.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineSource {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of output, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it came from.
    pub source: LineSource,
    /// The line; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// A running command whose output is read line by line.
///
/// Its standard input stays open as long as this value lives and ends when it is dropped, so a
/// command that watches its input ends with its reader. A command that does not goes on inside the
/// container.
pub struct ExecLines {
    engine: Engine,
    id: String,
    doing: String,
    output: Output,
    _input: Input,
    stdout: Assembler,
    stderr: Assembler,
    ready: VecDeque<Line>,
    ended: bool,
}

impl Engine {
    /// Starts a command in a running container and returns its lines as they come.
    ///
    /// # Errors
    /// When the container does not run, or the engine fails. A command that cannot be found shows
    /// as a stream that ends with exit code 126 or 127.
    pub async fn exec_lines(
        &self,
        container: &Owned<Container>,
        command: &[String],
    ) -> Result<ExecLines, EngineError> {
        let (id, output, input) = self.start_exec(container, command, true).await?;
        Ok(ExecLines {
            engine: self.clone(),
            id,
            doing: format!(
                "read `{}` in container {}",
                command.join(" "),
                container.name()
            ),
            output,
            _input: input,
            stdout: Assembler::new(LineSource::Stdout),
            stderr: Assembler::new(LineSource::Stderr),
            ready: VecDeque::new(),
            ended: false,
        })
    }
}

impl ExecLines {
    /// The next line; `None` when the command has ended or its container was killed. It waits as
    /// long as the command is silent: the caller sets the deadline.
    ///
    /// # Errors
    /// When the connection to the engine breaks.
    ///
    /// # Cancel safety
    /// Safe: a cancelled call loses nothing.
    pub async fn next(&mut self) -> Result<Option<Line>, EngineError> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            match self.output.next().await {
                Some(Ok(LogOutput::StdErr { message })) => {
                    self.stderr.push(&message, &mut self.ready);
                }
                Some(Ok(other)) => self.stdout.push(other.as_ref(), &mut self.ready),
                Some(Err(error)) => return Err(refused(self.doing.clone(), error)),
                None => {
                    self.ended = true;
                    self.stdout.finish(&mut self.ready);
                    self.stderr.finish(&mut self.ready);
                }
            }
        }
    }

    /// The next piece of output as it comes, not cut into lines; otherwise as [`ExecLines::next`].
    /// Whoever mixes the two gets what `next` has already begun to put together from `next` only.
    ///
    /// # Errors
    /// As [`ExecLines::next`].
    pub async fn next_bytes(&mut self) -> Result<Option<(LineSource, Vec<u8>)>, EngineError> {
        match self.output.next().await {
            None => Ok(None),
            Some(Ok(LogOutput::StdErr { message })) => {
                Ok(Some((LineSource::Stderr, message.to_vec())))
            }
            Some(Ok(other)) => Ok(Some((LineSource::Stdout, other.as_ref().to_vec()))),
            Some(Err(error)) => Err(refused(self.doing.clone(), error)),
        }
    }

    /// The command's exit code, once [`ExecLines::next`] has returned `None`.
    ///
    /// # Errors
    /// [`EngineError::Deadline`] when the command still runs; [`EngineError::is_missing`] when its
    /// container has been removed.
    pub async fn exit_code(&mut self) -> Result<i64, EngineError> {
        self.engine.exec_exit_code(&self.id, &self.doing).await
    }
}

impl fmt::Debug for ExecLines {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ExecLines")
            .field("doing", &self.doing)
            .finish_non_exhaustive()
    }
}

/// Puts lines together from frames that end anywhere.
struct Assembler {
    source: LineSource,
    rest: Vec<u8>,
}

impl Assembler {
    fn new(source: LineSource) -> Self {
        Self {
            source,
            rest: Vec::new(),
        }
    }

    fn push(&mut self, frame: &[u8], ready: &mut VecDeque<Line>) {
        for piece in frame.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.rest.len() >= LINE_BYTES_MAX {
                self.finish(ready);
            }
        }
    }

    fn finish(&mut self, ready: &mut VecDeque<Line>) {
        if self.rest.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&self.rest);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
        self.rest.clear();
        ready.push_back(Line {
            source: self.source,
            text,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(frames: &[&[u8]]) -> Vec<String> {
        let (mut assembler, mut ready) = (Assembler::new(LineSource::Stdout), VecDeque::new());
        for frame in frames {
            assembler.push(frame, &mut ready);
        }
        assembler.finish(&mut ready);
        ready.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn frames_may_end_anywhere() {
        assert_eq!(lines(&[b"a\nb", b"c\n", b"\n", b"d"]), ["a", "bc", "", "d"]);
        assert_eq!(lines(&[b"\xe2\x82", b"\xac\r\n"]), ["\u{20ac}"]);
        assert_eq!(lines(&[]), Vec::<String>::new());
    }

    #[test]
    fn an_endless_line_is_cut() {
        let long = vec![b'x'; LINE_BYTES_MAX + 5];
        let cut: Vec<usize> = lines(&[&long[..LINE_BYTES_MAX], &long[LINE_BYTES_MAX..]])
            .iter()
            .map(String::len)
            .collect();
        assert_eq!(cut, [LINE_BYTES_MAX, 5]);
    }
}
