//! Style is a test: sizes, who may know whom, words that may not land, pages that must be fresh.
//!
//! `cargo run -p tidy` prints every offence and ends with 1 if there is any.

mod edges;
mod pages;
mod text;

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let files = match tracked_files() {
        Ok(files) => files,
        Err(reason) => {
            eprintln!("tidy: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let mut offences = text::offences(&files);
    offences.extend(pages::offences());
    offences.extend(edges::offences());
    for offence in &offences {
        eprintln!("{offence}");
    }
    if offences.is_empty() {
        println!("tidy: {} files are in order", files.len());
        ExitCode::SUCCESS
    } else {
        eprintln!("tidy: {} offences", offences.len());
        ExitCode::FAILURE
    }
}

/// Paths of all files that version control knows, relative to the root.
fn tracked_files() -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()
        .map_err(|error| format!("cannot run git: {error}"))?;
    if !output.status.success() {
        return Err("git does not list the files: run this at the root of a checkout".to_owned());
    }
    let listed = String::from_utf8_lossy(&output.stdout);
    Ok(listed.lines().map(str::to_owned).collect())
}
