//! The verbs, as people type them.

use std::path::Path;
use std::process::Output;

use crate::ground::{Ground, on_ground};

fn run(ground: &Ground, state: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = ground
        .command(state)
        .args(arguments)
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn a_cluster_is_listed_looked_into_and_refused_to_strangers() {
    on_ground(|ground| async move {
        let state = tempfile::tempdir().expect("a temporary directory");
        let name = ground.name.clone();
        ground.bare(&name, 1, 0).await;
        let (code, listed, _) = run(&ground, state.path(), &["cluster", "list", "--json"]);
        assert_eq!(code, Some(0));
        let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
        let row = listed
            .as_array()
            .expect("rows")
            .iter()
            .find(|row| row["name"] == *name);
        let row = row.expect("it is listed");
        assert_eq!(
            (&row["control_planes"], &row["workers"]),
            (&1.into(), &0.into())
        );
        assert_eq!(row["kept"], false);

        let exec = |words: &[&str]| {
            let arguments = [&["cluster", "exec", "--cluster", &name], words].concat();
            run(&ground, state.path(), &arguments)
        };
        let script = "echo out; echo err >&2; exit 7";
        let ran = exec(&["cp-1", "--", "sh", "-c", script]);
        assert_eq!(ran, (Some(7), "out\n".to_owned(), "err\n".to_owned()));
        let (code, _, said) = exec(&["cp-9", "--", "true"]);
        assert!(
            code == Some(64) && said.contains("it has cp-1, load-balancer"),
            "{said}"
        );

        // The cluster belongs to this living process.
        let (code, _, said) = run(&ground, state.path(), &["cluster", "down", &name]);
        assert!(code == Some(64) && said.contains("still going"), "{said}");
        assert!(!ground.nothing_left(&name).await);
        let (code, _, said) = run(&ground, state.path(), &["cluster", "kubeconfig", &name]);
        assert!(
            code == Some(1) && said.contains("has no kubeconfig"),
            "{said}"
        );
    });
}

#[test]
fn bad_arguments_start_nothing() {
    on_ground(|ground| async move {
        let state = tempfile::tempdir().expect("a temporary directory");
        let name = ground.name.clone();
        let refused = |code, words: &str, arguments: &[&str]| {
            let (seen, _, said) = run(&ground, state.path(), arguments);
            assert_eq!(seen, Some(code), "{arguments:?}: {said}");
            assert!(said.contains(words), "{arguments:?}: {said}");
        };
        let up = |more: &[&'static str]| {
            [&["cluster", "up", "--bare", "--name", name.as_str()], more].concat()
        };
        refused(64, "choose 1 to 9", &up(&["--control-planes", "0"]));
        refused(64, "choose 1 to 9", &up(&["--control-planes", "10"]));
        refused(64, "choose 0 to 50", &up(&["--workers", "51"]));
        refused(
            69,
            "image build",
            &up(&["--image", "chrysalis/no-such-image:x"]),
        );
        refused(
            64,
            "cannot name a cluster",
            &["cluster", "up", "--bare", "--name", "Bad_Name"],
        );
        refused(64, "no cluster named", &["cluster", "down", &name]);
        refused(64, "no cluster named", &["cluster", "kubeconfig", &name]);
        assert!(ground.nothing_left(&name).await);
        let (code, said, _) = run(&ground, state.path(), &["doctor", "--json"]);
        let checks: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        let level = |name: &str| {
            let checks = checks.as_array().expect("checks").iter();
            checks
                .clone()
                .find(|check| check["name"] == name)
                .expect("it is there")["level"]
                .clone()
        };
        assert_eq!((code, level("engine")), (Some(0), "ok".into()), "{said}");
        assert_eq!(level("node-profile"), "ok");
    });
}

#[test]
fn an_engine_that_is_not_there_is_named() {
    on_ground(|ground| async move {
        let state = tempfile::tempdir().expect("a temporary directory");
        let nowhere = format!("unix://{}/none.sock", state.path().display());
        for arguments in [&["reap"][..], &["cluster", "list"], &["doctor"]] {
            let output = ground
                .command(state.path())
                .env("DOCKER_HOST", &nowhere)
                .args(arguments)
                .output()
                .expect("it runs");
            assert_eq!(output.status.code(), Some(69), "{arguments:?}");
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(said.contains("ci/engine"), "{arguments:?}: {said}");
        }
    });
}
