//! Running one command in a container and collecting what it says.

use std::pin::Pin;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use futures::{Stream, StreamExt};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::owned::lacks;
use super::verb::{QUICK, milliseconds, refused, verb};
use super::{Container, Engine, EngineError, Owned};

/// The most bytes that are kept of one command's output: 32 MiB.
pub const OUTPUT_BYTES_MAX: usize = 32 << 20;

/// What a command said and ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecOutput {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The exit code; 137 when it was killed, 126 or 127 when it could not be started.
    pub exit_code: i64,
}

pub(crate) type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;
pub(crate) type Input = Pin<Box<dyn AsyncWrite + Send>>;

impl ExecOutput {
    /// Whether the exit code is 0.
    pub fn success(&self) -> bool {
        self.exit_code == 0
    }

    /// Standard output as text, trimmed at its end.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }

    /// Standard error as text, trimmed at its end.
    pub fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim_end().to_owned()
    }
}

impl Engine {
    /// Runs a command in a running container, gives it `stdin` (and its end), and collects what it
    /// says.
    ///
    /// # Errors
    /// [`EngineError::Deadline`] when the command does not end in time (it goes on inside),
    /// [`EngineError::is_conflict`] when the container does not run,
    /// [`EngineError::TooMuch`] above [`OUTPUT_BYTES_MAX`].
    pub async fn exec(
        &self,
        container: &Owned<Container>,
        command: &[String],
        stdin: Option<&[u8]>,
        deadline: Duration,
    ) -> Result<ExecOutput, EngineError> {
        let doing = format!(
            "run `{}` in container {}",
            command.join(" "),
            container.name()
        );
        let running = async {
            let (id, output, input) = self.start_exec(container, command, stdin.is_some()).await?;
            let feeding = feed(input, stdin, &doing);
            let (collected, fed) = tokio::join!(collect(output, &doing), feeding);
            let (stdout, stderr) = collected?;
            let exit_code = self.exec_exit_code(&id, &doing).await?;
            // A command that ends without reading all of its input is its own business; whether it
            // worked is said by the exit code.
            if exit_code == 0 {
                fed?;
            }
            Ok(ExecOutput {
                stdout,
                stderr,
                exit_code,
            })
        };
        tokio::time::timeout(deadline, running)
            .await
            .unwrap_or_else(|_| {
                Err(EngineError::Deadline {
                    doing: doing.clone(),
                    deadline_ms: milliseconds(deadline),
                })
            })
    }

    pub(crate) async fn start_exec(
        &self,
        container: &Owned<Container>,
        command: &[String],
        attach_stdin: bool,
    ) -> Result<(String, Output, Input), EngineError> {
        let doing = format!(
            "start `{}` in container {}",
            command.join(" "),
            container.name()
        );
        let config = ExecConfig {
            cmd: Some(command.to_vec()),
            attach_stdin: Some(attach_stdin),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            ..Default::default()
        };
        let request = self.api.create_exec(&container.id, config);
        let id = verb(doing.clone(), QUICK, request).await?.id;
        let options = StartExecOptions {
            output_capacity: Some(64 << 10),
            ..Default::default()
        };
        let request = self.api.start_exec(&id, Some(options));
        match verb(doing.clone(), QUICK, request).await? {
            StartExecResults::Attached { output, input } => Ok((id, output, input)),
            StartExecResults::Detached => Err(lacks(&doing, "an attached stream")),
        }
    }

    /// The exit code of a command whose output has ended. The engine may need a moment to record
    /// it.
    pub(crate) async fn exec_exit_code(&self, id: &str, doing: &str) -> Result<i64, EngineError> {
        let asking = async {
            loop {
                let answer = self.api.inspect_exec(id).await?;
                match answer.exit_code {
                    Some(code) if answer.running != Some(true) => return Ok(code),
                    _ => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        verb(format!("learn the exit code of: {doing}"), QUICK, asking).await
    }
}

async fn feed(mut input: Input, stdin: Option<&[u8]>, doing: &str) -> Result<(), EngineError> {
    let Some(bytes) = stdin else {
        return Ok(());
    };
    let writing = async {
        input.write_all(bytes).await?;
        input.shutdown().await
    };
    writing
        .await
        .map_err(|error| refused(format!("give input to: {doing}"), error.into()))
}

async fn collect(mut output: Output, doing: &str) -> Result<(Vec<u8>, Vec<u8>), EngineError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(frame) = output.next().await {
        let frame = frame.map_err(|error| refused(doing.to_owned(), error))?;
        match frame {
            LogOutput::StdErr { message } => stderr.extend_from_slice(&message),
            other => stdout.extend_from_slice(other.as_ref()),
        }
        if stdout.len() + stderr.len() > OUTPUT_BYTES_MAX {
            return Err(EngineError::TooMuch {
                doing: doing.to_owned(),
                limit: OUTPUT_BYTES_MAX,
            });
        }
    }
    Ok((stdout, stderr))
}
