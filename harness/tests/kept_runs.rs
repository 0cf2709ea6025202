//! Runs of real clusters that are kept in the repository must go on judging the same: one that
//! passed, and one in which history's installer did what it is known for.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

fn kept(run: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/kept")
        .join(run)
}

fn judged(run: &str) -> (Option<i32>, String) {
    let output = Command::cargo_bin("chrysalis")
        .expect("the command is built with its tests")
        .arg("judge")
        .arg(kept(run))
        .output()
        .expect("the command starts");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[test]
fn a_run_that_passed_goes_on_passing() {
    let (code, said) = judged("bootstrap-and-pivot-single");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("identical"), "the verdict changed:\n{said}");
}

#[test]
fn what_history_did_goes_on_being_found() {
    let (code, said) = judged("apiserver-cannot-be-scheduled");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("identical"), "the verdict changed:\n{said}");
}

/// The kept record is no mere ornament: without the act that it shows, the verdict is another.
#[test]
fn a_record_that_was_altered_is_judged_otherwise() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&kept("apiserver-cannot-be-scheduled"), folder.path());
    let case = std::fs::read_dir(folder.path())
        .expect("the copy is there")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.is_dir())
        .expect("the run has a case");
    let events = case.join("events.ndjson");
    let text = std::fs::read_to_string(&events).expect("the record is there");
    let harmless: String = text
        .lines()
        .filter(|line| !line.contains("missing_files"))
        .flat_map(|line| [line, "\n"])
        .collect();
    assert_ne!(
        harmless.len(),
        text.len(),
        "the record shows files that were missing"
    );
    std::fs::write(&events, harmless).expect("the copy can be written");
    let output = Command::cargo_bin("chrysalis")
        .expect("the command is built with its tests")
        .arg("judge")
        .arg(folder.path())
        .output()
        .expect("the command starts");
    assert_ne!(
        output.status.code(),
        Some(0),
        "the missing files were expected to be noticed"
    );
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from)
        .expect("the kept run is there")
        .flatten()
    {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).expect("the copy can be made");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("the copy can be made");
        }
    }
}
