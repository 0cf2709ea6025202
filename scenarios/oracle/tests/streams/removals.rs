//! When a checkpoint may go: S18.

use oracle::observation::{CaseOpened, CheckpointTimes};
use oracle::{Judgement, Sighting, Source};
use terms::Component;

use crate::checkpoints::bent;
use crate::story::{Story, cp, holds, is_unknown, is_violated, of, opened};
use crate::world::{World, version};

/// The installer's words, which every story begins with.
pub(crate) fn case(world: &mut World) -> &mut CaseOpened {
    let Sighting::CaseOpened(case) = &mut world.story.told[0].saw else {
        panic!("the first line opens the case")
    };
    case
}

fn remove(world: &mut World) {
    world.machine(1).checkpoints.clear();
    world.run(1_000);
}

/// The parents of cp-1 go away, and after so long their checkpoints.
fn unbound_for(seconds: u64) -> World {
    let mut world = World::done(3);
    world.pods.retain(|pod| pod.node != Some(cp(1)));
    world.run(seconds * 1_000);
    world
}

/// The same, in a case that states another grace period, or none.
fn with_grace(times: Option<CheckpointTimes>, seconds: u64) -> Story {
    let mut world = unbound_for(seconds);
    case(&mut world).checkpoint_times = times;
    remove(&mut world);
    world.close("done")
}

fn grace(seconds: u64) -> Option<CheckpointTimes> {
    let grace_ms = seconds * 1_000;
    Some(CheckpointTimes { grace_ms })
}

#[test]
fn s18_is_violated_by_a_removal_while_the_parent_is_bound() {
    is_violated(&bent(remove, 0), "S18");
}

#[test]
fn s18_asks_for_the_grace_period_that_the_installer_states() {
    for stated in [10, 30, 300] {
        holds(&with_grace(grace(stated), stated + 1), "S18");
        is_violated(&with_grace(grace(stated), stated - 2), "S18");
    }
}

#[test]
fn s18_is_unknown_when_something_was_removed_and_no_grace_period_is_stated() {
    is_unknown(&with_grace(None, 400), "S18");
    is_unknown(&with_grace(grace(0), 400), "S18");
    let mut untouched = World::done(3);
    case(&mut untouched).checkpoint_times = None;
    holds(&untouched.close("done"), "S18");
}

#[test]
fn s18_is_violated_by_a_removal_for_which_the_api_was_not_asked() {
    let mut world = unbound_for(10);
    world.api_fails = true;
    world.run(40_000);
    remove(&mut world);
    is_violated(&world.clone().close("done"), "S18");
    // It counts from its return again.
    let mut world = unbound_for(20);
    world.api_fails = true;
    world.run(8_000);
    world.api_fails = false;
    world.run(20_000);
    remove(&mut world);
    is_violated(&world.close("done"), "S18");
}

#[test]
fn s18_is_unknown_when_the_pods_were_not_read_and_the_api_did_answer() {
    let mut world = unbound_for(40);
    remove(&mut world);
    let end_us = world.now_ms * 1_000;
    let blind = |seen: &oracle::Observation| {
        seen.source == Source::Cluster
            && (end_us - 25_000_000..end_us - 15_000_000).contains(&seen.end_us)
    };
    is_unknown(&world.close("done").without(blind), "S18");
}

#[test]
fn s18_lets_older_versions_go_and_leaves_torn_ones_to_others() {
    let mut world = World::done(3);
    let next = version(Component::KubeApiserver, "g2");
    world.machine(2).checkpoints.push(next);
    world.run(1_000);
    world.machine(2).checkpoints.remove(0);
    for version in &mut world.machine(1).checkpoints {
        version.complete = false;
    }
    world.run(1_000);
    holds(&world.close("done"), "S18");
}

#[test]
fn the_first_line_of_an_older_record_states_no_times() {
    let mut line = serde_json::to_value(opened(3)).expect("a case can be written");
    let fields = line.as_object_mut().expect("it is an object");
    assert!(fields.remove("checkpoint_times").is_some());
    let case: CaseOpened = serde_json::from_value(line).expect("it can be read");
    assert_eq!(case.checkpoint_times, None);
    assert_eq!(case.grace_us(), None);
    let verdict = World::done(3).close("done").verdict();
    assert_eq!(of(&verdict, "S18"), &Judgement::Holds);
}
