//! Complete searches, and what they say when they are cut off or asked wrongly.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::command::{chrysalis, files, mentions, place, said, text, told};

#[test]
fn nothing_is_found_in_modern_without_faults_and_everything_that_bounds_it_is_said() {
    let place = place();
    let (code, said) = said(
        place.path(),
        &[
            "explore",
            "--exhaustive",
            "--control-planes",
            "1",
            "--faults",
            "0",
        ],
    );
    assert_eq!(code, 0, "{said}");
    mentions(
        &said,
        &[
            "policy modern, 1 control-plane node; faults: none",
            "profile coarse",
            "left out: ",
            "the search ended because there was nothing left to explore",
            "never judged: ",
            "never happened: ",
            "from every state the world can return to health by itself",
            "nothing found: within these bounds",
        ],
    );
}

#[test]
fn history_has_counterexamples_and_they_are_kept_once() {
    let place = place();
    let search = [
        "explore",
        "--exhaustive",
        "--policy",
        "bootkube",
        "--faults",
        "0",
        "--out",
        "found",
    ];
    let (code, first) = said(place.path(), &search);
    assert_eq!(code, 1, "{first}");
    assert!(
        first.contains("guard-holds-at-teardown is violated after "),
        "{first}"
    );
    assert!(
        first.contains("no-credentials-left is violated after "),
        "{first}"
    );
    let kept = files(&place.path().join("found"), ".json");
    assert!(kept.len() >= 3, "{kept:?}");
    let (code, explained) = said(place.path(), &["explain", text(&kept[0])]);
    assert_eq!(code, 0, "{explained}");
    assert!(
        explained.contains("cp-1") && explained.contains("timing: possible"),
        "{explained}"
    );
    let scenarios = files(&place.path().join("found"), ".yaml");
    let of_the_guard = |path: &&PathBuf| text(path).contains("guard-holds-at-teardown");
    let scenario = scenarios
        .iter()
        .find(of_the_guard)
        .expect("it is a scenario");
    let replay = ["replay", "--on", "sim", text(scenario)];
    let (code, replayed) = said(place.path(), &replay);
    assert_eq!(code, 0, "{replayed}");
    fs::write(&kept[0], "a remark").expect("it can be written");
    let (code, again) = said(place.path(), &search);
    assert_eq!(code, 1, "{again}");
    assert_eq!(files(&place.path().join("found"), ".json"), kept);
    assert_eq!(
        fs::read_to_string(&kept[0]).expect("it is there"),
        "a remark"
    );
    let (code, refused) = said(place.path(), &["explain", text(&kept[0])]);
    assert_eq!(code, 64, "{refused}");
}

#[test]
fn a_mutant_is_caught_by_what_must_catch_it() {
    let place = place();
    let mutant = [
        "explore",
        "--exhaustive",
        "--policy",
        "mutant:remembers-nothing",
        "--fault",
        "kill-installer",
    ];
    let (code, said) = said(place.path(), &mutant);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("running-again-converges is violated after "),
        "{said}"
    );
    assert!(
        said.contains("  kill-installer\n") || said.contains("kill-installer"),
        "{said}"
    );
}

/// Whoever reads a claim sees what it is bound to.
#[test]
fn where_faults_begin_is_said_with_the_bounds() {
    let place = place();
    let search = [
        "explore",
        "--exhaustive",
        "--fault",
        "kill",
        "--faults-from",
        "bootstrap-draining",
        "--first-fault-before",
        "verified",
        "--first-fault-on",
        "bootstrap-node",
    ];
    let (code, said) = said(place.path(), &search);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(
            "faults: kill 1×; no fault before bootstrap-draining; the first before verified; the first on the bootstrap node\n"
        ),
        "{said}"
    );
}

