//! Checkpoints: S5b, S16, S17 and S19 to S21.

use oracle::observation::Step;
use oracle::{Sighting, Source};
use terms::{Actor, Component, Fault, Incarnation, Moment, Tear};

use crate::runner::node_fault;
use crate::story::{Story, cp, holds, is_not_judged, is_unknown, is_violated};
use crate::world::{AGENT, World, agent, version};

pub(crate) const APISERVER: Component = Component::KubeApiserver;
pub(crate) const COPY: (Component, Option<Incarnation>) =
    (APISERVER, Some(Incarnation::Checkpoint));

fn undisturbed() -> Story {
    World::done(3).close("done")
}

/// A cluster that is done, bent, and watched for some time more.
pub(crate) fn bent(bend: impl FnOnce(&mut World), for_ms: u64) -> Story {
    let mut world = World::done(3);
    bend(&mut world);
    world.run(for_ms);
    world.close("done")
}

#[test]
fn an_undisturbed_story_holds_what_is_said_of_checkpoints() {
    for id in ["S5b", "S16", "S17", "S18", "S19", "S21"] {
        holds(&undisturbed(), id);
    }
    for id in ["S20", "L6", "L7", "L8", "L9"] {
        is_not_judged(&undisturbed(), id);
    }
}

// === S5b ===

#[test]
fn s5b_is_violated_when_one_node_has_no_complete_checkpoint_at_the_teardown() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.machine(2).checkpoints[0].complete = false;
    world.hand_over();
    world.remove_bootstrap();
    world.finish();
    is_violated(&world.close("done"), "S5b");
}

#[test]
fn s5b_is_unknown_when_a_node_was_not_seen_at_the_teardown() {
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.machine(2).silent = true;
    world.run(4_000);
    world.hand_over();
    world.remove_bootstrap();
    world.machine(2).silent = false;
    world.finish();
    is_unknown(&world.close("done"), "S5b");
}

#[test]
fn s5b_asks_a_node_that_came_back_only_once_it_has_hosted_for_two_seconds() {
    let back_for = |ms: u64| {
        let mut world = World::new(3);
        world.serve_bootstrap();
        world.serve_self_hosted();
        world.power_off(2);
        world.machine(2).checkpoints.clear();
        world.hand_over();
        world.heal(2);
        world.run(ms);
        world.remove_bootstrap();
        world.finish();
        world.close("done")
    };
    holds(&back_for(600), "S5b");
    is_violated(&back_for(3_000), "S5b");
}

#[test]
fn s5b_believes_an_agent_until_the_next_look() {
    let removed = |is_said: bool, then: &dyn Fn(&mut World)| {
        let mut world = World::new(3);
        world.serve_bootstrap();
        world.serve_self_hosted();
        world.machine(2).checkpoints[0].complete = false;
        world.hand_over();
        world.machine(2).silent = true;
        if is_said {
            world.agent_saved(2);
        }
        world.machine(1).manifests.remove(crate::world::APISERVER);
        world.run(400);
        world.machine(2).silent = false;
        then(&mut world);
        world.remove_bootstrap();
        world.finish();
        world.close("done")
    };
    let truly = |world: &mut World| world.machine(2).checkpoints[0].complete = true;
    let falsely = |_: &mut World| {};
    holds(&removed(true, &truly), "S5b");
    is_violated(&removed(true, &falsely), "S5b");
    is_violated(&removed(false, &truly), "S5b");
    // A look that cannot see checkpoints says nothing of the promise.
    let blindly = |world: &mut World| {
        world.machine(2).blind = true;
        world.run(400);
        world.machine(2).blind = false;
        truly(world);
    };
    holds(&removed(true, &blindly), "S5b");
    // What is taken back was no removal, whatever the agent had promised.
    let taken_back = |world: &mut World| {
        world.run(400);
        world
            .machine(1)
            .manifests
            .insert(crate::world::APISERVER.to_owned());
        world.run(400);
        truly(world);
        world.run(400);
    };
    holds(&removed(true, &taken_back), "S5b");
}

// === blind observers ===

#[test]
fn nothing_is_said_of_checkpoints_where_the_observer_could_not_look() {
    let blind = |world: &mut World| world.machine(2).blind = true;
    for id in ["S16", "S17", "S18", "S19", "S21"] {
        is_unknown(&bent(blind, 1_000), id);
    }
    let for_a_while = |world: &mut World| {
        blind(world);
        world.run(2_000);
        world.machine(2).blind = false;
    };
    for id in ["S16", "S17", "S18", "S19", "S21"] {
        holds(&bent(for_a_while, 1_000), id);
    }
    let mut world = World::new(3);
    world.serve_bootstrap();
    world.serve_self_hosted();
    world.machine(2).blind = true;
    world.hand_over();
    world.remove_bootstrap();
    world.machine(2).blind = false;
    world.finish();
    is_unknown(&world.close("done"), "S5b");
}

