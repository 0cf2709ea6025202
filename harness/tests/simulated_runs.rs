//! `run --on sim` as a person meets it: the files of a real run, the same bytes each time, and the
//! same verdicts when they are judged again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use sha2::{Digest, Sha256};

fn catalogue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/catalogue")
}

/// Runs the command without anything that leads to an engine: its exit code, and all that it printed.
fn chrysalis(arguments: &[&str], paths: &[&Path]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chrysalis"));
    let command = command
        .env("DOCKER_HOST", "unix:///nowhere")
        .args(arguments)
        .args(paths);
    let output = command.output().expect("the command starts");
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&printed).into_owned(),
    )
}

/// Runs scenarios into a directory.
fn simulated(scenarios: &Path, out: &Path, more: &[&str]) -> (i32, String) {
    let out = out.to_str().expect("temporary folders have plain names");
    let run = ["run", "--on", "sim", "--out", out];
    chrysalis(&[&run[..], more].concat(), &[scenarios])
}

/// Hashes of all files below a directory but those that tell when and where the run was.
fn hashes(root: &Path, folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the run is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            all.extend(hashes(root, &path));
            continue;
        }
        let name = path.strip_prefix(root).expect("it lies below").to_owned();
        let specific = ["run.json", "junit.xml", "summary.md"].map(Path::new);
        if !specific.contains(&name.as_path()) {
            let digest = Sha256::digest(fs::read(&path).expect("it can be read"));
            all.insert(name, format!("{digest:x}"));
        }
    }
    all
}

#[test]
fn the_catalogue_passes_twice_with_the_same_bytes_and_is_judged_the_same() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let runs = ["one", "two"].map(|name| place.path().join(name));
    for run in &runs {
        let (code, said) = simulated(&catalogue(), run, &[]);
        assert_eq!(code, 0, "{said}");
        assert!(
            // What is about recoveries cannot be played.
            said.contains(" passed, 0 failed, 0 inconclusive, 24 not applicable"),
            "{said}"
        );
    }
    let [one, two] = runs.clone().map(|run| hashes(&run, &run));
    assert!(one.len() > 50, "every case has its files: {}", one.len());
    assert_eq!(one, two);
    let (code, said) = chrysalis(&["judge"], &[runs[0].as_path()]);
    assert_eq!(code, 0, "{said}");
    assert!(
        !said.contains("differs") && !said.contains("no verdict"),
        "{said}"
    );
    let junit = fs::read_to_string(runs[0].join("junit.xml")).expect("there is a report");
    let report = quick_junit::Report::deserialize_from_str(&junit).expect("others can read it");
    assert_eq!((report.failures, report.errors), (0, 0));
    let lock = fs::read_to_string(runs[0].join("lock.json")).expect("there is a lock");
    assert!(lock.contains("\"engine\": \"sim\""), "{lock}");
}

#[test]
fn a_run_leaves_what_a_real_one_leaves() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let run = place.path().join("run");
    let (code, said) = simulated(
        &catalogue().join("installer-killed.yaml"),
        &run,
        &["--case", "before-the-teardown"],
    );
    assert_eq!(code, 0, "{said}");
    let case = run.join("installer-killed+selfhost-modern@1.34,before-the-teardown");
    for file in [
        "events.ndjson",
        "verdict.json",
        "case.json",
        "evidence/cp-1/installer-log.ndjson",
        "evidence/cp-1/installer-steps.ndjson",
    ] {
        assert!(case.join(file).is_file(), "{file}");
    }
    for file in [
        "plan.json",
        "lock.json",
        "run.json",
        "junit.xml",
        "summary.md",
        "simulator.md",
    ] {
        assert!(run.join(file).is_file(), "{file}");
    }
    let record = fs::read_to_string(case.join("case.json")).expect("the record is there");
    assert!(
        record.contains("--on sim"),
        "the command that runs it again says where: {record}"
    );
    let log = fs::read_to_string(case.join("evidence/cp-1/installer-log.ndjson"))
        .expect("the log is there");
    let log = pivot::read_log(&log).expect("the log can be read");
    let plan = pivot::Plan::named("modern").expect("it is built in");
    assert_eq!(pivot::replay(&plan, &log), Ok(()));
}

const NOT_HERE: &str = "
name: not-here
about: A fault that the simulator does not know.
cluster: { control_plane: 1, workers: 1, kubernetes: \"1.34\" }
cases:
  - { installer: { selfhost: { policy: modern } } }
timeline:
  - bootstrap: {}
  - inject: [ { kill: { component: kube-proxy, node: cp-1 } } ]
";

#[test]
fn what_cannot_be_done_truthfully_is_not_applicable_with_its_reason() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let file = place.path().join("not-here.yaml");
    fs::write(&file, NOT_HERE).expect("it can be written");
    let run = place.path().join("run");
    let (code, said) = simulated(&file, &run, &[]);
    assert_eq!(code, 2, "nothing was judged: {said}");
    assert!(said.contains("0 inconclusive, 1 not applicable"), "{said}");
    assert!(said.contains("kube-proxy is not simulated"), "{said}");
    let (code, said) = chrysalis(&["judge"], &[run.as_path()]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("identical to the recorded verdict"), "{said}");
    let junit = fs::read_to_string(run.join("junit.xml")).expect("there is a report");
    let report = quick_junit::Report::deserialize_from_str(&junit).expect("others can read it");
    assert_eq!((report.failures, report.errors), (0, 0), "{junit}");
    assert!(junit.contains("not-applicable"), "{junit}");
}

#[test]
fn a_plan_file_is_followed() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let mut plan = pivot::modern();
    plan.policy = "mine".to_owned();
    let text = serde_json::to_string(&plan).expect("a plan is plain data");
    fs::write(place.path().join("mine.json"), text).expect("it can be written");
    let file = place.path().join("own.yaml");
    let own = NOT_HERE
        .replace("policy: modern", "policy: ./mine.json")
        .replace("component: kube-proxy", "component: kube-scheduler");
    fs::write(
        &file,
        own + "  - wait: 30s\n  - settle: { within: 120s, stable_for: 5s }\n",
    )
    .expect("it can be written");
    let (code, said) = simulated(&file, &place.path().join("run"), &[]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_cluster_cannot_be_kept_where_there_is_none() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let run = place.path().join("run");
    let (code, said) = simulated(&catalogue(), &run, &["--keep-on-failure"]);
    assert_eq!(code, 64, "{said}");
    assert!(!run.exists(), "nothing is made when the usage is wrong");
}
