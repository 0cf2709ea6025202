//! What a killed owner leaves, and who removes it.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use chrysalis::cluster::Cluster;

use crate::ground::{Ground, PATIENCE, on_ground};

/// Starts `cluster up` and returns as soon as a first container of it is there.
async fn half_made(ground: &Ground, state: &std::path::Path) -> Child {
    let arguments = [
        "cluster",
        "up",
        "--bare",
        "--control-planes",
        "1",
        "--workers",
        "1",
        "--name",
    ];
    let child = ground
        .command(state)
        .args(arguments)
        .arg(&ground.name)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command can be started");
    let begun = Instant::now();
    while ground
        .engine
        .containers(Some(&ground.name))
        .await
        .expect("it answers")
        .is_empty()
    {
        assert!(
            begun.elapsed() < PATIENCE,
            "no container of {} within {PATIENCE:?}",
            ground.name
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child
}

#[test]
fn reap_removes_what_a_killed_owner_left_and_nothing_of_the_living() {
    on_ground(|ground| async move {
        let state = tempfile::tempdir().expect("a temporary directory");
        let living = format!("{}-b", ground.name);
        let neighbour = ground.bare(&living, 1, 0).await;
        let mut child = half_made(&ground, state.path()).await;
        child.kill().expect("it can be killed");
        child.wait().expect("it has ended");

        let dry = ground
            .command(state.path())
            .args(["reap", "--dry-run"])
            .output();
        let dry = String::from_utf8(dry.expect("it runs").stdout).expect("text");
        assert!(
            dry.contains(&format!("would remove network {}", ground.name)),
            "{dry}"
        );
        assert!(
            !ground.nothing_left(&ground.name).await,
            "a dry run removed something"
        );

        // The engine may still be finishing what the dead process had asked for.
        let begun = Instant::now();
        while !ground.nothing_left(&ground.name).await {
            assert!(begun.elapsed() < PATIENCE, "reap leaves something");
            let reaped = ground
                .command(state.path())
                .arg("reap")
                .output()
                .expect("it runs");
            let said = String::from_utf8_lossy(&reaped.stdout).into_owned();
            assert!(
                !said.contains(&format!("removed network {living}")),
                "{said}"
            );
            assert!(
                !said.contains(&format!("removed container {living}")),
                "{said}"
            );
        }
        neighbour
            .cluster
            .backends(PATIENCE)
            .await
            .expect("the neighbour lives");
        assert!(
            neighbour.cluster.nodes()[0]
                .is_running()
                .await
                .expect("it is there")
        );
    });
}

#[test]
fn a_kept_cluster_survives_its_maker_until_somebody_takes_it_down() {
    on_ground(|ground| async move {
        let state = tempfile::tempdir().expect("a temporary directory");
        let mut child = half_made(&ground, state.path()).await;
        let status = child.wait().expect("it ends");
        assert!(status.success(), "{status}");
        let reaped = ground
            .command(state.path())
            .arg("reap")
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&reaped.stdout).into_owned();
        assert!(
            said.contains(&format!("left alone cluster {} (kept for", ground.name)),
            "{said}"
        );
        Cluster::attach(&ground.engine, &ground.name)
            .await
            .expect("it is whole");

        let down = ground
            .command(state.path())
            .args(["cluster", "down", &ground.name])
            .status();
        assert!(down.expect("it runs").success());
        assert!(ground.nothing_left(&ground.name).await);
    });
}

#[test]
fn ctrl_c_removes_what_was_made() {
    on_ground(|ground| async move {
        let state = tempfile::tempdir().expect("a temporary directory");
        let mut child = half_made(&ground, state.path()).await;
        let pid = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a process id"), rustix::process::Signal::INT)
            .expect("it can be signalled");
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(130));
        assert!(ground.nothing_left(&ground.name).await);
    });
}
