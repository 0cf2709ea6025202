//! Failures that are kept as files: found by random trials, made small, and replayed.

use std::fs;

use crate::command::{files, place, said, text};

/// What a swarm keeps fails again in the same way, and can be shrunk and replayed.
#[test]
fn what_a_swarm_keeps_fails_again_and_can_be_shrunk_and_replayed() {
    let place = place();
    let here = place.path();
    let swarm = [
        "explore",
        "--swarm",
        "--policy",
        "mutant:remembers-nothing",
        "--control-planes",
        "1",
    ];
    let (code, found) = said(
        here,
        &[&swarm[..], &["--faults", "2", "--trials", "256"]].concat(),
    );
    assert_eq!(code, 1, "{found}");
    assert!(found.contains("256 trials: "), "{found}");
    let slug = "running-again-converges";
    let kept = files(&here.join("counterexamples"), ".yaml");
    let file = kept.iter().find(|path| text(path).contains(slug));
    let file = file.unwrap_or_else(|| panic!("nothing of {slug} among {kept:?}\n{found}"));
    assert_eq!(
        files(&here.join("counterexamples"), ".json").len(),
        1,
        "its plan lies beside it"
    );

    let (code, ran) = said(here, &["run", "--on", "sim", "--out", "run", text(file)]);
    assert_eq!(code, 1, "{ran}");
    let junit = fs::read_to_string(here.join("run/junit.xml")).expect("there is a report");
    assert!(junit.contains(slug), "{junit}");

    let (code, shrunk) = said(here, &["shrink", text(file), "--invariant", slug]);
    assert_eq!(code, 0, "{shrunk}");
    assert!(
        shrunk.contains("before: ") && shrunk.contains("replays"),
        "{shrunk}"
    );
    let small = files(&here.join("counterexamples"), ".shrunk.yaml");
    let [small] = small.as_slice() else {
        panic!("{small:?}")
    };
    let written = fs::read_to_string(small).expect("it is there");
    assert!(written.contains("Shrunk from `swarm-"), "{written}");
    let (code, replayed) = said(
        here,
        &["replay", "--on", "sim", "--out", "again", text(small)],
    );
    assert_eq!(code, 0, "{replayed}");
    assert!(
        replayed.contains(slug) && replayed.contains("confirmed 1/1"),
        "{replayed}"
    );
    let (code, twice) = said(here, &["shrink", text(file), "--invariant", slug]);
    assert_eq!(code, 64, "nothing is overwritten: {twice}");
}

#[test]
fn a_swarm_that_finds_nothing_leaves_nothing_behind() {
    let place = place();
    let plan = serde_json::to_string(&pivot::modern()).expect("a plan is plain data");
    fs::write(place.path().join("mine.json"), plan).expect("it can be written");
    let swarm = [
        "explore",
        "--swarm",
        "--policy",
        "./mine.json",
        "--faults",
        "1",
        "--trials",
        "16",
    ];
    let (code, said) = said(place.path(), &swarm);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("16 trials: "), "{said}");
    assert!(!place.path().join("counterexamples").exists(), "{said}");
}

const NOISY: &str = "
name: noisy
about: Much happens, and one thing matters.
cluster: { control_plane: 2, workers: 1, kubernetes: \"1.34\" }
cases:
  - { installer: { selfhost: { policy: POLICY } } }
timeline:
  - bootstrap: {}
  - at: { step: assets-applied, moment: completed, inject: [ { kill: { component: kubelet, node: cp-2 } } ] }
  - settle: { within: 400s, stable_for: 15s }
  - inject: [ { kill: { component: kube-scheduler, node: cp-1 } } ]
  - wait: 33s
";

#[test]
fn a_known_failure_becomes_small_and_stays_the_same() {
    let place = place();
    fs::write(
        place.path().join("noisy.yaml"),
        NOISY.replace("POLICY", "bootkube"),
    )
    .expect("it can be written");
    let slug = "guard-holds-at-teardown";
    let (code, shrunk) = said(
        place.path(),
        &[
            "shrink",
            "noisy.yaml",
            "--invariant",
            slug,
            "--out",
            "small.yaml",
        ],
    );
    assert_eq!(code, 0, "{shrunk}");
    assert!(
        shrunk.contains("before: 5 entries, 2 faults, 2 control-plane nodes"),
        "{shrunk}"
    );
    assert!(
        shrunk.contains(", 0 faults, 1 control-plane node"),
        "{shrunk}"
    );
    let (code, ran) = said(
        place.path(),
        &["run", "--on", "sim", "--out", "run", "small.yaml"],
    );
    assert_eq!(code, 1, "{ran}");
    assert!(ran.contains(slug), "{ran}");
    let (code, both) = said(place.path(), &["plan", "noisy.yaml", "small.yaml"]);
    assert_eq!(code, 0, "the two have different names: {both}");
}

#[test]
fn a_file_that_does_not_fail_is_neither_shrunk_nor_replayed() {
    let place = place();
    fs::write(
        place.path().join("noisy.yaml"),
        NOISY.replace("POLICY", "modern"),
    )
    .expect("it can be written");
    let (code, said_of_shrink) = said(place.path(), &["shrink", "noisy.yaml"]);
    assert_eq!(code, 64, "{said_of_shrink}");
    let instead = "PASSED, ends done";
    assert!(
        said_of_shrink.contains("violates nothing in the simulator")
            && said_of_shrink.contains(instead),
        "{said_of_shrink}"
    );
    let (code, said_of_replay) = said(place.path(), &["replay", "noisy.yaml", "--on", "sim"]);
    assert_eq!(code, 64, "{said_of_replay}");
    assert!(
        said_of_replay.contains("there is nothing to reproduce"),
        "{said_of_replay}"
    );
    assert!(!place.path().join("runs").exists(), "nothing is run");
}

#[test]
fn a_replay_says_what_did_not_happen() {
    let place = place();
    let expecting = NOISY.replace(
        "{ selfhost: { policy: POLICY } }",
        "{ selfhost: { policy: modern } }, expect: { violated: [failure-holds] }",
    );
    fs::write(place.path().join("noisy.yaml"), expecting).expect("it can be written");
    let (code, said) = said(
        place.path(),
        &["replay", "noisy.yaml", "--on", "sim", "--repeat", "2"],
    );
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("not reproduced: nothing was violated"),
        "{said}"
    );
    assert!(said.contains("confirmed 0/2"), "{said}");
}
