//! The verbs that drive the simulator, as a person or a script meets them: exit codes, and files that
//! other verbs can use.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The command in this folder, without anything that leads to an engine.
fn chrysalis(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chrysalis"));
    command
        .env("DOCKER_HOST", "unix:///nowhere")
        .current_dir(folder)
        .args(arguments);
    command
}

/// Its exit code, and all that it printed.
fn said(folder: &Path, arguments: &[&str]) -> (i32, String) {
    told(
        chrysalis(folder, arguments)
            .output()
            .expect("the command starts"),
    )
}

fn told(output: Output) -> (i32, String) {
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&printed).into_owned(),
    )
}

fn place() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Files in this folder whose names end so, by name.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut found: Vec<PathBuf> = paths
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    found.sort();
    found
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

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
    for words in [
        "policy modern, 1 control-plane node; faults: none",
        "profile coarse",
        "left out: ",
        "the search ended because there was nothing left to explore",
        "never judged: ",
        "never happened: ",
        "from every state the world can return to health by itself",
        "nothing found: within these bounds",
    ] {
        assert!(said.contains(words), "{words} is missing:\n{said}");
    }
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
        "verified",
    ];
    let (code, said) = said(place.path(), &search);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("faults: kill 1×; no fault before verified\n"),
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

/// A script and its transcript, which is a script again.
#[test]
fn an_interactive_session_is_its_script() {
    let place = place();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explore-session.txt");
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
