//! Great losses and the return from them: L6 to L9, and what they cost.

use terms::{Component, Delete, Fault, Resource};

use crate::checkpoints::{APISERVER, COPY, bent};
use crate::liveness::budget;
use crate::runner::{kill, node_fault};
use crate::story::{Story, cp, holds, is_not_judged, is_unknown, is_violated};
use crate::world::{SELF_HOSTED, World};

// === L6 ===

/// Every control-plane node loses its power and gets it back after some seconds.
fn power_loss(world: &mut World) {
    for number in 1..=3 {
        world.machine(number).off = true;
    }
    world.run(400);
    let all = [cp(1), cp(2), cp(3)];
    world.fault(Fault::PowerOff(node_fault()), &all, &["all"]);
    world.run(5_000);
    for number in 1..=3 {
        world.heal(number);
    }
}

#[test]
fn l6_holds_when_api_and_control_plane_return() {
    holds(&bent(power_loss, 8_000), "L6");
}

#[test]
fn l6_is_violated_when_the_api_does_not_return() {
    let dead = |world: &mut World| {
        power_loss(world);
        world.api_fails = true;
    };
    is_violated(&bent(dead, 125_000), "L6");
}

#[test]
fn l6_is_violated_when_copies_stay_in_charge() {
    let copies = |world: &mut World| {
        power_loss(world);
        let manifest = "checkpoint-kube-apiserver.json".to_owned();
        world.machine(1).manifests.insert(manifest);
    };
    is_unknown(&bent(copies, 100_000), "L6");
    is_violated(&bent(copies, 185_000), "L6");
}

#[test]
fn l6_is_not_judged_where_nothing_need_return() {
    let unjudged = |world: &mut World| {
        budget(world, "control_plane_return", None);
        power_loss(world);
        world.api_fails = true;
    };
    is_not_judged(&bent(unjudged, 8_000), "L6");
}

#[test]
fn l6_counts_from_the_last_power() {
    let slow = |world: &mut World| {
        power_loss(world);
        world.power_off(2);
        world.run(200_000);
        world.heal(2);
    };
    holds(&bent(slow, 8_000), "L6");
}

#[test]
fn l6_asks_for_the_api_alone_before_the_procedure_was_done() {
    let lost = |returns: bool| {
        let mut world = World::new(1);
        world.serve_bootstrap();
        world.power_off(1);
        world.run(2_000);
        world.heal(1);
        world.api_fails = !returns;
        world.run(122_000);
        world.close("open")
    };
    holds(&lost(true), "L6");
    is_violated(&lost(false), "L6");
    // Nobody had written anything that could be missed.
    let mut world = World::new(1);
    world.start("bootstrap", false);
    world.power_off(1);
    world.run(2_000);
    world.heal(1);
    world.run(122_000);
    is_not_judged(&world.close("open"), "L6");
}

// === L7, L8, L9 ===

fn delete(component: Component) -> Fault {
    Fault::Delete(Delete {
        kind: Resource::Pod,
        namespace: Some("kube-system".to_owned()),
        name: None,
        selector: Some(format!("k8s-app={component}")),
        limit: None,
    })
}

/// All pods of a component are deleted; others come for them.
fn replace(world: &mut World, component: Component, comes: bool) {
    let names = ["1", "2", "3"].map(|name| format!("{component}-{name}"));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.run(400);
    world.fault(delete(component), &[], &names);
    world.pods.retain_mut(|pod| {
        pod.uid.push_str("-new");
        comes || pod.component != component
    });
}

#[test]
fn l7_and_l8_hold_when_others_come_and_are_violated_when_nobody_does() {
    for (component, id) in [
        (APISERVER, "L7"),
        (Component::KubeScheduler, "L8"),
        (Component::KubeControllerManager, "L8"),
    ] {
        holds(&bent(|world| replace(world, component, true), 8_000), id);
        is_violated(&bent(|world| replace(world, component, false), 185_000), id);
    }
}

#[test]
fn l8_is_violated_when_pods_are_back_and_nobody_leads() {
    let leaderless = |world: &mut World| {
        world.leases_stand = true;
        replace(world, Component::KubeScheduler, true);
    };
    is_violated(&bent(leaderless, 185_000), "L8");
}

#[test]
fn l9_holds_when_the_processes_return() {
    let all = [cp(1), cp(2), cp(3)];
    let loss = |world: &mut World| {
        world.run(400);
        world.fault(kill(APISERVER), &all, &["all"]);
    };
    holds(&bent(loss, 8_000), "L9");
    let dead = |world: &mut World| {
        loss(world);
        world.api_fails = true;
    };
    is_violated(&bent(dead, 125_000), "L9");
}

// === what a loss cost ===

