//! What the host's network needs while clusters live.

use std::process::Command;

use chrysalis::docker::LineSource;

use crate::ground::{PATIENCE, on_ground};

const LISTEN: &str = "ip addr add 10.244.2.1/32 dev lo && \
    ip route add 10.244.1.0/24 via $PEER && echo ready && \
    exec socat TCP-LISTEN:8000,bind=10.244.2.1,reuseaddr SYSTEM:'echo reached'";
const CONNECT: &str = "ip addr add 10.244.1.1/32 dev lo && \
    ip route add 10.244.2.0/24 via $PEER && \
    sleep 0.2 && socat -T 5 - TCP:10.244.2.1:8000,bind=10.244.1.1,connect-timeout=5";

/// Addresses of pods lie outside the cluster's subnet, where the engine's rules for internal
/// networks drop everything that the host filters.
#[test]
fn pods_on_different_nodes_reach_each_other_without_encapsulation() {
    on_ground(|ground| async move {
        let up = ground.bare(&ground.name, 1, 1).await;
        assert_eq!(up.warnings, Vec::<String>::new(), "run these tests as root");
        let (listener, caller) = (up.cluster.node("worker-1"), up.cluster.node("cp-1"));
        let (listener, caller) = (listener.expect("there"), caller.expect("there"));
        let script = format!("PEER={}; {LISTEN}", caller.address());
        let mut lines = listener
            .exec_lines(["sh", "-c", &script])
            .await
            .expect("it starts");
        let first = tokio::time::timeout(PATIENCE, lines.next())
            .await
            .expect("in time");
        let first = first.expect("the stream holds").expect("a line");
        assert_eq!(
            (first.source, first.text.as_str()),
            (LineSource::Stdout, "ready")
        );
        let script = format!("PEER={}; {CONNECT}", listener.address());
        let answer = caller
            .exec(["sh", "-c", &script], PATIENCE)
            .await
            .expect("it runs");
        assert_eq!(answer.text(), "reached", "{}", answer.complaint());
    });
}

#[test]
fn stray_packets_are_swallowed_while_a_cluster_lives() {
    on_ground(|ground| async move {
        let up = ground.bare(&ground.name, 1, 0).await;
        assert_eq!(up.warnings, Vec::<String>::new(), "run these tests as root");
        let own = route(&up.cluster.topology().load_balancer.to_string());
        assert!(
            own.contains(&up.cluster.topology().subnet.bridge()),
            "{own}"
        );
        // No cluster ever takes the subnet 10.231.255.0/24.
        let stray = route("10.231.255.7");
        assert!(
            stray.contains("Invalid argument") || stray.contains("blackhole"),
            "{stray}"
        );
    });
}

fn route(address: &str) -> String {
    let output = Command::new("ip")
        .args(["route", "get", address])
        .output()
        .expect("ip is there");
    let (said, complained) = (output.stdout, output.stderr);
    String::from_utf8_lossy(&[said, complained].concat()).into_owned()
}
