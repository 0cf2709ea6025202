//! Safety of the data: S1, S2, S3.

use oracle::observation::{EtcdStatus, OperationEnd, RequestKind, RequestOutcome};
use oracle::{Sighting, Source};
use terms::{Fault, Incarnation};

use crate::runner::node_fault;
use crate::story::{Story, cp, holds, is_unknown, is_violated, request};
use crate::world::World;

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

/// A snapshot, then a write; a total loss; and a restore of what the snapshot held.
fn restored(lose: impl Fn(&mut World)) -> (World, u64) {
    let mut world = World::done(3);
    world.run(1_000);
    world.start("snapshot", false);
    let held = world.keys.clone();
    world.run(1_000);
    world.end("snapshot", OperationEnd::Done);
    let early = *held.first().unwrap();
    lose(&mut world);
    world.keys = held;
    world.recover(true, false);
    world.refill();
    world.run(2_000);
    world.end("recover", OperationEnd::Done);
    (world, early)
}

#[test]
fn s1_forgives_what_was_written_after_the_snapshot_once_the_disks_are_lost() {
    let (world, early) = restored(World::lose_all_disks);
    holds(&world.clone().close("done"), "S1");
    let mut without = world.clone();
    without.keys.remove(&early);
    is_violated(&without.close("done"), "S1");
    let mut after = world;
    let last = *after.keys.last().unwrap();
    after.keys.remove(&last);
    is_violated(&after.close("done"), "S1");
}

#[test]
fn s1_forgives_nothing_while_a_majority_of_the_disks_lives() {
    let (world, _) = restored(|_| {});
    is_violated(&world.close("done"), "S1");
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
fn s3_begins_anew_with_a_snapshot_that_is_restored_after_a_total_loss() {
    let restored = |lost: bool, rival: bool| {
        let mut world = World::done(3);
        if lost {
            world.lose_all_disks();
        }
        world.recover(true, rival);
        world.etcd = "c2";
        world.refill();
        world.run(2_000);
        world.end("recover", OperationEnd::Done);
        world.close("done")
    };
    holds(&restored(true, false), "S3");
    is_violated(&restored(false, false), "S3");
    is_violated(&restored(true, true), "S3");
}

/// Two of three lost their disks; the third, whose power was cut, comes back after the restore.
#[test]
fn s3_lets_an_old_node_be_silent_but_not_speak() {
    let returned = |says: Option<&str>| {
        let mut world = World::done(3);
        world.power_off(3);
        world.lose(&[1, 2], Fault::LoseDisk(node_fault()));
        world.heal(1);
        world.heal(2);
        world.recover(true, false);
        world.etcd = "c2";
        world.refill();
        world.run(2_000);
        world.end("recover", OperationEnd::Done);
        if let Some(cluster) = says {
            let status = EtcdStatus {
                cluster: cluster.to_owned(),
                member: "m-cp-3".to_owned(),
                leader: None,
                term: 1,
                revision: 1,
            };
            let old = Source::EtcdMember(cp(3));
            let told = Sighting::Etcd(Some(status));
            world.story.tell(world.now_ms, old, told);
        }
        world.close("done")
    };
    holds(&returned(None), "S3");
    is_violated(&returned(Some("c1")), "S3");
}

#[test]
fn s3_is_unknown_when_a_member_never_answered() {
    is_unknown(
        &undisturbed().without(|seen| seen.source == Source::EtcdMember(cp(2))),
        "S3",
    );
}
