//! What a script sees of the command line: exit codes of wrong usage, and a reader that goes away.

use std::io::Read;
use std::process::{Command, Stdio};

fn chrysalis(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chrysalis"));
    command.args(arguments);
    command
}

fn code(arguments: &[&str]) -> Option<i32> {
    let ended = chrysalis(arguments).output().expect("the command starts");
    ended.status.code()
}

#[test]
fn wrong_usage_is_not_mistaken_for_inconclusive() {
    for wrong in [
        &["run", "--no-such-flag", "."][..],
        &["no-such-verb"],
        &["run"],
        &["plan", "."],
        &[],
    ] {
        assert_eq!(code(wrong), Some(64), "{wrong:?}");
    }
}

#[test]
fn help_and_version_end_well() {
    for asked in [
        &["--help"][..],
        &["--version"],
        &["run", "--help"],
        &["completions", "bash"],
    ] {
        assert_eq!(code(asked), Some(0), "{asked:?}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_nothing_badly() {
    let missing = std::env::temp_dir().join("chrysalis-no-such-scenario.yaml");
    let missing = missing.to_str().expect("a path of text");
    let mut running = chrysalis(&["plan", missing])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(running.stderr.take());
    let mut said = String::new();
    running
        .stdout
        .take()
        .expect("a pipe")
        .read_to_string(&mut said)
        .expect("text");
    let ended = running.wait().expect("an end");
    assert_eq!(ended.code(), Some(64), "a closed pipe is no panic: {said}");
}
