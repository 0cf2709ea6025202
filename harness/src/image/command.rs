//! Running a script of the recipe: its output into a log, its end under a deadline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::{ImageError, Progress};

/// A script to be run as one stage.
#[derive(Debug)]
pub(crate) struct Script<'a> {
    /// What the stage is called.
    pub(crate) stage: &'a str,
    /// How long it usually takes on two cores.
    pub(crate) usual: Duration,
    /// The script.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// The file that takes all its output.
    pub(crate) log: PathBuf,
}

/// How long any script may take: five times what the longest usually needs.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// How often it is said that a stage goes on.
const SAY_EVERY: Duration = Duration::from_secs(30);
/// How long a script may take to clean up after SIGTERM.
const GRACE: Duration = Duration::from_secs(20);
/// What a script of the recipe ends with when something is missing that it cannot install.
const MISSING: i32 = 69;
/// How much of a log is shown when a script fails.
const LINES_SHOWN: usize = 20;

impl Script<'_> {
    /// Runs the script to its end.
    ///
    /// It has a process group of its own: Ctrl-C reaches it only through `stop`, which ends the
    /// whole group, compilers included.
    pub(crate) async fn run(
        self,
        say: &(dyn Fn(Progress) + Sync),
        stop: &CancellationToken,
    ) -> Result<(), ImageError> {
        let Self {
            stage,
            usual,
            program,
            arguments,
            log,
        } = self;
        let begun = Instant::now();
        say(Progress::Begun {
            stage: stage.to_owned(),
            usual,
        });
        let mut child = start(stage, &program, &arguments, &log)?;
        let status = loop {
            tokio::select! {
                ended = child.wait() => {
                    break ended.map_err(ImageError::file(format!("wait for {stage}")))?;
                }
                () = tokio::time::sleep(SAY_EVERY) => {
                    let elapsed = begun.elapsed();
                    say(Progress::Going { stage: stage.to_owned(), elapsed, usual });
                    if elapsed > DEADLINE {
                        end(&mut child).await;
                        let deadline_s = DEADLINE.as_secs();
                        return Err(ImageError::Deadline { stage: stage.to_owned(), deadline_s, log });
                    }
                }
                () = stop.cancelled() => {
                    end(&mut child).await;
                    return Err(ImageError::Interrupted);
                }
            }
        };
        judge(stage, status, log)?;
        say(Progress::Done {
            stage: stage.to_owned(),
            elapsed: begun.elapsed(),
        });
        Ok(())
    }
}

fn start(
    stage: &str,
    program: &Path,
    arguments: &[String],
    log: &Path,
) -> Result<Child, ImageError> {
    let writing = || ImageError::file(format!("write {}", log.display()));
    let output = fs::File::create(log).map_err(writing())?;
    let errors = output.try_clone().map_err(writing())?;
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(ImageError::file(format!(
            "start {} for {stage}",
            program.display()
        )))
}

fn judge(stage: &str, status: ExitStatus, log: PathBuf) -> Result<(), ImageError> {
    if status.success() {
        return Ok(());
    }
    let words = tail(&fs::read(&log).unwrap_or_default(), LINES_SHOWN);
    let stage = stage.to_owned();
    Err(match status.code() {
        Some(MISSING) => ImageError::Unavailable { stage, words },
        _ => ImageError::Command {
            stage,
            status: status.to_string(),
            log,
            words,
        },
    })
}

/// Asks the whole group to end, and kills it after a grace. The script itself may be gone long
/// before what it has started: its last process counts.
async fn end(child: &mut Child) {
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let Some(group) = group else { return };
    // These calls fail only when the group is gone, which is what is wanted.
    let _ = kill_process_group(group, Signal::TERM);
    let gone = async {
        let _ = child.wait().await;
        while test_kill_process_group(group).is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(GRACE, gone).await.is_err() {
        let _ = kill_process_group(group, Signal::KILL);
        let _ = child.wait().await;
    }
}

/// The last `lines` lines of some output.
pub(crate) fn tail(output: &[u8], lines: usize) -> String {
    let text = String::from_utf8_lossy(output);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(text: &str, stop: &CancellationToken) -> Result<(), ImageError> {
        let root = tempfile::tempdir().unwrap();
        let script = Script {
            stage: "test",
            usual: Duration::from_secs(1),
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), text.to_owned()],
            log: root.path().join("log"),
        };
        script.run(&|_| {}, stop).await
    }

    #[tokio::test]
    async fn failures_show_the_end_of_the_output() {
        let stop = CancellationToken::new();
        assert!(shell("echo fine", &stop).await.is_ok());
        match shell("seq 100; echo broken >&2; exit 3", &stop).await {
            Err(ImageError::Command { status, words, .. }) => {
                assert!(status.contains('3'), "{status}");
                assert!(
                    words.ends_with("100\nbroken") && words.starts_with("82"),
                    "{words}"
                );
            }
            other => panic!("{other:?}"),
        }
        let missing = shell("echo no compiler; exit 69", &stop).await;
        assert!(
            matches!(missing, Err(ImageError::Unavailable { words, .. }) if words == "no compiler")
        );
    }

    #[tokio::test]
    async fn stopping_ends_the_whole_group() {
        let root = tempfile::tempdir().unwrap();
        let mark = root.path().join("pid");
        let stop = CancellationToken::new();
        let text = format!(
            "sleep 300 & echo $! >{0}.new; mv {0}.new {0}; wait",
            mark.display()
        );
        let (ended, ()) = tokio::join!(shell(&text, &stop), async {
            while !mark.exists() {
                tokio::task::yield_now().await;
            }
            stop.cancel();
        });
        assert!(matches!(ended, Err(ImageError::Interrupted)));
        let pid = fs::read_to_string(&mark).unwrap().trim().to_owned();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(
            stat.is_empty() || stat.contains(") Z"),
            "still there: {stat}"
        );
    }
}
