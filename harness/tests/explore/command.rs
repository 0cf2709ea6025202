//! The command, its answers, and the files that it leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command in this folder, without anything that leads to an engine.
pub(crate) fn chrysalis(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chrysalis"));
    command
        .env("DOCKER_HOST", "unix:///nowhere")
        .current_dir(folder)
        .args(arguments);
    command
}

/// Its exit code, and all that it printed.
pub(crate) fn said(folder: &Path, arguments: &[&str]) -> (i32, String) {
    told(
        chrysalis(folder, arguments)
            .output()
            .expect("the command starts"),
    )
}

pub(crate) fn told(output: Output) -> (i32, String) {
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&printed).into_owned(),
    )
}

/// Each of these words was printed.
pub(crate) fn mentions(said: &str, all: &[&str]) {
    for words in all {
        assert!(said.contains(words), "{words} is missing:\n{said}");
    }
}

pub(crate) fn place() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Files in this folder whose names end so, by name.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut found: Vec<PathBuf> = paths
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    found.sort();
    found
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}