#[test]
fn a_search_that_is_cut_off_proves_nothing() {
    let place = place();
    for limit in [
        ["--max-states", "200"],
        ["--max-depth", "5"],
        ["--max-memory-mib", "1"],
    ] {
        let search = [
            "explore",
            "--exhaustive",
            "--control-planes",
            "3",
            "--fault",
            "kill",
        ];
        let (code, said) = said(place.path(), &[&search[..], &limit].concat());
        assert_eq!(code, 2, "{limit:?}: {said}");
        assert!(
            said.contains("cut off without a counterexample: nothing is proven"),
            "{said}"
        );
        assert!(said.contains(" is unknown: "), "{said}");
    }
}

#[test]
fn wrong_usage_is_told_with_a_way_out() {
    let place = place();
    let plan = place.path().join("broken.json");
    fs::write(&plan, "{}").expect("it can be written");
    for (arguments, help) in [
        (&["explore"][..], "--exhaustive"),
        (
            &["explore", "--exhaustive", "--swarm"],
            "cannot be used with",
        ),
        (
            &["explore", "--exhaustive", "--policy", "bootcube"],
            "did you mean `bootkube`?",
        ),
        (
            &["explore", "--exhaustive", "--policy", "mutant:skips-label"],
            "did you mean `mutant:skips-labels`?",
        ),
        (
            &["explore", "--exhaustive", "--policy", "./broken.json"],
            "is not a plan",
        ),
        (
            &["explore", "--exhaustive", "--policy", "./none.json"],
            "cannot read the plan file",
        ),
        (
            &["explore", "--exhaustive", "--control-planes", "4"],
            "from 1 to 3",
        ),
        (&["explore", "--exhaustive", "--faults", "4"], "from 0 to 3"),
        (
            &["explore", "--exhaustive", "--fault", "flood"],
            "power-cut",
        ),
        (
            &[
                "explore",
                "--exhaustive",
                "--faults-from",
                "checkpoint-armed",
            ],
            "did you mean `checkpoints-armed`? its steps are secrets-staged, etcd-serving, ",
        ),
        (
            &["explore", "--exhaustive", "--first-fault-before", "verifed"],
            "--first-fault-before verifed: modern has no such step; did you mean `verified`?",
        ),
        (
            &["explore", "--exhaustive", "--first-fault-on", "cp-1"],
            "bootstrap-node, other-node",
        ),
        (
            &["explore", "--exhaustive", "--trials", "5"],
            "cannot be used with",
        ),
        (
            &["explore", "--swarm", "--max-depth", "5"],
            "cannot be used with",
        ),
        (&["explore", "--swarm", "--faults", "0"], "from 1 to 20"),
        (&["shrink", "none.yaml"], "cannot be read"),
        (&["replay", "none.yaml", "--on", "sim"], "cannot be read"),
    ] {
        let (code, said) = said(place.path(), arguments);
        assert_eq!(code, 64, "{arguments:?}: {said}");
        assert!(said.contains(help), "{arguments:?}: {said}");
    }
}

/// Sends Ctrl-C once the first progress was told.
#[test]
fn an_interrupted_search_says_what_it_covered() {
    let place = place();
    for search in [
        &[
            "explore",
            "--exhaustive",
            "--control-planes",
            "3",
            "--faults",
            "2",
        ][..],
        &[
            "explore",
            "--swarm",
            "--control-planes",
            "3",
            "--faults",
            "2",
            "--trials",
            "10000000",
        ],
    ] {
        let mut running = chrysalis(place.path(), search)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut progress = String::new();
        let mut errors = BufReader::new(running.stderr.take().expect("a pipe"));
        errors.read_line(&mut progress).expect("text");
        assert!(
            progress.contains(" states, ") || progress.contains(" trials: "),
            "{progress}"
        );
        let killed = Command::new("kill")
            .args(["-INT", &running.id().to_string()])
            .status();
        assert!(killed.expect("kill is there").success());
        let (code, said) = told(running.wait_with_output().expect("an end"));
        assert_eq!(code, 130, "{search:?}: {said}");
        let covered = [
            "the search ended because it was stopped",
            "interrupted after ",
        ];
        assert!(covered.iter().any(|words| said.contains(words)), "{said}");
    }
}
