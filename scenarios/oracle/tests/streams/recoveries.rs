//! Recoveries: S28, S29 and L10.

use oracle::observation::{NodeStatus, OperationEnd};
use oracle::{Sighting, Source};
use terms::{Capability, Component, Incarnation};

use crate::removals::case;
use crate::runner::kill;
use crate::story::{cp, holds, is_not_judged, is_unknown, is_violated};
use crate::world::{SELF_HOSTED, World};

fn recoverable() -> World {
    let mut world = World::done(3);
    case(&mut world).capabilities.insert(Capability::Recover);
    world
}

impl World {
    /// Every node object, as the API gives them.
    fn read_nodes(&mut self, is_ready: impl Fn(u32) -> bool) {
        let status = |number| NodeStatus {
            node: cp(number),
            ready: is_ready(number),
        };
        let nodes = Sighting::Nodes((1..=3).map(status).collect());
        self.story.tell(self.now_ms, Source::Cluster, nodes);
    }
}

// === S28 ===

/// Only cp-1 has power, and a recovery there goes through its steps.
fn recovered(bend: impl FnOnce(&mut World)) -> World {
    let mut world = recoverable();
    world.power_off(2);
    world.power_off(3);
    world.recover(false, false);
    bend(&mut world);
    world.run(1_000);
    for step in [
        "pods-scheduled",
        "self-hosted-serving",
        "controllers-handed-over",
    ] {
        world.recovered(step);
    }
    world.end("recover", OperationEnd::Done);
    world
}

#[test]
fn s28_holds_when_what_is_counted_is_on_a_node_with_power() {
    holds(&recovered(|_| ()).close("done"), "S28");
    is_not_judged(&recoverable().close("done"), "S28");
}

#[test]
fn s28_is_violated_by_pods_that_etcd_remembers_of_nodes_without_power() {
    for component in Component::SELF_HOSTED {
        let unbound = |world: &mut World| {
            let is_it = |pod: &oracle::observation::PodStatus| {
                pod.component == component && pod.node == Some(cp(1))
            };
            world.pods.retain(|pod| !is_it(pod));
        };
        is_violated(&recovered(unbound).close("done"), "S28");
        let dead = |world: &mut World| {
            let own = (component, Some(Incarnation::SelfHosted));
            world.machine(1).processes.remove(&own);
            // Another one answers, so that pods can be read.
            let temporary = (Component::KubeApiserver, Some(Incarnation::Bootstrap));
            world.machine(1).processes.insert(temporary, 20);
        };
        is_violated(&recovered(dead).close("done"), "S28");
    }
}

#[test]
fn s28_is_unknown_when_the_node_was_not_seen() {
    let unseen = |world: &mut World| {
        world.machine(1).silent = true;
        world.run(4_000);
    };
    is_unknown(&recovered(unseen).close("done"), "S28");
}

// === S29 ===

fn rivals(first: OperationEnd, second: OperationEnd) -> World {
    let mut world = recoverable();
    world.recover(true, false);
    world.run(1_000);
    world.recover(true, true);
    world.run(1_000);
    world.end("recover", second);
    world.run(1_000);
    world.end("recover", first);
    world
}

#[test]
fn s29_holds_when_one_of_two_is_refused() {
    use OperationEnd::{Done, Refused};
    holds(&rivals(Done, Refused).close("done"), "S29");
    holds(&rivals(Refused, Done).close("done"), "S29");
}

#[test]
fn s29_is_violated_when_both_go_on() {
    use OperationEnd::{Done, Holding};
    is_violated(&rivals(Done, Done).close("done"), "S29");
    is_violated(&rivals(Done, Holding).close("done"), "S29");
}

#[test]
fn s29_is_unknown_when_one_broke_off_or_did_not_end() {
    let broken = rivals(OperationEnd::Done, OperationEnd::Failed);
    is_unknown(&broken.close("done"), "S29");
    let mut world = recoverable();
    world.recover(true, false);
    world.recover(true, true);
    world.end("recover", OperationEnd::Refused);
    is_unknown(&world.close("done"), "S29");
}

#[test]
fn s29_is_not_judged_of_one_after_the_other_or_of_one_that_goes_on() {
    let mut world = recoverable();
    world.recover(false, false);
    world.end("recover", OperationEnd::Done);
    world.recover(false, false);
    world.end("recover", OperationEnd::Done);
    is_not_judged(&world.close("done"), "S29");
    let mut world = World::new(3);
    world.start("bootstrap", false);
    world.start("resume", false);
    world.end("resume", OperationEnd::Done);
    is_not_judged(&world.close("done"), "S29");
}

// === L10 ===

/// A recovery from a snapshot that is done, in a bent world.
fn restored(bend: impl FnOnce(&mut World), for_ms: u64) -> World {
    let mut world = recoverable();
    world.recover(true, false);
    bend(&mut world);
    world.run(5_000);
    world.end("recover", OperationEnd::Done);
    world.run(for_ms);
    world
}

#[test]
fn l10_holds_when_everything_is_back_and_nothing_is_stale() {
    let back = restored(|world| world.read_nodes(|_| true), 2_000);
    holds(&back.close("done"), "L10");
    is_not_judged(&recoverable().close("done"), "L10");
}

#[test]
fn l10_is_violated_when_something_does_not_return() {
    let silent = |world: &mut World| {
        world.read_nodes(|_| true);
        world.api_fails = true;
    };
    is_violated(&restored(silent, 185_000).close("done"), "L10");
    let stale = |world: &mut World| world.read_nodes(|number| number != 3);
    is_violated(&restored(stale, 185_000).close("done"), "L10");
    is_unknown(&restored(stale, 100_000).close("done"), "L10");
    let elsewhere = |world: &mut World| {
        world.read_nodes(|_| true);
        let mut remembered = world.pods[0].clone();
        remembered.node = Some(cp(9));
        world.pods.push(remembered);
    };
    is_violated(&restored(elsewhere, 185_000).close("done"), "L10");
    let fewer = |world: &mut World| {
        world.read_nodes(|_| true);
        world.machine(3).processes.remove(&SELF_HOSTED);
    };
    is_violated(&restored(fewer, 185_000).close("done"), "L10");
}

#[test]
fn l10_is_violated_by_a_recovery_that_is_not_done_and_leaves_a_later_fault_to_others() {
    let mut world = recoverable();
    world.recover(true, false);
    world.end("recover", OperationEnd::Failed);
    is_violated(&world.close("done"), "L10");
    let killed = |world: &mut World| {
        world.run(400);
        world.fault(kill(Component::KubeScheduler), &[cp(2)], &["one"]);
    };
    is_not_judged(&restored(killed, 185_000).close("done"), "L10");
}

#[test]
fn l10_does_not_judge_a_recovery_that_was_refused_unless_it_is_a_second_try() {
    let refused = |world: &mut World| {
        world.recover(true, false);
        world.end("recover", OperationEnd::Refused);
    };
    let mut once = recoverable();
    refused(&mut once);
    is_not_judged(&once.close("refused"), "L10");
    let mut again = recoverable();
    again.recover(true, false);
    again.end("recover", OperationEnd::Killed);
    refused(&mut again);
    is_violated(&again.close("refused"), "L10");
    let mut rival = recoverable();
    rival.recover(true, false);
    rival.recover(true, true);
    rival.end("recover", OperationEnd::Refused);
    is_violated(&rival.close("done"), "L10");
}
