//! Commands in containers.

use std::time::{Duration, Instant};

use chrysalis::docker::{EngineError, LineSource};

use crate::ground::{PATIENCE, on_ground, words};

#[test]
fn a_command_gives_output_complaints_and_its_code() {
    on_ground(|ground| async move {
        let container = ground.idle_container().await;
        let command = words(&["sh", "-c", "cat; echo complaint >&2; exit 7"]);
        let output = ground
            .engine
            .exec(&container, &command, Some(b"given"), PATIENCE)
            .await
            .expect("it runs");
        assert_eq!(
            (output.text(), output.complaint()),
            ("given".into(), "complaint".into())
        );
        assert_eq!(output.exit_code, 7);
        let silent = ground
            .engine
            .exec(&container, &words(&["true"]), None, PATIENCE)
            .await;
        let silent = silent.expect("it runs");
        assert!(silent.success() && silent.stdout.is_empty());
    });
}

#[test]
fn much_output_and_much_input_pass_through() {
    on_ground(|ground| async move {
        let container = ground.idle_container().await;
        let input = vec![b'x'; 3 << 20];
        let counted = ground
            .engine
            .exec(
                &container,
                &words(&["sh", "-c", "tee /dev/stderr"]),
                Some(&input),
                PATIENCE,
            )
            .await
            .expect("it runs");
        assert_eq!(
            (counted.stdout.len(), counted.stderr.len()),
            (input.len(), input.len())
        );
    });
}

#[test]
fn a_command_that_hangs_meets_its_deadline() {
    on_ground(|ground| async move {
        let container = ground.idle_container().await;
        let begun = Instant::now();
        let error = ground
            .engine
            .exec(
                &container,
                &words(&["sleep", "600"]),
                None,
                Duration::from_millis(500),
            )
            .await
            .expect_err("it hangs");
        assert!(
            matches!(
                error,
                EngineError::Deadline {
                    deadline_ms: 500,
                    ..
                }
            ),
            "{error}"
        );
        assert!(begun.elapsed() < PATIENCE);
    });
}

#[test]
fn lines_come_while_the_command_runs_and_end_with_it() {
    on_ground(|ground| async move {
        let container = ground.idle_container().await;
        // Says its second line only after somebody has answered the first through a file.
        let script = "echo one; while [ ! -e /go ]; do sleep 0.05; done; echo two >&2; exit 3";
        let command = words(&["sh", "-c", script]);
        let mut lines = ground
            .engine
            .exec_lines(&container, &command)
            .await
            .expect("it starts");
        let first = tokio::time::timeout(PATIENCE, lines.next())
            .await
            .expect("in time");
        let first = first.expect("the stream holds").expect("a line");
        assert_eq!(
            (first.source, first.text.as_str()),
            (LineSource::Stdout, "one")
        );
        let go = ground
            .engine
            .exec(&container, &words(&["touch", "/go"]), None, PATIENCE)
            .await;
        assert!(go.expect("it runs").success());
        let second = lines
            .next()
            .await
            .expect("the stream holds")
            .expect("a line");
        assert_eq!(
            (second.source, second.text.as_str()),
            (LineSource::Stderr, "two")
        );
        assert_eq!(lines.next().await.expect("the stream holds"), None);
        assert_eq!(lines.exit_code().await.expect("it has ended"), 3);
    });
}

#[test]
fn lines_end_when_the_container_is_killed() {
    on_ground(|ground| async move {
        let container = ground.idle_container().await;
        let command = words(&["sh", "-c", "echo up; sleep 600"]);
        let mut lines = ground
            .engine
            .exec_lines(&container, &command)
            .await
            .expect("it starts");
        assert_eq!(
            lines
                .next()
                .await
                .expect("the stream holds")
                .expect("a line")
                .text,
            "up"
        );
        ground
            .engine
            .kill(&container, "SIGKILL")
            .await
            .expect("it can be killed");
        let end = tokio::time::timeout(PATIENCE, lines.next())
            .await
            .expect("the stream ends");
        assert_eq!(
            end.expect("a killed container is an end, not a broken stream"),
            None
        );
        assert_ne!(lines.exit_code().await.expect("the engine knows it"), 0);
    });
}

#[test]
fn a_reader_that_leaves_ends_a_command_that_watches_its_input() {
    on_ground(|ground| async move {
        let container = ground.idle_container().await;
        let script = "echo up; cat >/dev/null; touch /left";
        let command = words(&["sh", "-c", script]);
        let mut lines = ground
            .engine
            .exec_lines(&container, &command)
            .await
            .expect("it starts");
        assert_eq!(
            lines
                .next()
                .await
                .expect("the stream holds")
                .expect("a line")
                .text,
            "up"
        );
        drop(lines);
        let wait = words(&["sh", "-c", "until [ -e /left ]; do sleep 0.05; done"]);
        let seen = ground.engine.exec(&container, &wait, None, PATIENCE).await;
        assert!(seen.expect("the command noticed").success());
    });
}