#[test]
fn s6_is_unknown_while_a_blind_observer_may_overlook_a_checkpoint() {
    let dead = |world: &mut World| {
        lose_apiservers(world);
        lose_checkpoints(world);
        world.machine(3).blind = true;
    };
    is_unknown(&bent(dead, 8_000), "S6");
}

// === S6 ===

/// No apiserver runs, and no kubelet knows of one.
fn lose_apiservers(world: &mut World) {
    for number in 1..=3 {
        let machine = world.machine(number);
        machine
            .processes
            .retain(|(component, _), _| *component != APISERVER);
        machine.kubelet += 1;
    }
}

fn lose_checkpoints(world: &mut World) {
    for number in 1..=3 {
        world.machine(number).checkpoints.clear();
    }
}

#[test]
fn s6_holds_while_an_agent_can_start_an_apiserver() {
    holds(&bent(lose_apiservers, 5_000), "S6");
    let torn = |world: &mut World| {
        lose_apiservers(world);
        lose_checkpoints(world);
    };
    is_violated(&bent(torn, 5_000), "S6");
}

#[test]
fn s6_does_not_count_a_copy_whose_version_is_torn() {
    let copied = |world: &mut World, complete: bool| {
        for number in 1..=3 {
            let machine = world.machine(number);
            machine
                .processes
                .retain(|(component, _), _| *component != APISERVER);
            machine.kubelet += 1;
            // No agent is left that could start another one.
            machine.agents.clear();
            let manifest = "checkpoint-kube-apiserver.json".to_owned();
            machine.manifests = [manifest].into();
            machine.checkpoints.truncate(1);
            machine.checkpoints[0].complete = complete;
        }
    };
    holds(&bent(|world| copied(world, true), 5_000), "S6");
    is_violated(&bent(|world| copied(world, false), 5_000), "S6");
}

// === S16, S17 ===

#[test]
fn s16_is_violated_by_what_could_be_activated_and_is_not_whole() {
    let torn = |world: &mut World| world.machine(1).checkpoints[0].complete = false;
    is_violated(&bent(torn, 1_000), "S16");
    let mixed = |world: &mut World| world.machine(1).checkpoints[0].mixed = true;
    is_violated(&bent(mixed, 1_000), "S16");
}

#[test]
fn s16_is_violated_by_a_manifest_that_refers_to_nothing() {
    let dangling = |world: &mut World| {
        let mut nothing = version(APISERVER, "");
        nothing.complete = false;
        world.machine(1).checkpoints.push(nothing);
    };
    is_violated(&bent(dangling, 1_000), "S16");
}

#[test]
fn s16_is_not_violated_by_one_look_or_by_what_is_being_written() {
    let mut world = World::done(3);
    world.machine(1).checkpoints[0].complete = false;
    world.run(200);
    world.machine(1).checkpoints[0].complete = true;
    world.run(1_000);
    holds(&world.close("done"), "S16");
    let written = |world: &mut World| {
        let mut next = version(APISERVER, "g2");
        (next.complete, next.prepared) = (false, false);
        world.machine(1).checkpoints.push(next);
    };
    holds(&bent(written, 1_000), "S16");
}

#[test]
fn s16_blames_nobody_for_what_a_fault_tore_until_it_is_started() {
    let file = "cp-1:/var/lib/selfhost/checkpoints/kube-apiserver/g1/manifest.json";
    let tear = |world: &mut World, file: &str| {
        let tear = Tear {
            node: node_fault().node,
            path: file.to_owned(),
            keep_bytes: 0,
            bind: None,
        };
        world.fault(Fault::Tear(tear), &[cp(1)], &[file]);
        let mut versions = world.machine(1).checkpoints.iter_mut();
        let own = versions.find(|version| version.component == APISERVER);
        own.expect("it was saved").complete = false;
    };
    holds(&bent(|world| tear(world, file), 1_000), "S16");
    let elsewhere = file.replace("/g1/", "/g0/");
    is_violated(&bent(|world| tear(world, &elsewhere), 1_000), "S16");
    let started = |world: &mut World| {
        tear(world, file);
        let manifest = "checkpoint-kube-apiserver.json".to_owned();
        world.machine(1).manifests.insert(manifest);
    };
    is_violated(&bent(started, 1_000), "S16");
}

#[test]
fn s17_is_violated_by_a_reference_to_the_api() {
    let bend = |world: &mut World| {
        let references = &mut world.machine(1).checkpoints[0].references;
        references.insert("serviceAccountName".to_owned());
    };
    is_violated(&bent(bend, 400), "S17");
}

// === S19 ===

#[test]
fn s19_is_violated_by_two_that_act_and_by_a_lost_protection() {
    let two = |world: &mut World| world.machine(2).agents = vec![agent(70, true), agent(71, true)];
    is_violated(&bent(two, 1_000), "S19");
    let bare = |world: &mut World| {
        world.machine(2).manifests.remove(AGENT);
    };
    is_violated(&bent(bare, 1_000), "S19");
    let no_parent = |world: &mut World| {
        world.pods.retain(|pod| pod.node != Some(cp(2)));
        world.run(400);
        world.machine(2).manifests.remove(AGENT);
    };
    holds(&bent(no_parent, 1_000), "S19");
}

