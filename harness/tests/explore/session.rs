//! A session by hand, as its script.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::command::{chrysalis, place, told};

/// A script and its transcript, which is a script again.
#[test]
fn an_interactive_session_is_its_script() {
    let place = place();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explore/session.txt");
    let script = fs::read_to_string(&golden).expect("the script is there");
    let session = [
        "explore",
        "--interactive",
        "--policy",
        "bootkube",
        "--faults",
        "0",
    ];
    let mut running = chrysalis(place.path(), &session)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let commands = script
        .lines()
        .filter(|line| line.starts_with("> ") || line.starts_with("## "));
    let commands: String = commands.map(|line| format!("{line}\n")).collect();
    let mut input = running.stdin.take().expect("a pipe");
    input.write_all(commands.as_bytes()).expect("it reads");
    drop(input);
    let (code, played) = told(running.wait_with_output().expect("an end"));
    assert_eq!(code, 0, "{played}");
    if std::env::var_os("UPDATE_GOLDENS").is_some() && std::env::var_os("CI").is_none() {
        fs::write(&golden, &played).expect("a golden can be written where it was read");
    }
    assert_eq!(script, played, "UPDATE_GOLDENS=1 writes it anew");
}
