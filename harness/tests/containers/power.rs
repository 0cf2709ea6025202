//! What faults do to nodes, with proof.

use chrysalis::cluster::ClusterError;
use chrysalis::docker::Power;

use crate::ground::{PATIENCE, on_ground};

#[test]
fn a_power_cut_is_proven_and_leaves_disk_and_address() {
    on_ground(|ground| async move {
        let up = ground.bare(&ground.name, 1, 1).await;
        let node = up.cluster.node("cp-1").expect("it is there").clone();
        let address = node.address().to_string();
        node.exec_ok(["sh", "-c", "echo kept >/var/lib/kept"], PATIENCE)
            .await
            .expect("it writes");

        let cut = node.power_off().await.expect("it can lose power");
        assert_eq!((cut.before.power, cut.after.power), (Power::On, Power::Off));
        assert_eq!(cut.after.exit_code, 137);
        assert!(cut.changed() && !node.is_running().await.expect("the engine answers"));
        let again = node
            .power_off()
            .await
            .expect_err("there is no power to cut");
        assert!(
            matches!(
                again,
                ClusterError::NoEffect {
                    power: Power::Off,
                    ..
                }
            ),
            "{again}"
        );
        let dead = node
            .exec(["true"], PATIENCE)
            .await
            .expect_err("nothing runs there");
        assert!(matches!(dead, ClusterError::Engine { .. }), "{dead}");

        let back = node.power_on().await.expect("it can be powered on");
        assert_ne!(back.before.started_at, back.after.started_at);
        node.wait_booted(PATIENCE).await.expect("it boots again");
        assert_eq!(
            node.exec_ok(["cat", "/var/lib/kept"], PATIENCE)
                .await
                .expect("kept"),
            "kept"
        );
        let addresses = node
            .exec_ok(["ip", "-4", "-o", "addr", "show", "eth0"], PATIENCE)
            .await;
        assert!(addresses.expect("it has an interface").contains(&address));
        // The engine gives every start a default route; the entry point takes it away each time.
        let routes = node.exec_ok(["ip", "-4", "route", "show", "default"], PATIENCE);
        assert_eq!(routes.await.expect("it lists its routes"), "");
        let idle = node
            .power_on()
            .await
            .expect("powering on a node that is on does nothing");
        assert!(!idle.changed());

        let reboot = node.reboot().await.expect("it can be rebooted");
        assert_ne!(reboot.before.started_at, reboot.after.started_at);
        assert_eq!(reboot.after.power, Power::On);
        node.wait_booted(PATIENCE).await.expect("it boots again");
        let usage = node.usage().await.expect("it has used something");
        assert!(usage.cpu_ns > 0 && usage.memory_bytes > 0, "{usage:?}");
        assert!(
            node.logs(50)
                .await
                .expect("it has a console")
                .contains("systemd")
        );
    });
}

#[test]
fn a_frozen_node_answers_nothing_until_it_is_thawed() {
    on_ground(|ground| async move {
        let up = ground.bare(&ground.name, 1, 0).await;
        let balancer = up.cluster.load_balancer();
        let quickly = std::time::Duration::from_secs(2);
        up.cluster
            .backends(PATIENCE)
            .await
            .expect("the load balancer answers");

        let frozen = balancer.freeze().await.expect("it can be frozen");
        assert_eq!(frozen.after.power, Power::Frozen);
        up.cluster
            .backends(quickly)
            .await
            .expect_err("a frozen process answers nothing");
        assert!(balancer.freeze().await.is_err() && balancer.power_on().await.is_err());

        let thawed = balancer.thaw().await.expect("it can be thawed");
        assert_eq!(thawed.after.power, Power::On);
        assert_eq!(thawed.before.started_at, thawed.after.started_at);
        up.cluster
            .backends(PATIENCE)
            .await
            .expect("it answers again");
        assert!(balancer.thaw().await.is_err());

        balancer.freeze().await.expect("it can be frozen again");
        let cut = balancer
            .power_off()
            .await
            .expect("a frozen node can lose power");
        assert_eq!(
            (cut.before.power, cut.after.power),
            (Power::Frozen, Power::Off)
        );
    });
}
