//! Runs of real clusters that are kept in the repository must go on judging the same: one that
//! passed, and one in which history's installer did what it is known for.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

fn kept(run: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/kept")
        .join(run)
}

fn chrysalis(verb: &str, run: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::cargo_bin("chrysalis")
        .expect("the command is built with its tests")
        .arg(verb)
        .arg(run)
        .args(arguments)
        .output()
        .expect("the command starts");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

fn judged(run: &str) -> (Option<i32>, String) {
    chrysalis("judge", &kept(run), &[])
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
    let (code, _) = chrysalis("judge", folder.path(), &[]);
    assert_ne!(
        code,
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

/// What real clusters did is possible in the simulator's coarse world.
#[test]
fn kept_runs_conform() {
    for run in [
        "bootstrap-and-pivot-single",
        "apiserver-cannot-be-scheduled",
    ] {
        let (code, said) = chrysalis("conform", &kept(run), &[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.starts_with("conforms "), "{said}");
    }
}

/// Without the announcement that the manifests are placed, nothing explains that they lie there.
#[test]
fn a_record_that_lacks_a_step_diverges() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&kept("bootstrap-and-pivot-single"), folder.path());
    let case = std::fs::read_dir(folder.path())
        .expect("the copy is there")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.is_dir())
        .expect("the run has a case");
    let events = case.join("events.ndjson");
    let text = std::fs::read_to_string(&events).expect("the record is there");
    let lacking: String = text
        .lines()
        .filter(|line| !line.contains(r#""step":"manifests-placed""#))
        .flat_map(|line| [line, "\n"])
        .collect();
    assert_ne!(lacking.len(), text.len(), "the record has the step");
    std::fs::write(&events, lacking).expect("the copy can be written");
    let (code, said) = chrysalis("conform", folder.path(), &["--json"]);
    assert_eq!(code, Some(1), "{said}");
    let report: serde_json::Value = serde_json::from_str(&said).expect("it is JSON");
    let change = &report["cases"][0]["outcome"]["diverges"]["change"];
    assert!(
        change.as_str().is_some_and(|change| !change.is_empty()),
        "{said}"
    );
}
