//! Liveness invariants.

use oracle::observation::{OperationEnd, Step};
use oracle::{Sighting, Source};
use terms::{Actor, Capability, Component, Delete, Fault, Incarnation, Moment, Nothing, Resource};

use crate::checkpoints::COPY;
use crate::runner::{kill, node_fault};
use crate::story::{Story, cp, holds, is_not_judged, is_unknown, is_violated};
use crate::world::{SELF_HOSTED, World};

fn undisturbed() -> Story {
    World::done(3).close("done")
}

pub(crate) fn budget(world: &mut World, name: &str, milliseconds: Option<u64>) {
    let Sighting::CaseOpened(case) = &mut world.story.told[0].saw else {
        panic!("the first line opens the case")
    };
    match milliseconds {
        Some(ms) => case
            .budgets
            .insert(name.to_owned(), terms::Milliseconds(ms)),
        None => case.budgets.remove(name),
    };
}

// === L1 ===

#[test]
fn l1_holds_within_the_budget() {
    holds(&undisturbed(), "L1");
}

#[test]
fn l1_is_violated_beyond_the_budget() {
    let mut world = World::done(3);
    budget(&mut world, "bootstrap", Some(5_000));
    is_violated(&world.close("done"), "L1");
}

#[test]
fn l1_is_violated_by_another_end() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.end("bootstrap", OperationEnd::Holding);
    is_violated(&world.close("holding"), "L1");
}

#[test]
fn l1_is_violated_when_the_cluster_does_not_settle() {
    let mut world = World::done(3);
    world.settle(&["kube-scheduler on cp-2"]);
    is_violated(&world.close("done"), "L1");
}

#[test]
fn l1_is_unknown_when_the_record_ends_early() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    is_unknown(&world.close("open"), "L1");
}

#[test]
fn l1_is_not_judged_after_a_fault_or_without_a_budget() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.fault(Fault::KillInstaller(Nothing {}), &[], &[]);
    is_not_judged(&world.close("open"), "L1");
    let mut world = World::done(3);
    budget(&mut world, "bootstrap", None);
    is_not_judged(&world.close("done"), "L1");
}

// === L2 ===

fn pivot_with_a_gap(gap_ms: u64) -> World {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.run(4_000);
    world.api_fails = true;
    world.run(gap_ms);
    world.api_fails = false;
    world.hand_over();
    world.remove_bootstrap();
    world.finish();
    world
}

#[test]
fn l2_holds_with_a_short_gap() {
    holds(&pivot_with_a_gap(2_000).close("done"), "L2");
}

#[test]
fn l2_is_violated_by_a_long_gap() {
    is_violated(&pivot_with_a_gap(61_000).close("done"), "L2");
}

#[test]
fn l2_is_unknown_when_the_prober_was_silent() {
    let silent = |seen: &oracle::Observation| {
        seen.source == Source::LoadBalancer && (8_000_000..73_000_000).contains(&seen.end_us)
    };
    is_unknown(
        &pivot_with_a_gap(70_000).close("done").without(silent),
        "L2",
    );
}

#[test]
fn l2_is_not_judged_after_a_fault() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.power_off(2);
    is_not_judged(&world.close("done"), "L2");
}

// === L3 ===

fn lose_the_holder(leaderless_ms: u64) -> World {
    let mut world = World::done(3);
    world.machine(3).processes.insert(
        (Component::KubeScheduler, Some(Incarnation::SelfHosted)),
        555,
    );
    world.leases_stand = true;
    world.run(400);
    world.fault(kill(Component::KubeScheduler), &[cp(3)], &["process 32"]);
    world.run(leaderless_ms);
    world.leases_stand = false;
    world
        .leases
        .insert(Component::KubeScheduler, ("cp-2_next".to_owned(), cp(2)));
    world.run(4_000);
    world
}

#[test]
fn l3_holds_when_another_acts_in_time() {
    holds(&lose_the_holder(17_000).close("done"), "L3");
}

#[test]
fn l3_is_violated_when_nobody_acts_in_time() {
    is_violated(&lose_the_holder(40_000).close("done"), "L3");
}

#[test]
fn l3_is_unknown_when_leases_could_not_be_read() {
    let blind = |seen: &oracle::Observation| {
        matches!(seen.saw, Sighting::Lease(_)) && seen.end_us > 16_500_000
    };
    is_unknown(&lose_the_holder(17_000).close("done").without(blind), "L3");
}

#[test]
fn l3_follows_etcds_leader() {
    let lose = |leaderless_ms| {
        let mut world = World::done(3);
        world.power_off(1);
        world.run(leaderless_ms);
        world.leader = Some(cp(2));
        world.run(1_000);
        world.close("done")
    };
    holds(&lose(2_000), "L3");
    is_violated(&lose(27_000), "L3");
}

#[test]
fn l3_is_not_judged_without_a_loss_or_another_instance() {
    is_not_judged(&undisturbed(), "L3");
    let mut world = World::done(1);
    world.run(400);
    world.fault(kill(Component::KubeScheduler), &[cp(1)], &["process 32"]);
    is_not_judged(&world.close("done"), "L3");
}

#[test]
fn l3_is_not_judged_when_etcd_lost_its_majority() {
    let lose = |from: u32| {
        let mut world = World::done(3);
        world.leases_stand = true;
        world.run(400);
        for number in from..=3 {
            world.machine(number).off = true;
        }
        let all: Vec<_> = (from..=3).map(cp).collect();
        world.fault(Fault::PowerOff(node_fault()), &all, &["all"]);
        world.run(40_000);
        world.close("done")
    };
    is_violated(&lose(3), "L3");
    is_not_judged(&lose(2), "L3");
}