fn figure(story: &Story, name: &str) -> Option<u64> {
    story.verdict().figures.get(name).copied()
}

#[track_caller]
fn took(story: &Story, name: &str, least_ms: u64) {
    let figure = figure(story, name).expect("it was seen");
    let about = least_ms..least_ms + 1_000;
    assert!(about.contains(&figure), "{name}: {figure} ms");
}

fn put_copies(world: &mut World, are_there: bool) {
    for number in 1..=3 {
        let machine = world.machine(number);
        let manifest = "checkpoint-kube-apiserver.json".to_owned();
        if are_there {
            machine.manifests.insert(manifest);
            machine.processes.insert(COPY, 80);
        } else {
            machine.manifests.remove(&manifest);
            machine.processes.remove(&COPY);
        }
    }
}

/// All power goes and returns; the API is silent for 8 s more, the pods are ready after 4 s more, and the copies
/// go after another 6 s.
fn slow_return(world: &mut World) {
    power_loss(world);
    world.api_fails = true;
    put_copies(world, true);
    world.run(8_000);
    world.api_fails = false;
    for pod in &mut world.pods {
        pod.ready = false;
    }
    world.run(4_000);
    for pod in &mut world.pods {
        pod.ready = true;
    }
    world.run(6_000);
    put_copies(world, false);
}

#[test]
fn the_return_from_a_loss_of_power_has_three_parts() {
    let story = bent(slow_return, 2_000);
    took(&story, "api_return_ms", 8_000);
    took(&story, "control_plane_return_ms", 12_000);
    took(&story, "redundancy_restored_ms", 18_000);
    assert_eq!(figure(&story, "writes_lost_count"), Some(0));
    let power_off = &story.verdict().fidelity["power_off"];
    assert_eq!(power_off, "exact");
}

#[test]
fn a_part_of_the_return_that_was_not_seen_has_no_figure() {
    let dead = |world: &mut World| {
        power_loss(world);
        world.api_fails = true;
    };
    let copied = |world: &mut World| {
        power_loss(world);
        put_copies(world, true);
    };
    let all = [
        "api_return_ms",
        "control_plane_return_ms",
        "redundancy_restored_ms",
    ];
    for (bend, seen) in [
        (&dead as &dyn Fn(&mut World), [false, false, false]),
        (&copied, [true, true, false]),
    ] {
        let story = bent(bend, 20_000);
        assert_eq!(all.map(|name| figure(&story, name).is_some()), seen);
    }
    // A loss that comes later begins all of them anew.
    let again = |world: &mut World| {
        slow_return(world);
        world.run(2_000);
        dead(world);
    };
    let story = bent(again, 20_000);
    assert_eq!(all.map(|name| figure(&story, name)), [None; 3]);
}

#[test]
fn the_return_from_a_reboot_counts_from_its_proof() {
    let reboot = |world: &mut World| {
        let all = [cp(1), cp(2), cp(3)];
        world.run(400);
        world.fault(Fault::Reboot(node_fault()), &all, &["all"]);
        world.api_fails = true;
        world.run(6_000);
        world.api_fails = false;
    };
    took(&bent(reboot, 8_000), "api_return_ms", 6_000);
}

#[test]
fn what_a_deleted_apiserver_still_answers_is_no_return() {
    let delete_all = |world: &mut World| {
        replace(world, APISERVER, true);
        // They end gracefully, and others take their place at once.
        world.run(5_000);
        for number in 1..=3 {
            world.machine(number).processes.insert(SELF_HOSTED, 900);
        }
    };
    took(&bent(delete_all, 8_000), "api_return_ms", 5_000);
    let never = |world: &mut World| replace(world, APISERVER, true);
    assert_eq!(figure(&bent(never, 8_000), "api_return_ms"), None);
}

#[test]
fn one_instance_of_several_is_no_loss_of_a_control_plane() {
    let one = |world: &mut World| {
        world.run(400);
        world.fault(kill(APISERVER), &[cp(2)], &["one"]);
    };
    let story = bent(one, 8_000);
    assert_eq!(figure(&story, "api_return_ms"), None);
    took(&story, "redundancy_restored_ms", 3_000);
}

#[test]
fn lost_writes_are_counted_once_something_was_done_to_the_cluster() {
    let lose = |world: &mut World| {
        let lost: Vec<u64> = world.keys.iter().take(3).copied().collect();
        for key in lost {
            world.keys.remove(&key);
        }
    };
    let lossy = |world: &mut World| {
        lose(world);
        power_loss(world);
    };
    assert_eq!(figure(&bent(lossy, 8_000), "writes_lost_count"), Some(3));
    assert_eq!(figure(&bent(lose, 8_000), "writes_lost_count"), None);
}
