//! Walks of the machine, input by input.

mod bench;

use bench::{Bench, perfect};
use pivot::{
    ComponentSet, Durable, Effect, Effects, Facts, Input, NodeSet, OnTimeout, Outcome, Plan, Stage,
    StageKind, State, Task, Timer, Why, bootkube, modern, resume, step,
};
use terms::{Component, Moment};

fn walk_to(plan: &Plan, facts: Facts, step: &str) -> Bench {
    let mut bench = Bench::new(plan.clone(), facts);
    bench.hold_at = Some(step.to_owned());
    bench.run();
    assert!(
        bench.held_at.is_some(),
        "{step} was not reached: {:?}",
        bench.state
    );
    bench
}

#[test]
fn modern_announces_every_step_in_order_and_finishes() {
    let plan = modern();
    let mut bench = Bench::new(plan.clone(), perfect(3));
    bench.run();
    let expected: Vec<String> = plan
        .stages
        .iter()
        .map(|stage| stage.step.to_string())
        .collect();
    assert_eq!(bench.completed, expected);
    assert!(bench.state.is_done() && bench.finished, "{:?}", bench.state);
    assert_eq!(bench.started.first(), Some(&Task::ClaimCluster));
    let last = &bench.started[bench.started.len() - 2..];
    assert_eq!(last, [Task::VerifyApi, Task::DestroyStash]);
}

#[test]
fn bootkube_deletes_the_secrets_before_the_manifests_and_remembers_nothing() {
    let mut bench = Bench::new(bootkube(), perfect(1));
    bench.run();
    assert!(bench.finished);
    assert_eq!(bench.durable, None);
    let removal = &bench.started[bench.started.len() - 4..];
    assert_eq!(removal[0], Task::DeleteSecrets);
    assert_eq!(removal[1], Task::DeleteManifest(Component::KubeApiserver));
    assert!(!bench.started.contains(&Task::ClaimCluster));
}

#[test]
fn a_gate_that_never_holds_ends_in_holding_with_the_bootstrap_control_plane_untouched() {
    let mut facts = perfect(3);
    facts.pods = [None; Facts::MOST_PODS];
    let mut bench = Bench::new(modern(), facts);
    bench.run();
    assert_eq!(
        bench.held,
        Some(("pods-scheduled".to_owned(), Why::StageOverdue))
    );
    assert_eq!(bench.bootstrap_running, 7);
    assert!(
        !bench
            .started
            .iter()
            .any(|task| matches!(task, Task::StashManifest(_)))
    );
    let durable = bench.durable.expect("modern remembers");
    assert_eq!(durable.holding, Some(Why::StageOverdue));
    // Running again tries the same stage again, and goes on once the pods are there.
    bench.facts = perfect(3);
    bench.restart();
    bench.run();
    assert!(bench.finished, "{:?}", bench.state);
}

#[test]
fn bootkube_tears_down_when_its_gate_never_holds() {
    let mut facts = perfect(3);
    facts.pods = [None; Facts::MOST_PODS];
    let mut bench = Bench::new(bootkube(), facts);
    bench.run();
    assert_eq!(bench.bootstrap_running, 0);
    assert!(bench.started.contains(&Task::DeleteSecrets));
    assert_eq!(
        bench.held,
        Some(("bootstrap-removed".to_owned(), Why::StageOverdue))
    );
    assert!(!bench.finished, "a failed bootstrap is not done");
}

#[test]
fn controllers_that_do_not_take_the_leases_bring_the_bootstrap_ones_back() {
    let mut facts = perfect(3);
    facts.leases[0].age_ds = 40;
    let mut bench = Bench::new(modern(), facts);
    bench.run();
    assert_eq!(
        bench.held,
        Some(("controllers-handed-over".to_owned(), Why::LeasesNotTaken))
    );
    assert!(bench.reinstated);
    assert_eq!(bench.bootstrap_running, 7);
    let durable = bench.durable.expect("modern remembers");
    assert!(
        !durable.reinstating,
        "what was put back is not put back again"
    );
    bench.facts = perfect(3);
    bench.restart();
    bench.run();
    assert!(bench.finished, "{:?}", bench.state);
    assert_eq!(
        bench
            .entered
            .iter()
            .filter(|step| *step == "self-hosted-serving")
            .count(),
        2
    );
}

/// An apiserver that the load balancer does not list, or one that it lists and that does not serve, replaces nothing.
#[test]
fn nothing_is_taken_away_before_the_load_balancer_lists_one_that_serves() {
    let mut facts = perfect(3);
    facts.apiservers.self_hosted = NodeSet(0b011);
    facts.apiservers.listed = NodeSet(0b100);
    let mut bench = Bench::new(modern(), facts);
    bench.run();
    let (step, _) = bench.held.clone().expect("it waits in vain and holds");
    assert_eq!(step, "self-hosted-serving");
    assert_eq!(bench.bootstrap_running, 7);
    let mut forgets = modern();
    forgets.rules.load_balancer = false;
    let mut bench = Bench::new(forgets, facts);
    bench.run();
    assert!(bench.finished, "{:?}", bench.state);
}

#[test]
fn the_guard_is_judged_again_before_anything_is_taken_away() {
    let mut bench = walk_to(&modern(), perfect(3), "controllers-handed-over");
    let mut facts = perfect(3);
    facts.ready = NodeSet(0b1111_0001);
    bench.facts = facts;
    bench.release();
    bench.run();
    assert_eq!(
        bench.held,
        Some(("controllers-handed-over".to_owned(), Why::StageOverdue))
    );
    assert_eq!(bench.bootstrap_running, 7, "nothing was taken away");
    assert!(!bench.reinstated, "and nothing had to be put back");
}