// === L4 ===

fn delete_a_pod() -> World {
    let mut world = World::done(3);
    let delete = Delete {
        kind: Resource::Pod,
        namespace: None,
        name: None,
        selector: None,
        limit: Some(1),
    };
    world.pods[0].terminating = true;
    world.run(400);
    world.fault(Fault::Delete(delete), &[], &["kube-apiserver-abcde"]);
    world
}

#[test]
fn l4_holds_when_a_deleted_pod_is_replaced() {
    let mut world = delete_a_pod();
    world.run(10_000);
    world.pods[0].uid = "another".to_owned();
    world.pods[0].terminating = false;
    world.run(1_000);
    holds(&world.close("done"), "L4");
}

#[test]
fn l4_is_violated_when_a_deleted_pod_is_not_replaced() {
    let mut world = delete_a_pod();
    world.pods.remove(0);
    world.run(125_000);
    is_violated(&world.close("done"), "L4");
}

#[test]
fn l4_is_unknown_when_the_record_ends_before_its_budget() {
    let mut world = delete_a_pod();
    world.run(10_000);
    is_unknown(&world.close("done"), "L4");
}

#[test]
fn l4_follows_a_killed_process() {
    let run = |comes_back: bool| {
        let mut world = World::done(3);
        world.machine(2).processes.remove(&SELF_HOSTED);
        world.run(400);
        world.fault(kill(Component::KubeApiserver), &[cp(2)], &["process 30"]);
        world.run(2_000);
        if comes_back {
            world.machine(2).processes.insert(SELF_HOSTED, 431);
        }
        world.run(125_000);
        world.close("done")
    };
    holds(&run(true), "L4");
    is_violated(&run(false), "L4");
}

#[test]
fn l4_does_not_ask_for_a_copy_whose_parent_runs() {
    let run = |parent_runs: bool| {
        let mut world = World::done(3);
        world.machine(2).processes.insert(COPY, 70);
        world.run(400);
        world.machine(2).processes.remove(&COPY);
        world.machine(2).processes.remove(&SELF_HOSTED);
        if parent_runs {
            world.machine(2).processes.insert(SELF_HOSTED, 431);
        }
        world.run(400);
        let both = ["process 30", "process 70"];
        world.fault(kill(Component::KubeApiserver), &[cp(2)], &both);
        world.run(125_000);
        world.close("done")
    };
    holds(&run(true), "L4");
    is_violated(&run(false), "L4");
}

#[test]
fn an_agents_step_does_not_say_that_the_installer_is_held_no_longer() {
    let gap_ms = |agent_speaks: bool| {
        let mut world = World::done(3);
        let now_ms = world.now_ms;
        world
            .story
            .tell(now_ms, Source::Steps, step_of("installer", true));
        if agent_speaks {
            let step = step_of("checkpoint@cp-1", false);
            world.story.tell(now_ms, Source::Steps, step);
        }
        world.api_fails = true;
        world.run(10_000);
        world.api_fails = false;
        let now_ms = world.now_ms;
        world
            .story
            .tell(now_ms, Source::Steps, step_of("installer", false));
        world.close("done").verdict().figures["api_write_gap_ms"]
    };
    assert!(gap_ms(false) < 1_000);
    assert_eq!(gap_ms(true), gap_ms(false));
}

fn step_of(actor: &str, held: bool) -> Sighting {
    Sighting::Step(Step {
        actor: Actor(actor.to_owned()),
        step: "verified".into(),
        moment: Moment::Entered,
        occurrence: 1,
        held,
        reason: None,
    })
}

#[test]
fn l4_is_violated_when_the_cluster_does_not_settle_after_a_kill() {
    let mut world = delete_a_pod();
    world.settle(&["kube-apiserver on cp-1"]);
    is_violated(&world.close("done"), "L4");
}

#[test]
fn l4_is_not_judged_when_nothing_was_lost() {
    is_not_judged(&undisturbed(), "L4");
}

// === L5 ===

fn lose_a_node(outage_ms: u64) -> World {
    let mut world = World::done(3);
    world.leases.clear();
    world.leader = None;
    world.power_off(2);
    world.api_fails = true;
    world.run(outage_ms);
    world.api_fails = false;
    world.run(10_000);
    world.heal(2);
    world.run(2_000);
    world
}

#[test]
fn l5_holds_when_writes_resume() {
    holds(&lose_a_node(5_000).close("done"), "L5");
}

#[test]
fn l5_is_violated_when_writes_do_not_resume_in_time() {
    is_violated(&lose_a_node(62_000).close("done"), "L5");
}

#[test]
fn l5_is_violated_when_the_cluster_does_not_settle() {
    let mut world = lose_a_node(5_000);
    world.settle(&["a pod is not scheduled"]);
    is_violated(&world.close("done"), "L5");
}

#[test]
fn l5_is_unknown_when_nobody_watched_it_settle() {
    is_unknown(
        &lose_a_node(5_000)
            .close("done")
            .without(|seen| matches!(seen.saw, Sighting::Settled(_))),
        "L5",
    );
}

#[test]
fn l5_is_not_judged_where_it_is_not_claimed_or_cannot_be() {
    is_not_judged(&undisturbed(), "L5");
    let mut story = lose_a_node(62_000).close("done");
    let Sighting::CaseOpened(case) = &mut story.told[0].saw else {
        panic!("the first line opens the case")
    };
    case.capabilities.remove(&Capability::Ha);
    is_not_judged(&story, "L5");
    let mut world = World::done(2);
    world.power_off(2);
    is_not_judged(&world.close("done"), "L5");
}
