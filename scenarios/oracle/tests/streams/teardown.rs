//! Safety of the teardown: S5, S6, S9, S10.

use oracle::{Sighting, Source};
use terms::{Component, Fault, Incarnation};

use crate::runner::node_fault;
use crate::story::{Story, cp, holds, is_not_judged, is_unknown, is_violated};
use crate::world::{APISERVER, BOOTSTRAP, SELF_HOSTED, World};

fn undisturbed() -> Story {
    World::done(3).close("done")
}

// === S5 ===

#[test]
fn s5_holds_when_the_guard_holds() {
    holds(&undisturbed(), "S5");
}

#[test]
fn s5_is_violated_when_no_self_hosted_apiserver_serves() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.hand_over();
    world.remove_bootstrap();
    world.finish();
    is_violated(&world.close("done"), "S5");
}

#[test]
fn s5_is_violated_when_one_of_two_needed_apiservers_serves() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.machine(2).processes.remove(&SELF_HOSTED);
    world.machine(3).processes.remove(&SELF_HOSTED);
    world.hand_over();
    world.remove_bootstrap();
    world.finish();
    is_violated(&world.close("done"), "S5");
}

#[test]
fn s5_is_violated_when_the_load_balancer_lists_no_self_hosted_apiserver() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.unlisted = true;
    world.serve_self_hosted();
    world.hand_over();
    world.remove_bootstrap();
    world.unlisted = false;
    world.finish();
    is_violated(&world.close("done"), "S5");
}

#[test]
fn s5_is_unknown_when_nobody_asked_the_load_balancer() {
    let story = undisturbed().without(|seen| seen.source == Source::LoadBalancer);
    is_unknown(&story, "S5");
}

#[test]
fn s5_is_violated_when_the_controllers_go_with_the_apiserver() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.machine(1).manifests.remove(APISERVER);
    world
        .machine(1)
        .processes
        .retain(|(_, incarnation), _| *incarnation != Some(Incarnation::Bootstrap));
    world.run(1_000);
    world.finish();
    is_violated(&world.close("done"), "S5");
}

#[test]
fn s5_is_violated_when_a_lease_is_not_renewed_after_the_handover() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.leases_stand = true;
    world.run(1_000);
    world.end_bootstrap_controllers();
    world.run(3_000);
    world.remove_bootstrap();
    world.leases_stand = false;
    world.finish();
    is_violated(&world.close("done"), "S5");
}

/// The leases are renewed once more after the bootstrap processes have gone. Only a holder on their node may
/// have been one of them; on a node where none ever ran it was self-hosted before and after.
#[test]
fn s5_is_not_deceived_by_the_last_write_of_a_dead_holder() {
    let renewed_once = |holder_on: u32| {
        let mut world = World::new(3);
        world.serve_bootstrap();
        world.serve_self_hosted();
        for component in [Component::KubeControllerManager, Component::KubeScheduler] {
            let holder = (format!("cp-{holder_on}_{component}"), cp(holder_on));
            world.leases.insert(component, holder);
        }
        world.run(1_000);
        world.end_bootstrap_controllers();
        world.run(200);
        world.leases_stand = true;
        world.run(3_000);
        world.remove_bootstrap();
        world.leases_stand = false;
        world.finish();
        world.close("done")
    };
    is_violated(&renewed_once(1), "S5");
    holds(&renewed_once(2), "S5");
}

#[test]
fn s5_is_not_violated_by_the_loss_of_the_bootstrap_node() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.power_off(1);
    world.run(5_000);
    world.heal(1);
    world.run(2_000);
    world.hand_over();
    world.remove_bootstrap();
    world.finish();
    holds(&world.close("done"), "S5");
}

#[test]
fn s5_is_not_violated_by_the_loss_of_the_bootstrap_nodes_disk() {
    let lost = |fault| {
        let mut world = World::new(3);
        world.serve_bootstrap();
        world.run(1_000);
        world.machine(1).manifests.clear();
        world.machine(1).processes.clear();
        world.run(400);
        world.fault(fault, &[cp(1)], &["cp-1"]);
        world.run(2_000);
        world.close("holding")
    };
    is_not_judged(&lost(Fault::LoseDisk(node_fault())), "S5");
    // Without power, manifests stay: whoever saw them vanish saw somebody remove them.
    is_violated(&lost(Fault::PowerOff(node_fault())), "S5");
}

