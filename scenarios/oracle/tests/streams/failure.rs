//! Safety when things fail or are run again: S11, S12, S13, S25.

use oracle::observation::OperationEnd;
use oracle::{Sighting, Source};
use terms::{Actor, Fault, Moment, Nothing};

use crate::checkpoints::COPY;
use crate::runner::node_fault;
use crate::story::{Story, cp, holds, is_not_judged, is_unknown, is_violated};
use crate::world::{APISERVER, BOOTSTRAP, World};

fn undisturbed() -> Story {
    World::done(3).close("done")
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
fn s11_does_not_count_a_copy_that_hands_over() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.machine(2).processes.insert(COPY, 70);
    world.run(3_000);
    world.step("holding");
    world.end("bootstrap", OperationEnd::Holding);
    world.run(1_000);
    world.machine(2).processes.remove(&COPY);
    world.run(14_000);
    holds(&world.close("holding"), "S11");
}

/// The apiserver is taken away in the step after the one that failed or not, and only long after that
/// the procedure says that it holds.
fn torn_down(completes: bool) -> World {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.enter("pods-running");
    world.run(1_000);
    if completes {
        world.step("pods-running");
    }
    world.enter("removed");
    world.run(400);
    world.machine(1).processes.remove(&BOOTSTRAP);
    world.run(6_000);
    world.step("removed");
    world.step("holding");
    world.end("bootstrap", OperationEnd::Holding);
    world.run(14_000);
    world
}

#[test]
fn s11_is_violated_by_a_teardown_that_takes_long_after_a_failed_step() {
    is_violated(&torn_down(false).close("holding"), "S11");
}

#[test]
fn s11_is_not_violated_by_what_was_taken_away_before_the_failure() {
    holds(&torn_down(true).close("holding"), "S11");
}

/// A new process begins again where it likes; what it left behind is no failure of its own.
#[test]
fn s11_takes_a_step_that_was_entered_before_for_a_new_process() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.enter("pods-running");
    world.step("pods-running");
    world.enter("removed");
    world.enter("pods-running");
    world.step("pods-running");
    world.enter("removed");
    world.run(400);
    world.machine(1).processes.remove(&BOOTSTRAP);
    world.run(6_000);
    world.step("holding");
    world.end("bootstrap", OperationEnd::Holding);
    world.run(14_000);
    holds(&world.close("holding"), "S11");
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

/// Two of three nodes stand still: the third's apiserver fails for want of etcd, and not because of the installer.
#[test]
fn s11_is_not_violated_when_faults_stop_etcds_majority() {
    let frozen = |nodes: &[terms::NodeId]| {
        let mut world = held();
        world.run(1_000);
        world.fault(Fault::Freeze(node_fault()), nodes, &["frozen"]);
        world.api_fails = true;
        world.run(14_000);
        world.close("holding")
    };
    holds(&frozen(&[cp(2), cp(3)]), "S11");
    is_violated(&frozen(&[cp(2)]), "S11");
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
fn s12_is_not_violated_by_the_loss_of_a_disk() {
    let lost = |fault| {
        let mut world = killed();
        world.run(400);
        world.machine(2).manifests.clear();
        world.run(400);
        world.fault(fault, &[cp(2)], &["cp-2"]);
        world.run(400);
        world.machine(2).manifests.insert("etcd.yaml".to_owned());
        world.serve_self_hosted();
        world.hand_over();
        world.remove_bootstrap();
        world.finish();
        world.close("done")
    };
    holds(&lost(Fault::LoseDisk(node_fault())), "S12");
    is_violated(&lost(Fault::PowerOff(node_fault())), "S12");
}

#[test]
fn s12_is_unknown_without_an_end() {
    let story = resumed()
        .close("done")
        .without(|seen| matches!(seen.saw, Sighting::CaseClosed(_)));
    is_unknown(&story, "S12");
}

/// It was killed and stays dead, while a checkpoint agent goes on announcing its steps.
#[test]
fn an_agents_step_does_not_start_the_installer_again() {
    let mut world = World::done(3);
    world.run(1_000);
    world.fault(Fault::KillInstaller(Nothing {}), &[], &["the installer"]);
    world.run(1_000);
    world.agent_saved(1);
    is_not_judged(&world.clone().close("done"), "S12");
    world.announce(Actor::default(), "kube-apiserver-saved", Moment::Completed);
    holds(&world.close("done"), "S12");
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

// === a total loss ===

/// Everything is lost; after three seconds of nothing a snapshot is restored.
fn lost(fault: Fault) -> Story {
    let mut world = World::done(3);
    world.run(1_000);
    world.lose_everything(fault);
    world.run(3_000);
    world.recover(true, false);
    world.refill();
    world.run(3_000);
    world.end("recover", OperationEnd::Done);
    world.close("done")
}

#[test]
fn nothing_is_asked_of_disks_that_are_lost() {
    let disks = lost(Fault::LoseDisk(node_fault()));
    let power = lost(Fault::PowerOff(node_fault()));
    for invariant in ["S6", "S18"] {
        holds(&disks, invariant);
        is_violated(&power, invariant);
    }
}

#[test]
fn a_refused_operation_leaves_done_what_was_done() {
    let ended = |end| {
        let mut world = World::done(3);
        let begun_us = world.now_ms * 1_000;
        world.recover(true, false);
        world.run(1_000);
        world.end("recover", end);
        world.credential(Some(Ok(())));
        let early = move |seen: &oracle::Observation| {
            matches!(seen.saw, Sighting::Credential(_)) && seen.end_us <= begun_us
        };
        world.close("done").without(early)
    };
    holds(&ended(OperationEnd::Refused), "S25");
    is_unknown(&ended(OperationEnd::Failed), "S25");
}
