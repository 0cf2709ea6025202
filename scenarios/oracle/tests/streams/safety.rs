//! Safety invariants.

use oracle::observation::{EtcdStatus, OperationEnd, RequestKind, RequestOutcome};
use oracle::{Sighting, Source};
use terms::{Component, Fault, Incarnation, Nothing};

use crate::story::{Story, cp, holds, is_not_judged, is_unknown, is_violated, request};
use crate::world::{APISERVER, BOOTSTRAP, SELF_HOSTED, World, node_fault};

fn undisturbed() -> Story {
    World::done(3).close("done")
}

#[test]
fn an_undisturbed_bootstrap_violates_nothing_and_leaves_nothing_unknown() {
    let verdict = undisturbed().verdict();
    assert_eq!(verdict.result, oracle::CaseResult::Passed, "{verdict:#?}");
}

// === S1 ===

#[test]
fn s1_holds_when_every_write_is_read_back() {
    holds(&undisturbed(), "S1");
}

#[test]
fn s1_is_violated_by_an_acknowledged_write_that_is_gone() {
    let mut world = World::done(3);
    let first = *world.keys.first().unwrap();
    world.keys.remove(&first);
    is_violated(&world.close("done"), "S1");
}

#[test]
fn s1_is_unknown_without_a_read_back_after_the_last_fault() {
    let mut world = World::done(3);
    world.read_back();
    world.power_off(3);
    world.run(2_000);
    world.heal(3);
    world.story.close(world.now_ms + 1, "done");
    is_unknown(&world.story, "S1");
    is_unknown(
        &undisturbed().without(|seen| matches!(seen.saw, Sighting::ReadBack(_))),
        "S1",
    );
}

// === S2 ===

#[test]
fn s2_holds_when_revisions_grow() {
    holds(&undisturbed(), "S2");
}

#[test]
fn s2_is_violated_by_a_read_from_the_past() {
    let mut world = World::done(3);
    let outcome = RequestOutcome::Acknowledged { revision: Some(7) };
    let saw = request(
        RequestKind::Read,
        outcome,
        Some((&cp(1), Incarnation::SelfHosted)),
    );
    world.story.tell_span(
        world.now_ms + 10,
        world.now_ms + 20,
        Source::LoadBalancer,
        saw,
    );
    is_violated(&world.close("done"), "S2");
}

#[test]
fn s2_does_not_compare_requests_that_overlapped() {
    let mut world = World::done(3);
    let outcome = RequestOutcome::Acknowledged {
        revision: Some(1003),
    };
    let saw = request(RequestKind::Read, outcome, None);
    world
        .story
        .tell_span(100, world.now_ms + 20, Source::LoadBalancer, saw);
    holds(&world.close("done"), "S2");
}

#[test]
fn s2_is_unknown_with_few_samples() {
    let story = undisturbed().without(|seen| seen.source == Source::LoadBalancer && seen.seq > 10);
    is_unknown(&story, "S2");
}

// === S3 ===

#[test]
fn s3_holds_with_one_cluster() {
    holds(&undisturbed(), "S3");
}

#[test]
fn s3_is_violated_by_a_second_cluster() {
    let mut world = World::done(3);
    let status = EtcdStatus {
        cluster: "c2".to_owned(),
        member: "m-cp-2".to_owned(),
        leader: None,
        term: 1,
        revision: 1,
    };
    world.story.tell(
        world.now_ms,
        Source::EtcdMember(cp(2)),
        Sighting::Etcd(Some(status)),
    );
    is_violated(&world.close("done"), "S3");
}

#[test]
fn s3_is_unknown_when_a_member_never_answered() {
    is_unknown(
        &undisturbed().without(|seen| seen.source == Source::EtcdMember(cp(2))),
        "S3",
    );
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
    for component in [Component::KubeControllerManager, Component::KubeScheduler] {
        world
            .machine(1)
            .processes
            .remove(&(component, Some(Incarnation::Bootstrap)));
    }
    world.run(3_000);
    world.remove_bootstrap();
    world.leases_stand = false;
    world.finish();
    is_violated(&world.close("done"), "S5");
}

#[test]
fn s5_is_not_deceived_by_the_last_write_of_a_dead_holder() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    for component in [Component::KubeControllerManager, Component::KubeScheduler] {
        world
            .machine(1)
            .processes
            .remove(&(component, Some(Incarnation::Bootstrap)));
    }
    world.run(200);
    world.leases_stand = true;
    world.run(3_000);
    world.remove_bootstrap();
    world.leases_stand = false;
    world.finish();
    is_violated(&world.close("done"), "S5");
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

