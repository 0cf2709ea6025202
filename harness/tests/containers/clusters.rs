//! Clusters without Kubernetes: up, side by side, down.

use std::sync::{Arc, Mutex};

use chrysalis::cluster::{Cluster, ClusterError, ClusterSpec, UpEvent};
use tokio_util::sync::CancellationToken;

use crate::ground::{PATIENCE, on_ground};

#[test]
fn up_and_down_leave_nothing() {
    on_ground(|ground| async move {
        let up = ground.bare(&ground.name, 1, 1).await;
        assert_eq!(up.timings.len(), 3);
        let names: Vec<_> = up
            .cluster
            .nodes()
            .iter()
            .map(|node| node.name().to_owned())
            .collect();
        assert_eq!(names, ["cp-1", "worker-1"]);
        let unknown = up
            .cluster
            .node("cp-2")
            .expect_err("there is none")
            .to_string();
        assert!(
            unknown.contains("it has cp-1, worker-1, load-balancer"),
            "{unknown}"
        );

        let backends = up
            .cluster
            .backends(PATIENCE)
            .await
            .expect("the load balancer answers");
        let servers: Vec<_> = backends
            .iter()
            .map(|backend| backend.server.as_str())
            .collect();
        assert_eq!(servers, ["cp-1-self-hosted", "cp-1-bootstrap"]);

        let attached = Cluster::attach(&ground.engine, &ground.name)
            .await
            .expect("it is found");
        assert_eq!(attached.topology(), up.cluster.topology());
        let hostname = attached.node("worker-1").expect("it is there");
        assert_eq!(
            hostname
                .exec_ok(["hostname"], PATIENCE)
                .await
                .expect("it runs"),
            "worker-1"
        );

        let removal = attached.down().await.expect("it can be taken down");
        for thing in ["container", "volume", "network"] {
            let named = format!("{thing} {}", ground.name);
            assert!(
                removal.removed.iter().any(|line| line.starts_with(&named)),
                "{removal:?}"
            );
        }
        assert!(ground.nothing_left(&ground.name).await);
        let gone = Cluster::attach(&ground.engine, &ground.name).await;
        assert!(matches!(gone, Err(ClusterError::NoCluster(_))), "{gone:?}");
    });
}

#[test]
fn two_clusters_side_by_side_do_not_meet() {
    on_ground(|ground| async move {
        let second = format!("{}-b", ground.name);
        let (left, right) =
            tokio::join!(ground.bare(&ground.name, 1, 0), ground.bare(&second, 1, 0));
        assert_ne!(
            left.cluster.topology().subnet,
            right.cluster.topology().subnet
        );
        let spec = ClusterSpec::new(&second, 1, 0, &ground.image, "1.34").expect("right");
        let (labels, cancel) = (ground.labels(), CancellationToken::new());
        let taken = Cluster::up(&ground.engine, &spec, &labels, &|_| {}, &cancel).await;
        assert!(matches!(taken, Err(ClusterError::Exists(_))), "{taken:?}");

        // Each node reaches its own load balancer and not the other's.
        let node = left.cluster.node("cp-1").expect("it is there");
        let fetch = |address: std::net::Ipv4Addr| {
            let url = format!("http://{address}:8404/;csv");
            node.exec(
                ["curl", "-s", "-o", "/dev/null", "-m", "3", url.as_str()].map(str::to_owned),
                PATIENCE,
            )
        };
        let own = fetch(left.cluster.topology().load_balancer)
            .await
            .expect("it runs");
        let other = fetch(right.cluster.topology().load_balancer)
            .await
            .expect("it runs");
        assert_eq!(own.exit_code, 0, "{}", own.complaint());
        assert_ne!(other.exit_code, 0, "clusters are not separated");

        left.cluster.down().await.expect("it can be taken down");
        assert!(ground.nothing_left(&ground.name).await && !ground.nothing_left(&second).await);
        right
            .cluster
            .backends(PATIENCE)
            .await
            .expect("the other one lives on");
    });
}

#[test]
fn a_cancelled_bring_up_removes_what_it_made() {
    on_ground(|ground| async move {
        let spec = ClusterSpec::new(&ground.name, 1, 1, &ground.image, "1.34").expect("right");
        let cancel = CancellationToken::new();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (seen, trigger) = (events.clone(), cancel.clone());
        let progress = move |event: UpEvent| {
            if matches!(event, UpEvent::NodeStarted { .. }) {
                trigger.cancel();
            }
            seen.lock().expect("nobody panics with it").push(event);
        };
        let error = Cluster::up(&ground.engine, &spec, &ground.labels(), &progress, &cancel).await;
        let error = error.expect_err("it was cancelled");
        assert!(error.is_cancelled(), "{error}");
        assert!(ground.nothing_left(&ground.name).await);
        let events = events.lock().expect("nobody panics with it").clone();
        assert!(events.contains(&UpEvent::Removing), "{events:?}");
    });
}

#[test]
fn a_missing_image_is_named_before_anything_is_made() {
    on_ground(|ground| async move {
        let spec =
            ClusterSpec::new(&ground.name, 1, 0, "chrysalis/no-such-image:x", "1.34").expect("ok");
        let (labels, cancel) = (ground.labels(), CancellationToken::new());
        let error = Cluster::up(&ground.engine, &spec, &labels, &|_| {}, &cancel).await;
        let error = error.expect_err("there is no such image");
        assert!(
            error.to_string().contains("chrysalis image build"),
            "{error}"
        );
        assert!(ground.nothing_left(&ground.name).await);
    });
}
