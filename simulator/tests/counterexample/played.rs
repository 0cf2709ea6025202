//! The timed world plays what the coarse one found.

use std::collections::BTreeSet;

use oracle::{CaseResult, Judgement, judge};
use pivot::Plan;
use scenarios::{Installer, Overrides, Policy, Selection, expand, load};
use simulator::counterexample::suite::{Played, Survey};
use simulator::counterexample::{Counterexample, Timing};
use simulator::timed;
use simulator::timers::Timers;
use terms::Component;

use super::{caught, surveys};

/// Writes the files, loads them as anybody would, and has the timed world play the case. Says what is
/// violated, and whether the case came out as the file expects.
fn replayed(files: &[(String, String)]) -> (BTreeSet<String>, CaseResult) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("the file can be written");
    }
    let scenario = folder.path().join(&files[0].0);
    let scenarios = load(&[scenario], &Overrides::default());
    let scenarios = scenarios.unwrap_or_else(|mistakes| panic!("{mistakes}\n{}", files[0].1));
    let mut cases = expand(&scenarios, &Selection::default())
        .expect("it expands")
        .cases;
    let case = cases.remove(0);
    let Installer::Selfhost(selfhost) = &case.installer;
    let plan = if Policy::is_file(&selfhost.policy) {
        let text = std::fs::read(&selfhost.policy).expect("the plan lies beside the scenario");
        serde_json::from_slice(&text).expect("a plan")
    } else {
        Plan::named(&selfhost.policy).expect("a policy")
    };
    let outcome = timed::run(&case, &plan);
    let verdict = judge(&outcome.observations, &case.expect);
    let violated = verdict.invariants.iter();
    let violated = violated
        .filter(|judged| matches!(judged.judgement, Judgement::Violated(_)))
        .map(|judged| judged.slug.clone());
    (violated.collect(), verdict.result)
}

/// What the timed world does not show: findings about the models, and no counterexamples that can be
/// trusted until it is known why. Both need a self-hosted apiserver that starts slower than everything else.
const DIFFERS: [(&str, &str); 0] = [];

#[test]
fn what_is_found_is_violated_in_the_timed_world_too() {
    let mut confirmed = Vec::new();
    let mut differs = BTreeSet::new();
    for Survey {
        subject, caught, ..
    } in surveys()
    {
        let policy = subject.plan.policy.as_str();
        for caught in caught {
            let slug = caught.counterexample.invariant.as_str();
            match &caught.played {
                Played::Confirmed(_, _, rehearsal) => {
                    let (violated, result) = replayed(&rehearsal.files);
                    assert!(violated.contains(slug), "{policy}, {slug}: {violated:?}");
                    assert_eq!(
                        result == CaseResult::Passed,
                        rehearsal.exact,
                        "{policy}, {slug}"
                    );
                    confirmed.push((policy, slug));
                }
                Played::Differs(why) => {
                    println!("{policy}, {slug}: {why}");
                    differs.insert((policy, slug));
                }
                Played::NoWords(why) => println!("{policy}, {slug}: {why}"),
            }
        }
    }
    assert_eq!(differs, BTreeSet::from(DIFFERS));
    let plans: BTreeSet<&str> = confirmed.iter().map(|(policy, _)| *policy).collect();
    println!(
        "{} counterexamples of {} plans",
        confirmed.len(),
        plans.len()
    );
    for expected in [
        ("bootkube", "no-credentials-left"),
        ("bootkube", "somebody-can-start-an-apiserver"),
        ("looks-only-once", "guard-holds-at-teardown"),
        ("skips-draining", "guard-holds-at-teardown"),
        ("tears-down-on-timeout", "failure-holds"),
        ("secrets-first", "nothing-runs-on-deleted-files"),
    ] {
        assert!(confirmed.contains(&expected), "{expected:?} is not shown");
    }
}

/// Words of the language for every fault and cure.
#[test]
fn faults_are_held_at_steps_and_what_has_no_words_says_so() {
    let text = caught("looks-only-once", "guard-holds-at-teardown");
    let text = text.counterexample.scenario().expect("it has words");
    assert!(text.contains("  - at: { step: "), "{text}");
    assert!(text.contains("kill: { component: kube-"), "{text}");
    let text = caught("tears-down-on-timeout", "failure-holds");
    let text = text.counterexample.scenario().expect("it has words");
    assert!(
        text.contains("apiserver-node-selector: chrysalis/nowhere"),
        "{text}"
    );
    let lost = caught("tries-once", "bootstrap-completes");
    let why = lost.counterexample.scenario().expect_err("it has no words");
    assert!(why.contains("no fault loses an answer"), "{why}");
}

/// A clock that runs out although something moves all the time: no table of durations explains it.
#[test]
fn a_deadline_that_passes_too_early_needs_unusual_timing() {
    let calm = caught("keeps-the-stash", "no-credentials-left")
        .counterexample
        .clone();
    assert_eq!(calm.timing(&Timers::measured()), Timing::Feasible);
    let timely = calm.timely(&Timers::measured()).expect("it is possible");
    let times_ms = timely
        .schedule(&Timers::measured())
        .expect("it is possible");
    assert_eq!(times_ms.len(), timely.path.len() + 1);
    assert!(times_ms.is_sorted());
    // A whole bootstrap takes tens of seconds, and no minutes.
    let took_ms = times_ms[times_ms.len() - 1];
    assert!((15_000..120_000).contains(&took_ms), "{took_ms}");
    let early = early_deadline();
    let Timing::NeedsUnusualTiming(why) = early.timing(&Timers::measured()) else {
        panic!("a stage of two minutes is overdue at once, and that is possible?");
    };
    // What contradicts what in the order as it was found.
    assert!(
        why.contains("at least after action") && why.contains("; but "),
        "{why}"
    );
    let refused = early.scenario().expect_err("it is no bug");
    assert!(
        refused.starts_with("needs timing outside defaults"),
        "{refused}"
    );
}

/// bootkube's first stage is overdue although its task is about to end.
fn early_deadline() -> Counterexample {
    use simulator::coarse::{Action, Budgets, Config, World};
    use simulator::explore::{Bounds, Model, Nearest, nearest};
    let timing = Budgets {
        timing: 1,
        ..Budgets::default()
    };
    let config = Config::calm(pivot::bootkube(), 1).with(timing);
    let world = World::new(config.clone());
    let bit = 1
        << world
            .invariants()
            .iter()
            .position(|slug| *slug == "somebody-can-start-an-apiserver")
            .expect("an invariant");
    let goal = |state: &_| world.violated(state) & bit != 0;
    let allowed = |action| !matches!(action, Action::Kill(Component::KubeApiserver, ..));
    let bounds = Bounds::within_mib(512);
    let Nearest::Found(path) = nearest(&world, &world.initial()[0], &allowed, &goal, bounds) else {
        panic!("an early teardown leaves nobody");
    };
    assert!(path.actions.contains(&Action::OverdueEarly));
    Counterexample {
        config,
        invariant: "somebody-can-start-an-apiserver".to_owned(),
        path: path.actions,
    }
}