#[test]
fn a_verification_that_fails_for_good_puts_secrets_and_then_manifests_back() {
    let mut bench = walk_to(&modern(), perfect(3), "verified");
    bench
        .outcomes
        .push((Task::VerifyApi, Outcome::Refused(Why::VerificationFailed)));
    bench.started.clear();
    bench.release();
    bench.run();
    assert_eq!(
        bench.held,
        Some(("verified".to_owned(), Why::VerificationFailed))
    );
    assert_eq!(bench.started[1], Task::StageSecrets);
    assert_eq!(
        bench.started[2],
        Task::PlaceManifest(Component::KubeApiserver)
    );
    assert_eq!(bench.bootstrap_running, 7);
}

#[test]
fn a_stash_that_cannot_be_destroyed_does_not_bring_anything_back() {
    let mut bench = walk_to(&modern(), perfect(3), "verified");
    bench
        .outcomes
        .push((Task::DestroyStash, Outcome::Failed(Why::Disk)));
    bench.release();
    bench.run();
    assert_eq!(bench.held, Some(("verified".to_owned(), Why::Disk)));
    assert!(!bench.reinstated);
    assert_eq!(bench.bootstrap_running, 0);
}

#[test]
fn somebody_elses_cluster_is_refused_before_anything_is_written() {
    for plan in [
        modern(),
        Plan {
            rules: pivot::Rules {
                on_timeout: OnTimeout::TearDown,
                ..modern().rules
            },
            ..modern()
        },
    ] {
        let mut bench = Bench::new(plan, perfect(3));
        bench
            .outcomes
            .push((Task::ClaimCluster, Outcome::Refused(Why::ForeignCluster)));
        bench.run();
        assert_eq!(
            bench.held,
            Some(("secrets-staged".to_owned(), Why::ForeignCluster))
        );
        assert_eq!(bench.durable, None);
        assert_eq!(bench.started, [Task::ClaimCluster]);
    }
}

#[test]
fn a_stale_attempt_is_ignored() {
    let plan = modern();
    let (state, _) = resume(&plan, None);
    let (state, effects) = step(&plan, state, Input::Released(0, Moment::Entered));
    let attempt = effects
        .iter()
        .find_map(|effect| {
            if let Effect::Start(_, attempt) = effect {
                Some(attempt)
            } else {
                None
            }
        })
        .expect("the first stage starts a task");
    let stale = Input::Finished(Task::ClaimCluster, attempt.wrapping_sub(1), Outcome::Done);
    let (after, effects) = step(&plan, state, stale);
    assert_eq!(after, state);
    assert!(effects.is_empty());
}

#[test]
fn a_failed_task_is_tried_again_with_a_new_attempt() {
    let plan = modern();
    let (state, _) = resume(&plan, None);
    let (state, _) = step(&plan, state, Input::Released(0, Moment::Entered));
    let (state, effects) = step(
        &plan,
        state,
        Input::Finished(Task::ClaimCluster, 1, Outcome::Failed(Why::Disk)),
    );
    assert_eq!(
        effects.iter().collect::<Vec<_>>(),
        [Effect::Arm(Timer::Retry)]
    );
    let (_, effects) = step(&plan, state, Input::Elapsed(Timer::Retry));
    assert_eq!(
        effects.iter().collect::<Vec<_>>(),
        [Effect::Start(Task::ClaimCluster, 2)]
    );
}

/// The state in which `checkpoints-armed` was released, and what followed.
fn entered_arming(plan: &Plan) -> (State, Effects, u8) {
    let is_arming = |stage: &Stage| stage.step.as_str() == "checkpoints-armed";
    let stage = plan.stages.iter().position(is_arming);
    let stage = stage.and_then(|stage| u8::try_from(stage).ok());
    let stage = stage.expect("the plan arms checkpoints");
    let durable = Durable {
        stage: stage - 1,
        completed: true,
        holding: None,
        reinstating: false,
        done: false,
    };
    let (state, _) = resume(plan, Some(durable));
    let (state, _) = step(plan, state, Input::Released(stage - 1, Moment::Completed));
    let (state, effects) = step(plan, state, Input::Released(stage, Moment::Entered));
    (state, effects, stage)
}

#[test]
fn a_stage_that_is_switched_off_waits_for_nothing() {
    let mut plan = modern();
    let (_, _, stage) = entered_arming(&plan);
    plan.stages[usize::from(stage)].kind = StageKind::Arm(ComponentSet::NONE);
    let (_, effects, _) = entered_arming(&plan);
    let said = Effect::Announce(stage, Moment::Completed);
    assert_eq!(effects.iter().last(), Some(said));
}

#[test]
fn arming_waits_for_every_node_that_hosts_an_apiserver_and_for_no_other() {
    let plan = modern();
    let (state, _, stage) = entered_arming(&plan);
    let passes = |facts: Facts| {
        let (_, effects) = step(&plan, state, Input::Facts(facts));
        effects
            .iter()
            .any(|effect| effect == Effect::Announce(stage, Moment::Completed))
    };
    let perfect = perfect(3);
    assert!(passes(perfect));
    for component in 0..3 {
        let mut lacking = perfect;
        lacking.armed[component] = NodeSet::first(2);
        assert!(
            !passes(lacking),
            "cp-3 could not start component {component}"
        );
        lacking.apiservers.self_hosted = NodeSet::first(2);
        assert!(!passes(lacking), "cp-3 serves nothing yet, and hosts one");
        for pod in lacking
            .pods
            .iter_mut()
            .flatten()
            .filter(|pod| pod.node == Some(2))
        {
            pod.fresh = false;
        }
        assert!(passes(lacking), "nobody hears of cp-3");
    }
    let mut dark = perfect;
    dark.pods_known = false;
    assert!(!passes(dark), "nobody can say who hosts one");
}
