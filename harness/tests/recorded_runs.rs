//! `judge`, `report` and `merge` on recorded runs, whole and damaged, as a person meets them.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use oracle::observation::{CaseClosed, CaseOpened};
use oracle::{Observation, Sighting, Source};
use serde_json::{Value, json};

/// The folder of the only case, and its id.
const FOLDER: &str = "bootstrap-and-pivot+selfhost-modern@1.34";
const ID: &str = "bootstrap-and-pivot/selfhost-modern@1.34";

fn observation(seq: u64, saw: Sighting) -> Observation {
    let at_us = seq * 1_000_000;
    Observation {
        v: 1,
        source: Source::Runner,
        seq,
        start_us: at_us,
        end_us: at_us,
        saw,
    }
}

/// A record of a case that ended as `holding`.
fn events() -> String {
    let opened = CaseOpened {
        case: ID.into(),
        nodes: vec!["cp-1".into(), "cp-2".into(), "worker-1".into()],
        bootstrap_node: "cp-1".into(),
        capabilities: Default::default(),
        wanted_instances: 2,
        guard_instances: 2,
        budgets: Default::default(),
        done_step: "done".into(),
        expected_end: "done".into(),
        checkpoint_times: None,
    };
    let closed = CaseClosed {
        end: "holding".into(),
        trouble: None,
    };
    let all = [
        observation(0, Sighting::CaseOpened(opened)),
        observation(1, Sighting::RecordingDegraded("naïve ✓".into())),
        observation(2, Sighting::CaseClosed(closed)),
    ];
    all.iter()
        .map(|one| serde_json::to_string(one).unwrap() + "\n")
        .collect()
}

fn case(id: &str) -> Value {
    json!({
        "id": id, "scenario": "bootstrap-and-pivot", "file": "scenarios/a.yaml",
        "installer": { "selfhost": { "policy": "modern", "switches": {} } },
        "cluster": { "control_plane": 2, "workers": 1, "kubernetes": "1.34" },
        "expect": { "ends": "done", "violated": [] }, "seed": 9, "something_new": [1],
    })
}

/// A run directory with one case, and without a verdict.
fn recorded(place: &Path, name: &str, planned: &[&str]) -> PathBuf {
    let run = place.join(name);
    fs::create_dir_all(run.join(FOLDER)).unwrap();
    let plan = json!({
        "v": 1, "fingerprint": "f00d", "seed": 3, "planned": planned, "cases": [case(ID)],
    });
    fs::write(run.join("plan.json"), plan.to_string()).unwrap();
    let record = json!({ "v": 1, "run": name, "started_unix_ms": 1_000, "took_ms": 5_000 });
    fs::write(run.join("run.json"), record.to_string()).unwrap();
    fs::write(run.join(FOLDER).join("events.ndjson"), events()).unwrap();
    run
}

/// Runs the command: its exit code, and all that it printed.
fn chrysalis(arguments: &[&str], run: &Path) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chrysalis"));
    let output = command.args(arguments).arg(run).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(printed).unwrap(),
    )
}

/// All files below a directory with what they hold.
fn contents(place: &Path) -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            all.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn judging_again_gives_the_identical_verdict_and_writes_nothing_unless_asked() {
    let place = tempfile::tempdir().unwrap();
    let run = recorded(place.path(), "one", &[ID]);
    let before = contents(&run);
    let (first, text) = chrysalis(&["judge"], &run);
    assert!(text.contains("no verdict was recorded"), "{text}");
    assert!(text.contains("0 passed, "), "{text}");
    assert_eq!(contents(&run), before);
    let (second, _) = chrysalis(&["judge", "--write"], &run);
    let (third, text) = chrysalis(&["judge"], &run);
    assert!(text.contains("identical to the recorded verdict"), "{text}");
    assert_eq!((first, second), (third, third));
    assert!(
        [1, 2].contains(&third),
        "a case that did not end as expected never passes: {third}"
    );
    let junit = fs::read_to_string(run.join("junit.xml")).unwrap();
    quick_junit::Report::deserialize_from_str(&junit).unwrap();
    let verdict = run.join(FOLDER).join("verdict.json");
    let other = fs::read_to_string(&verdict)
        .unwrap()
        .replace("\"observations\": 3", "\"observations\": 4");
    fs::write(&verdict, other).unwrap();
    let (_, text) = chrysalis(&["judge"], &run);
    assert!(
        text.contains("differs from the recorded verdict: 4 observations were judged, now 3"),
        "{text}"
    );
}