// === S20 ===

#[test]
fn s20_is_violated_beyond_the_window() {
    let beside = |world: &mut World| {
        world.machine(1).processes.insert(COPY, 90);
    };
    holds(&bent(beside, 40_000), "S20");
    is_violated(&bent(beside, 46_000), "S20");
}

#[test]
fn s20_is_not_violated_while_the_parent_is_not_ready() {
    let beside = |world: &mut World| {
        world.machine(1).processes.insert(COPY, 90);
        for pod in &mut world.pods {
            pod.ready = false;
        }
    };
    is_not_judged(&bent(beside, 60_000), "S20");
}

#[test]
fn s20_does_not_count_while_the_agent_is_held() {
    let step = |held: bool| {
        Sighting::Step(Step {
            actor: Actor("checkpoint@cp-1".to_owned()),
            step: "kube-apiserver-retired".into(),
            moment: Moment::Entered,
            occurrence: 1,
            held,
            reason: None,
        })
    };
    let beside = |world: &mut World, held: bool| {
        world.machine(1).processes.insert(COPY, 90);
        world.run(12_000);
        world.story.tell(world.now_ms, Source::Steps, step(held));
        world.run(40_000);
        world.story.tell(world.now_ms, Source::Steps, step(false));
        world.run(20_000);
        world.machine(1).processes.remove(&COPY);
    };
    holds(&bent(|world| beside(world, true), 1_000), "S20");
    is_violated(&bent(|world| beside(world, false), 1_000), "S20");
}

// === S21 ===

#[test]
fn s21_is_violated_by_a_revision_that_was_not_ready_for_long_enough() {
    let replace = |world: &mut World| {
        for pod in &mut world.pods {
            pod.uid.push_str("-new");
        }
        world.run(1_000);
        world.machine(1).checkpoints.push(version(APISERVER, "g2"));
    };
    is_violated(&bent(replace, 400), "S21");
    let patient = |world: &mut World| {
        for pod in &mut world.pods {
            pod.uid.push_str("-new");
        }
        world.run(6_000);
        world.machine(1).checkpoints.push(version(APISERVER, "g2"));
    };
    holds(&bent(patient, 400), "S21");
}

#[test]
fn s21_allows_for_readings_that_are_far_apart() {
    // A loaded host reads the pods once in four seconds: who is ready by then may have been so for as long.
    let replace_unread = |unread_ms: u64| {
        move |world: &mut World| {
            world.api_fails = true;
            for pod in &mut world.pods {
                pod.uid.push_str("-new");
            }
            world.run(unread_ms);
            world.api_fails = false;
            world.run(400);
            world.machine(1).checkpoints.push(version(APISERVER, "g2"));
        }
    };
    holds(&bent(replace_unread(4_000), 400), "S21");
    is_violated(&bent(replace_unread(2_000), 400), "S21");
    // So long that what was seen before says nothing any more.
    is_unknown(&bent(replace_unread(8_000), 400), "S21");
}

#[test]
fn s21_takes_the_first_look_after_a_loss_of_power_for_no_saving() {
    let lose_power_after = |ready_ms: u64| {
        move |world: &mut World| {
            for pod in &mut world.pods {
                pod.uid.push_str("-new");
            }
            world.run(ready_ms);
            world.machine(1).off = true;
            for pod in world.pods.iter_mut().filter(|pod| pod.node == Some(cp(1))) {
                pod.ready = false;
            }
            world.run(8_000);
            world.machine(1).off = false;
            world.machine(1).checkpoints.push(version(APISERVER, "g2"));
        }
    };
    holds(&bent(lose_power_after(6_000), 400), "S21");
    is_violated(&bent(lose_power_after(2_000), 400), "S21");
}

#[test]
fn s21_is_unknown_when_pods_could_not_be_read() {
    let blind = |world: &mut World| {
        world.api_fails = true;
        world.run(8_000);
        world.machine(1).checkpoints.push(version(APISERVER, "g2"));
        world.run(400);
        world.api_fails = false;
    };
    is_unknown(&bent(blind, 1_000), "S21");
}

#[test]
fn s21_asks_the_pods_after_a_silence_since_when_they_have_been_ready() {
    // Agents read from an apiserver that the observer does not reach; what they saw is told later.
    let saved_unread = |ready_ms: u64| {
        move |world: &mut World| {
            world.api_fails = true;
            world.run(8_000);
            let since_us = (world.now_ms - ready_ms) * 1_000;
            for pod in &mut world.pods {
                pod.uid.push_str("-new");
                pod.ready_since_us = Some(since_us);
            }
            world.machine(1).checkpoints.push(version(APISERVER, "g2"));
            world.run(400);
            world.api_fails = false;
        }
    };
    holds(&bent(saved_unread(5_000), 1_000), "S21");
    // It may have been ready before that, too: nobody knows.
    is_unknown(&bent(saved_unread(2_000), 1_000), "S21");
}