/// Two of three disks are lost, and the third node has no power; the first node hosts alone, and pivots.
#[test]
fn s5_counts_no_node_of_a_cluster_that_was_replaced() {
    let restored = |lost: Fault| {
        let mut world = World::done(3);
        world.power_off(3);
        world.lose(&[1, 2], lost);
        world.heal(1);
        world.recover(true, false);
        world.etcd = "c2";
        world.pods.clear();
        world.machine(1).processes.insert(SELF_HOSTED, 30);
        world.machine(1).manifests.insert(APISERVER.to_owned());
        world.machine(1).processes.insert(BOOTSTRAP, 20);
        world.run(3_000);
        world.hand_over();
        world.remove_bootstrap();
        world.finish();
        world.close("done")
    };
    holds(&restored(Fault::LoseDisk(node_fault())), "S5");
    is_violated(&restored(Fault::PowerOff(node_fault())), "S5");
}

#[test]
fn s5_is_unknown_when_the_removal_was_not_watched() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.hand_over();
    world.machine(1).silent = true;
    world.run(4_000);
    world.remove_bootstrap();
    world.machine(1).silent = false;
    world.finish();
    is_unknown(&world.close("done"), "S5");
    let blind = undisturbed().without(|seen| matches!(seen.saw, Sighting::NodeInventory(_)));
    is_unknown(&blind, "S5");
}

#[test]
fn s5_is_unknown_when_nobody_asked_the_apiservers() {
    is_unknown(
        &undisturbed().without(|seen| matches!(seen.source, Source::Apiserver(_))),
        "S5",
    );
}

#[test]
fn s5_is_not_judged_while_the_bootstrap_control_plane_stands() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.step("holding");
    world.run(5_000);
    is_not_judged(&world.close("holding"), "S5");
}

#[test]
fn a_reboot_is_no_removal() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.machine(1).processes.clear();
    world.run(400);
    world.fault(Fault::Reboot(node_fault()), &[cp(1)], &["cp-1"]);
    world.run(2_000);
    let verdict = world.close("done").verdict();
    assert!(!matches!(
        crate::story::of(&verdict, "S5"),
        oracle::Judgement::Violated(_)
    ));
}

// === S6 ===

#[test]
fn s6_holds_in_an_undisturbed_bootstrap() {
    holds(&undisturbed(), "S6");
}

#[test]
fn s6_is_violated_when_the_last_owner_is_removed() {
    let mut world = World::new(1);
    world.serve_bootstrap();
    world.remove_bootstrap();
    world.run(4_000);
    is_violated(&world.close("done"), "S6");
}

/// Without its secrets a kubelet starts no container of a manifest, so that there is no process to look at.
#[test]
fn s6_is_violated_when_a_manifest_stays_and_its_secrets_are_gone() {
    let mut world = World::new(1);
    world.serve_bootstrap();
    world.machine(1).processes.remove(&BOOTSTRAP);
    world.run(400);
    holds(&world.clone().close("holding"), "S6");
    world.machine(1).bootstrap_files.clear();
    world.run(4_000);
    is_violated(&world.close("holding"), "S6");
}

/// What a bootstrap needs only while it installs is no file of a manifest.
#[test]
fn s6_holds_when_other_files_of_the_bootstrap_are_gone() {
    let mut world = World::new(1);
    let assets = "/var/lib/selfhost/assets/kubeconfig".to_owned();
    world.machine(1).bootstrap_files.insert(assets.clone());
    world.serve_bootstrap();
    world.machine(1).processes.remove(&BOOTSTRAP);
    world.machine(1).bootstrap_files.remove(&assets);
    world.run(4_000);
    holds(&world.close("holding"), "S6");
}

#[test]
fn s6_is_violated_when_the_only_kubelet_forgets() {
    let mut world = World::done(1);
    world.machine(1).checkpoints.clear();
    world.power_off(1);
    world.run(3_000);
    world.machine(1).processes.remove(&SELF_HOSTED);
    world.heal(1);
    world.run(6_000);
    is_violated(&world.close("done"), "S6");
}