#[test]
fn s6_is_violated_when_the_only_kubelet_forgets() {
    let mut world = World::done(1);
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
    world.machine(1).processes.remove(&SELF_HOSTED);
    world.run(10_000);
    world.machine(1).processes.insert(SELF_HOSTED, 77);
    world.run(1_000);
    holds(&world.close("done"), "S6");
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

// === S11 ===

fn held() -> World {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.step("holding");
    world.end("bootstrap", OperationEnd::Holding);
    world
}

#[test]
fn s11_holds_when_the_apiserver_stays() {
    let mut world = held();
    world.run(12_000);
    holds(&world.close("holding"), "S11");
}

#[test]
fn s11_is_violated_when_a_failure_takes_the_apiserver_down() {
    let mut world = held();
    world.run(1_000);
    world.machine(1).processes.remove(&BOOTSTRAP);
    world.run(14_000);
    is_violated(&world.close("holding"), "S11");
}

#[test]
fn s11_is_not_violated_by_a_fault() {
    let mut world = held();
    world.run(1_000);
    world.power_off(1);
    world.run(14_000);
    let verdict = world.close("holding").verdict();
    assert!(!matches!(
        crate::story::of(&verdict, "S11"),
        oracle::Judgement::Violated(_)
    ));
}

#[test]
fn s11_is_unknown_when_it_was_not_watched_for_long_after_the_failure() {
    is_unknown(&held().close("holding"), "S11");
    let mut world = held();
    world.run(12_000);
    let story = world
        .close("holding")
        .without(|seen| matches!(seen.saw, Sighting::Request(_)) && seen.end_us > 3_000_000);
    is_unknown(&story, "S11");
}

#[test]
fn s11_is_not_judged_when_nothing_failed() {
    is_not_judged(&undisturbed(), "S11");
}

// === S12 ===

fn killed() -> World {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.fault(Fault::KillInstaller(Nothing {}), &[], &["the installer"]);
    world.end("bootstrap", OperationEnd::Killed);
    world.run(1_000);
    world.start("resume", false);
    world
}

fn resumed() -> World {
    let mut world = killed();
    world.serve_self_hosted();
    world.hand_over();
    world.remove_bootstrap();
    world.finish();
    world
}

#[test]
fn s12_holds_when_a_killed_bootstrap_is_done_in_the_end() {
    holds(&resumed().close("done"), "S12");
}

#[test]
fn s12_is_violated_when_it_ends_otherwise() {
    is_violated(&resumed().close("holding"), "S12");
    let mut world = killed();
    world.end("resume", OperationEnd::Failed);
    is_violated(&world.close("failed"), "S12");
}

#[test]
fn s12_is_violated_when_etcds_manifest_is_removed() {
    let mut world = killed();
    world.run(400);
    world.machine(2).manifests.clear();
    world.serve_self_hosted();
    is_violated(&world.close("done"), "S12");
}

#[test]
fn s12_is_unknown_without_an_end() {
    let story = resumed()
        .close("done")
        .without(|seen| matches!(seen.saw, Sighting::CaseClosed(_)));
    is_unknown(&story, "S12");
}

#[test]
fn s12_is_not_judged_when_nothing_was_killed() {
    is_not_judged(&undisturbed(), "S12");
}

// === S13 ===

fn foreign(end: OperationEnd) -> World {
    let mut world = World::done(3);
    world.start("bootstrap", true);
    world.run(1_000);
    world.end("bootstrap", end);
    world.run(1_000);
    world
}

#[test]
fn s13_holds_when_a_foreign_installer_is_refused() {
    holds(&foreign(OperationEnd::Refused).close("done"), "S13");
}

#[test]
fn s13_is_violated_when_it_is_not_refused() {
    is_violated(&foreign(OperationEnd::Done).close("done"), "S13");
}

#[test]
fn s13_is_violated_when_it_changes_a_manifest() {
    let mut world = World::done(3);
    world.start("bootstrap", true);
    world.machine(2).manifests.insert(APISERVER.to_owned());
    world.run(1_000);
    world.end("bootstrap", OperationEnd::Refused);
    world.run(1_000);
    is_violated(&world.close("done"), "S13");
}

#[test]
fn s13_is_unknown_when_a_node_is_not_seen_after_it() {
    let world = foreign(OperationEnd::Refused);
    let after_us = (world.now_ms - 1_000) * 1_000;
    let story = world
        .close("done")
        .without(|seen| seen.source == Source::Node(cp(2)) && seen.end_us > after_us);
    is_unknown(&story, "S13");
}

#[test]
fn s13_is_not_judged_without_a_foreign_installer() {
    is_not_judged(&undisturbed(), "S13");
}

// === S25 ===

#[test]
fn s25_holds_when_a_credential_is_accepted() {
    holds(&undisturbed(), "S25");
}

#[test]
fn s25_is_violated_when_it_is_refused() {
    let mut world = World::done(3);
    world.run(200);
    world.credential(Some(Err("401".to_owned())));
    is_violated(&world.close("done"), "S25");
}

#[test]
fn s25_is_unknown_when_nobody_answered() {
    let story = World::done(3)
        .close("done")
        .without(|seen| matches!(seen.saw, Sighting::Credential(_)));
    is_unknown(&story, "S25");
    let mut mute = story;
    mute.told.pop();
    let mut world = World::done(3);
    world.story = world
        .story
        .without(|seen| matches!(seen.saw, Sighting::Credential(_)));
    world.credential(None);
    is_unknown(&world.close("done"), "S25");
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