#[test]
fn a_record_that_was_cut_off_anywhere_is_judged_as_far_as_it_goes_and_never_passes() {
    let place = tempfile::tempdir().unwrap();
    let run = recorded(place.path(), "one", &[ID]);
    let whole = fs::read(run.join(FOLDER).join("events.ndjson")).unwrap();
    let letter = whole
        .windows(3)
        .position(|bytes| bytes == "✓".as_bytes())
        .unwrap();
    let last_line = whole[..whole.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap()
        + 1;
    for length in [0, 10, letter + 1, last_line, whole.len() - 5] {
        fs::write(run.join(FOLDER).join("events.ndjson"), &whole[..length]).unwrap();
        let (code, text) = chrysalis(&["judge"], &run);
        assert_eq!(code, 2, "cut at {length}: {text}");
        if length != last_line {
            assert!(text.contains("note: "), "cut at {length}: {text}");
        }
    }
}

#[test]
fn a_record_that_was_altered_is_inconclusive_and_names_the_line() {
    let place = tempfile::tempdir().unwrap();
    let run = recorded(place.path(), "one", &[ID]);
    let altered = events().replacen("runner", "nobody-known", 2);
    fs::write(run.join(FOLDER).join("events.ndjson"), altered).unwrap();
    let (code, text) = chrysalis(&["judge"], &run);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("line 1 is no observation"), "{text}");
}

#[test]
fn a_case_that_recorded_nothing_is_inconclusive() {
    let place = tempfile::tempdir().unwrap();
    let run = recorded(place.path(), "one", &[ID]);
    fs::remove_dir_all(run.join(FOLDER)).unwrap();
    for verb in ["judge", "report"] {
        let (code, text) = chrysalis(&[verb], &run);
        assert_eq!(code, if verb == "judge" { 2 } else { 0 }, "{text}");
        assert!(
            text.contains("0 passed, 0 failed, 1 inconclusive, 0 not applicable"),
            "{text}"
        );
        assert!(
            text.contains("chrysalis run scenarios/a.yaml --case"),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_run_is_refused_with_the_way_out() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let damaged = place.path().join("damaged");
    fs::create_dir(&damaged).unwrap();
    fs::write(damaged.join("plan.json"), "{\"cases\": [").unwrap();
    for (run, words) in [
        (place.path().join("nowhere"), "there is no "),
        (
            place.path().to_owned(),
            "is not a run directory: it has no plan.json",
        ),
        (file, "is a file, not a run directory"),
        (damaged, "plan.json is damaged"),
    ] {
        for verb in [
            &["judge"][..],
            &["report"],
            &["merge", "--out", "never-made"],
        ] {
            let (code, text) = chrysalis(verb, &run);
            assert_eq!(code, 64, "{verb:?}: {text}");
            assert!(text.contains(words), "{verb:?}: {text}");
        }
    }
    assert!(!Path::new("never-made").exists());
}

#[test]
fn a_timeline_is_printed_and_a_wrong_case_is_answered_with_the_right_ones() {
    let place = tempfile::tempdir().unwrap();
    let run = recorded(place.path(), "one", &[ID]);
    let (code, text) = chrysalis(&["report", "--timeline", ID], &run);
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("     time  cp-1  cp-2  event\n"), "{text}");
    assert!(
        text.contains("naïve ✓") && text.contains("`holding`"),
        "{text}"
    );
    assert!(
        !run.join("junit.xml").exists(),
        "a timeline is printed only"
    );
    let (code, text) = chrysalis(&["report", "--timeline", "x"], &run);
    assert_eq!(code, 64, "{text}");
    assert!(
        text.contains(&format!("has no case `x`; it has: {ID}")),
        "{text}"
    );
}

#[test]
fn merged_shards_miss_nothing_and_take_nothing_twice() {
    let place = tempfile::tempdir().unwrap();
    let other = "kill-the-holders/selfhost-modern@1.34#leader";
    let run = recorded(place.path(), "one", &[ID, other]);
    let out = place.path().join("merged");
    let (code, text) = chrysalis(&["merge", "--out", out.to_str().unwrap()], &run);
    assert!([1, 2].contains(&code), "{text}");
    assert!(
        text.contains(other),
        "a planned case that no run has is told of: {text}"
    );
    let report = quick_junit::Report::deserialize_from_str(
        &fs::read_to_string(out.join("junit.xml")).unwrap(),
    )
    .unwrap();
    assert_eq!(report.test_suites.len(), 2);
    let (again, printed) = chrysalis(&["report"], &out);
    assert_eq!(
        again, 0,
        "a merged run can be opened like any other: {printed}"
    );
    assert!(printed.contains(other), "{printed}");
    let twice = place.path().join("twice");
    let mut command = Command::new(env!("CARGO_BIN_EXE_chrysalis"));
    let output = command
        .arg("merge")
        .args([&run, &run])
        .arg("--out")
        .arg(&twice)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(ID) && text.contains("is in"), "{text}");
    assert!(
        !twice.exists(),
        "nothing is made when nothing can be merged"
    );
    let (code, text) = chrysalis(&["merge", "--out", out.to_str().unwrap()], &run);
    assert_eq!(code, 64, "{text}");
    assert!(text.contains("is not empty"), "{text}");
}