#[test]
fn s6_holds_while_a_kubelet_remembers() {
    let mut world = World::done(1);
    world.machine(1).checkpoints.clear();
    world.machine(1).processes.remove(&SELF_HOSTED);
    world.run(10_000);
    world.machine(1).processes.insert(SELF_HOSTED, 77);
    world.run(1_000);
    holds(&world.close("done"), "S6");
}

/// A DaemonSet that is rolled deletes before it creates: the kubelet ends the old pod, and hears of no new one.
#[test]
fn s6_is_violated_when_the_only_pod_was_being_deleted_and_has_ended() {
    let mut world = World::done(1);
    world.machine(1).checkpoints.clear();
    world.pods[0].terminating = true;
    world.run(1_000);
    // While its process runs it serves, and afterwards nobody starts it again.
    holds(&world.clone().close("done"), "S6");
    world.machine(1).processes.remove(&SELF_HOSTED);
    world.run(4_000);
    is_violated(&world.close("done"), "S6");
}

/// Until the hand-over only the bootstrap node can start an apiserver: nobody else is to blame for its power.
#[test]
fn s6_is_not_judged_while_the_only_equipped_node_has_no_power() {
    let mut world = World::new(2);
    world.serve_bootstrap();
    world.power_off(1);
    world.run(10_000);
    world.heal(1);
    world.run(6_000);
    holds(&world.clone().close("done"), "S6");

    world.remove_bootstrap();
    world.run(4_000);
    is_violated(&world.close("done"), "S6");
}

#[test]
fn s6_is_violated_when_the_node_without_power_had_nothing_left() {
    let mut world = World::new(2);
    world.serve_bootstrap();
    world.remove_bootstrap();
    world.power_off(1);
    world.run(4_000);
    is_violated(&world.close("done"), "S6");
}

#[test]
fn s6_is_unknown_when_the_nodes_are_not_seen() {
    let mut world = World::done(1);
    world.machine(1).silent = true;
    world.machine(1).processes.remove(&SELF_HOSTED);
    world.run(10_000);
    is_unknown(&world.close("done"), "S6");
}

// === S9 ===

#[test]
fn s9_holds_when_nothing_is_left() {
    holds(&undisturbed(), "S9");
}

#[test]
fn s9_is_violated_by_a_secret_that_stays() {
    let mut world = World::done(3);
    world
        .machine(2)
        .bootstrap_files
        .insert("/etc/kubernetes/bootstrap-secrets/ca.key".to_owned());
    is_violated(&world.close("done"), "S9");
}

#[test]
fn s9_is_unknown_without_an_inventory_after_done() {
    is_unknown(
        &undisturbed()
            .without(|seen| seen.source == Source::Node(cp(2)) && seen.end_us > 11_000_000),
        "S9",
    );
}

#[test]
fn s9_is_not_judged_in_holding() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.step("holding");
    world.run(5_000);
    is_not_judged(&world.close("holding"), "S9");
}

// === S10 ===

#[test]
fn s10_holds_when_files_outlive_processes() {
    holds(&undisturbed(), "S10");
}

#[test]
fn s10_is_violated_by_a_process_whose_files_are_gone() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world
        .machine(1)
        .missing_files
        .insert("/etc/kubernetes/bootstrap-secrets/ca.crt".to_owned());
    world.run(400);
    is_violated(&world.close("done"), "S10");
}

#[test]
fn s10_forgives_one_look() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world
        .machine(1)
        .missing_files
        .insert("/etc/kubernetes/bootstrap-secrets/ca.crt".to_owned());
    world.run(200);
    world.machine(1).processes.remove(&BOOTSTRAP);
    world.machine(1).missing_files.clear();
    world.run(400);
    holds(&world.close("done"), "S10");
}

#[test]
fn s10_is_unknown_without_a_bootstrap_process() {
    is_unknown(
        &undisturbed().without(|seen| seen.source == Source::Node(cp(1))),
        "S10",
    );
}
