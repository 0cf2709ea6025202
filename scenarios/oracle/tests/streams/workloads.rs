//! A user's workload on a worker: S30.

use oracle::observation::{Answering, ContainerSeen, Gap, NodeInventory, WorkloadSeen};
use oracle::{Sighting, Source};
use terms::{Fault, NodeId};

use crate::runner::node_fault;
use crate::story::{holds, is_not_judged, is_unknown, is_violated};
use crate::world::World;

fn worker() -> NodeId {
    NodeId::new("worker-1")
}

/// A pod of one container that answers.
fn well() -> WorkloadSeen {
    WorkloadSeen {
        containers: vec![container(1)],
        service: Answering::Answers,
    }
}

fn container(starts: u32) -> ContainerSeen {
    ContainerSeen {
        pod: "uid-1".to_owned(),
        name: "server".to_owned(),
        starts,
    }
}

impl World {
    /// So many seconds, in each of which the worker shows this.
    fn shows(&mut self, seconds: u64, workload: &WorkloadSeen) {
        for _ in 0..seconds {
            self.run(1_000);
            let inventory = NodeInventory {
                workload: Some(workload.clone()),
                ..NodeInventory::default()
            };
            let saw = Sighting::NodeInventory(inventory);
            self.story.tell(self.now_ms, Source::Node(worker()), saw);
        }
    }
}

/// The API is away for so long, and the worker shows this meanwhile and this after its return.
fn outage(seconds: u64, meanwhile: &WorkloadSeen, after: &WorkloadSeen) -> World {
    let mut world = World::done(3);
    world.shows(3, &well());
    world.api_fails = true;
    world.shows(seconds, meanwhile);
    world.api_fails = false;
    world.shows(5, after);
    world
}

fn bent(bend: impl FnOnce(&mut WorkloadSeen)) -> WorkloadSeen {
    let mut workload = well();
    bend(&mut workload);
    workload
}

#[test]
fn s30_holds_when_everything_stays_as_it_was() {
    holds(&outage(20, &well(), &well()).close("done"), "S30");
    // Another pod beside it is nobody's loss.
    let more = bent(|workload| {
        let mut other = container(7);
        other.pod = "uid-2".to_owned();
        workload.containers.push(other);
    });
    holds(&outage(20, &more, &more).close("done"), "S30");
}

#[test]
fn s30_is_violated_by_a_container_that_was_started_again_or_vanished() {
    let again = bent(|workload| workload.containers = vec![container(2)]);
    let gone = bent(|workload| workload.containers.clear());
    for worse in [again, gone] {
        is_violated(&outage(20, &worse, &worse).close("done"), "S30");
        is_violated(&outage(20, &well(), &worse).close("done"), "S30");
    }
}

#[test]
fn s30_is_violated_by_a_service_that_falls_silent() {
    let silent = bent(|workload| workload.service = Answering::Silent);
    is_violated(&outage(20, &silent, &well()).close("done"), "S30");
}

#[test]
fn s30_knows_nothing_of_a_worker_that_nobody_saw() {
    let mut world = outage(20, &well(), &well());
    world.run(5_000);
    is_unknown(&world.close("done"), "S30");
    let mut world = outage(20, &well(), &well());
    world.api_fails = true;
    world.shows(10, &well());
    let gap = Gap {
        since_us: world.now_ms * 1_000,
        reason: "the observer's stream ended".to_owned(),
    };
    let gap = Sighting::Gap(gap);
    world.story.tell(world.now_ms, Source::Node(worker()), gap);
    world.shows(5, &well());
    is_unknown(&world.close("done"), "S30");
}

#[test]
fn s30_is_not_judged_without_an_outage_a_workload_or_an_untouched_node() {
    let again = bent(|workload| workload.containers = vec![container(2)]);
    is_not_judged(&outage(3, &again, &again).close("done"), "S30");
    let mut world = World::done(3);
    world.api_fails = true;
    world.run(20_000);
    is_not_judged(&world.close("done"), "S30");
    let mut world = outage(20, &again, &again);
    world.fault(Fault::Reboot(node_fault()), &[worker()], &["worker-1"]);
    is_not_judged(&world.close("done"), "S30");
}

#[test]
fn s30_leaves_what_comes_long_after_the_return_to_others() {
    let again = bent(|workload| workload.containers = vec![container(2)]);
    let mut world = outage(20, &well(), &well());
    world.shows(40, &well());
    world.shows(5, &again);
    holds(&world.close("done"), "S30");
}
