//! Logs that are replayed, and plans that are checked.

mod bench;

use bench::{Bench, perfect};
use pivot::{
    Durable, Effect, Effects, Input, LogEntry, Mismatch, Outcome, Plan, PlanError, Task, Timer,
    bootkube, contract, modern, mutants, read_log, replay, resume,
};
use terms::Moment;

#[test]
fn the_plans_that_ship_can_be_followed_and_written() {
    for name in Plan::NAMES {
        let plan = Plan::named(name).expect("a name of the list names a plan");
        assert_eq!(plan.policy, name);
        plan.check().expect("a plan that ships can be followed");
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
    assert_eq!(Plan::named("classic"), None);
    let text = serde_json::to_string(&modern().stages[11]).unwrap();
    assert!(text.contains(r#"{"drain":["kube-apiserver"]}"#), "{text}");
}

#[test]
fn a_recorded_walk_can_be_replayed_and_a_changed_one_cannot() {
    let plan = modern();
    let mut bench = Bench::new(plan.clone(), perfect(3));
    bench.run();
    let text: String = bench
        .log
        .iter()
        .map(|entry| entry.to_line() + "\n")
        .collect();
    let log = read_log(&text).expect("a log can be read back");
    assert_eq!(log, bench.log);
    assert_eq!(replay(&plan, &log), Ok(()));
    assert_eq!(contract::check_log(&plan, &log), Ok(()));
    let Err(Mismatch::Effects { entry, .. }) = replay(&bootkube(), &log) else {
        panic!("another plan gives other effects");
    };
    assert!(entry > 1 && entry < log.len());
    assert_eq!(
        replay(&plan, &log[1..]),
        Err(Mismatch::NoBeginning { entry: 1 })
    );
    assert_eq!(replay(&plan, &[]), Err(Mismatch::Empty));
    assert_eq!(
        read_log(&text[..text.len() - 9]).unwrap_err().line,
        log.len()
    );
}

#[test]
fn a_driver_that_tells_twice_or_of_nothing_breaks_the_contract() {
    let plan = modern();
    let mut bench = Bench::new(plan.clone(), perfect(1));
    bench.run();
    for extra in [
        Input::Released(0, Moment::Entered),
        Input::Elapsed(Timer::Stage),
        Input::Finished(Task::Canary, 77, Outcome::Done),
    ] {
        let mut log = bench.log.clone();
        log.push(LogEntry::Stepped {
            input: extra,
            effects: Effects::none(),
        });
        assert!(contract::check_log(&plan, &log).is_err(), "{extra:?}");
    }
}

#[test]
fn a_process_killed_while_credentials_are_destroyed_does_not_verify_again() {
    let plan = modern();
    let stage = u8::try_from(plan.stages.len() - 1).unwrap();
    let durable = Durable {
        stage,
        completed: true,
        holding: None,
        reinstating: false,
        done: false,
    };
    let (_, effects) = resume(&plan, Some(durable));
    let started: Vec<_> = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Start(..)))
        .collect();
    assert_eq!(started, [Effect::Start(Task::DestroyStash, 1)]);
}

/// Logs stay readable when facts are added; what they did not tell is unknown, which is absent.
#[test]
fn a_log_that_does_not_tell_of_the_load_balancer_can_be_read() {
    let mut facts = serde_json::to_value(perfect(3)).unwrap();
    let apiservers = facts["apiservers"].as_object_mut().unwrap();
    assert!(apiservers.remove("listed").is_some());
    let facts: pivot::Facts = serde_json::from_value(facts).unwrap();
    assert_eq!(facts.apiservers.listed, pivot::NodeSet::default());
}

/// A rule that is left out would be somebody's guess: every rule is written.
#[test]
fn a_plan_that_does_not_say_whether_to_ask_the_load_balancer_is_refused() {
    let mut plan = serde_json::to_value(modern()).unwrap();
    let rules = plan["rules"].as_object_mut().unwrap();
    assert!(rules.remove("load_balancer").is_some());
    let error = serde_json::from_value::<Plan>(plan).unwrap_err();
    assert!(error.to_string().contains("load_balancer"), "{error}");
}

#[test]
fn mutants_differ_from_modern_and_can_be_followed() {
    for mutant in mutants() {
        mutant
            .plan
            .check()
            .unwrap_or_else(|error| panic!("{}: {error}", mutant.name));
        assert_ne!(
            (&mutant.plan.stages, mutant.plan.rules),
            (&modern().stages, modern().rules)
        );
        assert_eq!(mutant.plan.policy, mutant.name);
    }
}

#[test]
fn plans_that_make_no_sense_are_refused() {
    let stage = |step: &str| {
        modern()
            .stages
            .into_iter()
            .find(|stage| stage.step.as_str() == step)
            .unwrap()
    };
    let with = |stages| Plan { stages, ..modern() }.check();
    assert!(matches!(
        with(vec![]),
        Err(PlanError::StageCount { count: 0, .. })
    ));
    assert!(matches!(
        with(vec![stage("verified"); 17]),
        Err(PlanError::StageCount { .. })
    ));
    assert!(matches!(
        with(vec![stage("verified"); 2]),
        Err(PlanError::DoubleStep(_))
    ));
    assert!(matches!(
        with(vec![stage("manifests-placed")]),
        Err(PlanError::OutOfOrder { .. })
    ));
    let removal = vec![stage("secrets-staged"), stage("bootstrap-removed")];
    assert!(matches!(with(removal), Err(PlanError::OutOfOrder { .. })));
    let named = pivot::Stage {
        step: "done".into(),
        ..stage("verified")
    };
    assert!(matches!(with(vec![named]), Err(PlanError::ReservedStep(_))));
    let endless = pivot::Stage {
        deadline_ms: 0,
        ..stage("verified")
    };
    assert!(matches!(with(vec![endless]), Err(PlanError::NoDeadline(_))));
    let mut unsaved = modern();
    unsaved.rules.checkpointed = pivot::ComponentSet::APISERVER;
    assert!(matches!(
        unsaved.check(),
        Err(PlanError::NotCheckpointed(_))
    ));
    let mut hasty = modern();
    hasty.stages[10].stable_ms = 2_999;
    assert!(matches!(hasty.check(), Err(PlanError::HastyHandOver(_))));
}
