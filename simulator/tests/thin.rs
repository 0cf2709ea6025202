//! The thin world itself: it brings a cluster up, and a killed installer ends as an undisturbed one does.

use std::collections::BTreeSet;

use oracle::{Observation, Sighting, Source};
use pivot::{contract, modern};
use simulator::thin::{Happening, Quirk, Run, Scene, When, run_to_end};
use terms::{Component, Moment};

fn steps(run: &Run) -> Vec<(u64, String)> {
    let step = |seen: &Observation| match &seen.saw {
        Sighting::Step(step) => Some((
            seen.end_us / 1_000,
            format!("{} {}", step.step, step.moment),
        )),
        _ => None,
    };
    run.observations.iter().filter_map(step).collect()
}

#[test]
fn an_undisturbed_bootstrap_is_done() {
    for (control_planes, workers) in [(1, 1), (3, 1), (5, 0)] {
        let run = run_to_end(&modern(), &Scene::calm("calm", control_planes, workers));
        assert_eq!(run.end, "done", "{control_planes}: {:#?}", steps(&run));
        assert_eq!(contract::check_log(&modern(), &run.log), Ok(()));
    }
}

#[test]
fn the_same_scene_gives_the_same_observations() {
    let scene = Scene::calm("twice", 3, 1)
        .at(
            "self-hosted-serving",
            Moment::Entered,
            Happening::PowerOff(0),
        )
        .when(When::After(5_000), Happening::PowerOnAll);
    let (one, two) = (run_to_end(&modern(), &scene), run_to_end(&modern(), &scene));
    assert_eq!(one.end, "done", "{:#?}", steps(&one));
    assert_eq!(one.observations, two.observations);
    assert_eq!(one.log, two.log);
}

/// Killed before each effect of the whole procedure, in turn, and started again.
#[test]
fn an_installer_killed_at_any_point_ends_as_an_undisturbed_one_does() {
    for control_planes in [1, 3] {
        let undisturbed = run_to_end(&modern(), &quick(control_planes));
        for effect in 1..=undisturbed.effects {
            let scene = quick(control_planes)
                .when(When::BeforeEffect(effect), Happening::KillInstaller)
                .when(When::After(700), Happening::Resume);
            let run = run_to_end(&modern(), &scene);
            assert_eq!(
                run.end,
                "done",
                "killed before effect {effect}: {:#?}",
                steps(&run)
            );
            assert_eq!(run.missed, [], "effect {effect} was not reached");
            assert_eq!(
                left(&run),
                left(&undisturbed),
                "killed before effect {effect}"
            );
            assert_eq!(
                contract::check_log(&modern(), &run.log),
                Ok(()),
                "effect {effect}"
            );
        }
    }
}

/// The same with the loss of the whole node, which comes back later.
#[test]
fn a_bootstrap_node_that_loses_its_power_at_any_step_ends_as_an_undisturbed_one_does() {
    let undisturbed = run_to_end(&modern(), &quick(3));
    let plan = modern();
    for stage in &plan.stages {
        for moment in [Moment::Entered, Moment::Completed] {
            let scene = quick(3)
                .at(stage.step.as_str(), moment, Happening::PowerOff(0))
                .when(When::After(8_000), Happening::PowerOn(0));
            let run = run_to_end(&plan, &scene);
            assert_eq!(
                run.end,
                "done",
                "{} {moment}: {:#?}",
                stage.step,
                steps(&run)
            );
            assert_eq!(left(&run), left(&undisturbed), "{} {moment}", stage.step);
        }
    }
}

/// Reinstatement killed at any point: the bootstrap control plane is back in the end.
#[test]
fn a_reinstatement_killed_at_any_point_brings_the_bootstrap_control_plane_back() {
    let troubled = || quick(3).with(Quirk::ControllersNeverLead).ending("holding");
    let undisturbed = run_to_end(&modern(), &troubled());
    assert_eq!(undisturbed.end, "holding");
    for effect in undisturbed.effects - 12..=undisturbed.effects {
        let scene = troubled()
            .when(When::BeforeEffect(effect), Happening::KillInstaller)
            .when(When::After(700), Happening::Resume);
        let run = run_to_end(&modern(), &scene);
        assert_eq!(
            run.end,
            "holding",
            "killed before effect {effect}: {:#?}",
            steps(&run)
        );
        let (manifests, _) = left(&run);
        assert_eq!(
            manifests.len(),
            5,
            "etcd, the agent and three temporary ones: {manifests:?}"
        );
    }
}

#[test]
fn an_incident_that_never_comes_is_told() {
    let scene =
        Scene::calm("late", 1, 0).at("no-such-step", Moment::Entered, Happening::KillInstaller);
    let scene = Scene {
        longest_ms: 60_000,
        ..scene
    };
    assert_eq!(run_to_end(&modern(), &scene).missed.len(), 1);
}

#[test]
fn every_component_is_self_hosted_and_on_every_control_plane_node_in_the_end() {
    let run = run_to_end(&modern(), &Scene::calm("calm", 3, 1));
    let pods = run
        .observations
        .iter()
        .rev()
        .find_map(|seen| match &seen.saw {
            Sighting::Pods(pods) => Some(pods),
            _ => None,
        });
    let pods = pods.expect("pods were seen");
    for component in Component::SELF_HOSTED {
        assert_eq!(
            pods.iter()
                .filter(|pod| pod.component == component && pod.ready)
                .count(),
            3
        );
    }
}

fn quick(control_planes: u8) -> Scene {
    Scene {
        watch_every_ms: 5_000,
        ..Scene::calm("quick", control_planes, 0).watched_for(500)
    }
}

/// What is left on the bootstrap node: manifests and bootstrap files.
fn left(run: &Run) -> (BTreeSet<String>, BTreeSet<String>) {
    let inventory =
        run.observations
            .iter()
            .rev()
            .find_map(|seen| match (&seen.saw, &seen.source) {
                (Sighting::NodeInventory(now), Source::Node(node)) if node.as_str() == "cp-1" => {
                    Some(now)
                }
                _ => None,
            });
    let inventory = inventory.expect("the bootstrap node was looked at");
    (
        inventory.manifests.clone(),
        inventory.bootstrap_files.clone(),
    )
}

mod keeps_the_contract {
    //! The driver of the thin world, tried out without a machine.

    use pivot::contract::{self, Broken, Driver};
    use pivot::{Plan, modern};
    use simulator::thin::{Scene, Tried};

    fn tried(check: impl Fn(&mut dyn Driver) -> Result<(), Broken>) {
        let plan = Plan {
            retry_ms: 100,
            ..modern()
        };
        let mut driver = Tried::new(&plan, &Scene::calm("tried", 1, 0));
        assert_eq!(check(&mut driver), Ok(()));
    }

    #[test]
    fn releases_follow_announcements() {
        tried(contract::releases_follow_announcements);
    }

    #[test]
    fn rearmed_timers_replace() {
        tried(contract::rearmed_timers_replace);
    }

    #[test]
    fn disarmed_timers_are_silent() {
        tried(contract::disarmed_timers_are_silent);
    }

    #[test]
    fn persisted_is_found_again() {
        tried(contract::persisted_is_found_again);
    }
}
