//! Walks of the checkpoint agent's machine, rule by rule.

#[path = "agent/mod.rs"]
mod agent;

use agent::{Bench, healthy, powerless};
use pivot::ComponentSet;
use pivot::checkpoint::{
    ActivateRule, AgentPlan, AgentPlanError, Facts, GraceRule, Known, OrderRule, Outcome,
    RetireRule, RuntimeErrorRule, SaveRule, Saved, Step, Task, Timer, bootkube_agent, modern_agent,
};
use terms::{Component, Moment};

#[test]
fn a_parent_is_saved_after_it_was_ready_for_the_stated_time() {
    let mut bench = Bench::modern();
    bench.tell(healthy());
    assert_eq!(bench.armed, [Timer::Ready]);
    bench.run_out(Timer::Ready);
    assert_eq!(
        bench.announced.last(),
        Some(&(Step::Written, Moment::Entered))
    );
    assert_eq!(bench.tasks(), [], "nothing is done before fresh facts");
    bench.tell(healthy());
    assert_eq!(bench.tasks(), [Task::Write]);
    bench.finish(Outcome::Done);
    bench.tell(healthy());
    assert_eq!(bench.tasks(), [Task::Commit]);
    bench.finish(Outcome::Done);
    assert_eq!(
        bench.announced,
        [
            (Step::Written, Moment::Entered),
            (Step::Written, Moment::Completed),
            (Step::Saved, Moment::Entered),
            (Step::Saved, Moment::Completed),
        ]
    );
    bench.tell(saved(healthy()));
    assert!(bench.state.is_watching() && bench.armed.is_empty());
}

fn saved(facts: Facts) -> Facts {
    Facts {
        saved: Saved::Complete,
        current: true,
        ..facts
    }
}

#[test]
fn a_parent_that_was_not_ready_throughout_is_not_saved() {
    let unready = Facts {
        parent_ready: false,
        ..healthy()
    };
    let mut bench = Bench::modern();
    bench.tell(healthy());
    bench.tell(unready);
    assert_eq!(bench.armed, []);
    bench.tell(healthy());
    bench.hold = Some((Step::Written, Moment::Entered));
    bench.run_out(Timer::Ready);
    bench.tell(unready);
    bench.tell(healthy());
    bench.release();
    bench.tell(healthy());
    assert_eq!(
        bench.tasks(),
        [],
        "while it was held the parent was not ready once"
    );
    assert_eq!(bench.armed, [Timer::Ready], "and has to prove itself again");
}

#[test]
fn another_parent_has_to_prove_itself() {
    let other = Facts {
        parent: 2,
        ..healthy()
    };
    let mut bench = Bench::modern();
    bench.tell(healthy());
    bench.arms.clear();
    bench.tell(other);
    assert_eq!(bench.arms, [Timer::Ready], "the time begins anew");
    bench.run_out(Timer::Ready);
    bench.tell(healthy());
    assert_eq!(bench.tasks(), []);
}

#[test]
fn writing_is_given_up_when_the_api_goes_and_the_copy_starts() {
    let mut bench = Bench::modern();
    let old = Facts {
        saved: Saved::Complete,
        ..healthy()
    };
    bench.tell(old);
    bench.run_out(Timer::Ready);
    bench.tell(old);
    assert_eq!(bench.tasks(), [Task::Write]);
    bench.tell(powerless());
    assert_eq!(bench.cancelled, [Task::Write]);
    bench.run_out(Timer::Absent);
    bench.tell(powerless());
    assert_eq!(bench.tasks(), [Task::Activate]);
}

#[test]
fn a_version_that_cannot_be_committed_is_written_anew() {
    let mut bench = Bench::modern();
    bench.tell(healthy());
    bench.run_out(Timer::Ready);
    bench.tell(healthy());
    bench.finish(Outcome::Done);
    bench.tell(healthy());
    bench.finish(Outcome::Failed);
    bench.run_out(Timer::Retry);
    bench.tell(healthy());
    bench.run_out(Timer::Ready);
    bench.tell(healthy());
    assert_eq!(bench.tasks(), [Task::Write]);
}

#[test]
fn a_copy_starts_only_if_nothing_runs_and_nobody_serves_and_its_files_are_there() {
    let refused = [
        Facts {
            api: true,
            ..powerless()
        },
        Facts {
            parent_runs: Known::Yes,
            ..powerless()
        },
        Facts {
            parent_runs: Known::Unknown,
            ..powerless()
        },
        Facts {
            copy_runs: Known::Unknown,
            ..powerless()
        },
        Facts {
            copy_runs: Known::Yes,
            ..powerless()
        },
        Facts {
            active: true,
            ..powerless()
        },
        Facts {
            saved: Saved::Torn,
            ..powerless()
        },
        Facts {
            saved: Saved::Nothing,
            ..powerless()
        },
    ];
    for facts in refused {
        let mut bench = Bench::modern();
        bench.tell(facts);
        assert_eq!(bench.armed, [], "{facts:?}");
        bench.tell(powerless());
        bench.run_out(Timer::Absent);
        bench.tell(facts);
        assert_eq!(bench.tasks(), [], "{facts:?}");
    }
}

/// Told this, the agent starts the copy once nothing ran for long enough.
fn assert_starts(bench: &mut Bench, facts: Facts) {
    bench.tell(facts);
    bench.run_out(Timer::Absent);
    bench.tell(facts);
    assert_eq!(bench.tasks(), [Task::Activate]);
}

#[test]
fn a_controller_waits_until_the_api_was_silent_for_long_unlike_an_apiserver() {
    let long = Facts {
        led: Known::No,
        ..powerless()
    };
    let mut bench = Bench::of(modern_agent(), Component::KubeScheduler);
    bench.tell(powerless());
    assert_eq!(
        bench.armed,
        [],
        "its parent starts as soon as an apiserver answers"
    );
    assert_starts(&mut bench, long);
    let mut plan = modern_agent();
    plan.rules.unled = false;
    let mut bench = Bench::of(plan, Component::KubeScheduler);
    bench.tell(powerless());
    assert_eq!(bench.armed, [Timer::Absent], "history did not wait");
}

#[test]
fn a_controller_that_nobody_leads_starts_although_the_api_answers() {
    let unled = Facts {
        api: true,
        led: Known::No,
        bound: Known::No,
        ..powerless()
    };
    let mut bench = Bench::of(modern_agent(), Component::KubeScheduler);
    assert_starts(&mut bench, unled);
    let mut plan = modern_agent();
    plan.rules.unled = false;
    let mut bench = Bench::of(plan, Component::KubeScheduler);
    bench.tell(unled);
    assert_eq!(
        bench.armed,
        [],
        "and is not removed either, for nobody could bring it back"
    );
}

#[test]
fn a_copy_stops_after_its_parent_was_ready_for_the_stated_time() {
    let both = saved(Facts {
        active: true,
        copy_runs: Known::Yes,
        ..healthy()
    });
    let starting = Facts {
        parent_ready: false,
        ..both
    };
    let mut bench = Bench::modern();
    bench.tell(starting);
    assert_eq!(bench.armed, []);
    bench.tell(both);
    bench.run_out(Timer::Handover);
    bench.tell(both);
    assert_eq!(bench.tasks(), [Task::Retire]);
    let mut plan = modern_agent();
    plan.rules.retire = RetireRule::WhenRunning;
    let mut bench = Bench::of(plan, Component::KubeApiserver);
    bench.tell(starting);
    bench.tell(starting);
    assert_eq!(bench.tasks(), [Task::Retire], "history did not wait");
}

#[test]
fn what_the_api_remembers_of_before_a_power_cut_is_no_readiness() {
    let remembered = Facts {
        active: true,
        parent_runs: Known::No,
        copy_runs: Known::Yes,
        saved: Saved::Complete,
        ..healthy()
    };
    let mut bench = Bench::modern();
    bench.tell(remembered);
    assert_eq!(bench.armed, [], "neither saved nor handed over to");
}

#[test]
fn versions_are_removed_only_while_the_api_says_that_the_parent_is_gone() {
    let gone = Facts {
        bound: Known::No,
        parent_ready: false,
        parent_runs: Known::No,
        saved: Saved::Complete,
        ..healthy()
    };
    let silent = Facts {
        parent_runs: Known::Yes,
        ..powerless()
    };
    let mut bench = Bench::modern();
    bench.tell(gone);
    assert_eq!(bench.armed, [Timer::Grace]);
    bench.tell(silent);
    assert_eq!(bench.armed, [], "silence is no answer");
    bench.tell(gone);
    bench.run_out(Timer::Grace);
    bench.tell(silent);
    assert_eq!(bench.tasks(), []);
    let mut plan = modern_agent();
    plan.rules.grace = GraceRule::Blind;
    let mut bench = Bench::of(plan, Component::KubeApiserver);
    bench.tell(gone);
    bench.tell(silent);
    bench.run_out(Timer::Grace);
    bench.tell(silent);
    assert_eq!(
        bench.tasks(),
        [Task::Remove],
        "history's grace period ran on"
    );
}

#[test]
fn an_active_copy_is_taken_out_before_its_versions_are_removed() {
    let gone = Facts {
        bound: Known::No,
        active: true,
        copy_runs: Known::Yes,
        ..saved(healthy())
    };
    let mut bench = Bench::modern();
    bench.tell(gone);
    bench.run_out(Timer::Grace);
    bench.tell(gone);
    assert_eq!(bench.tasks(), [Task::Retire]);
    bench.finish(Outcome::Done);
    bench.tell(Facts {
        active: false,
        ..gone
    });
    assert_eq!(bench.tasks(), [Task::Remove]);
    bench.finish(Outcome::Done);
    assert_eq!(
        bench.announced.last(),
        Some(&(Step::Removed, Moment::Completed))
    );
}

#[test]
fn bootkubes_agent_does_at_once_what_history_did() {
    let error = Facts {
        parent_runs: Known::Unknown,
        copy_runs: Known::Unknown,
        saved: Saved::Torn,
        ..healthy()
    };
    let mut bench = Bench::of(bootkube_agent(), Component::KubeApiserver);
    bench.tell(error);
    bench.tell(error);
    assert_eq!(
        bench.tasks(),
        [Task::Activate],
        "C1, C5, and C2: the API answers"
    );
    let mut bench = Bench::of(bootkube_agent(), Component::KubeApiserver);
    let bad = Facts {
        parent_ready: false,
        ..healthy()
    };
    bench.tell(bad);
    bench.tell(bad);
    assert_eq!(bench.tasks(), [Task::Write], "C9");
    let mut bench = Bench::of(bootkube_agent(), Component::KubeScheduler);
    for facts in [healthy(), powerless(), error] {
        bench.tell(facts);
        assert!(bench.state.is_watching() && bench.armed.is_empty());
    }
}

#[test]
fn the_plans_that_ship_can_be_followed_and_written() {
    for name in AgentPlan::NAMES {
        let plan = AgentPlan::named(name).expect("a name of the list names a plan");
        assert_eq!((plan.policy.as_str(), plan.check()), (name, Ok(())));
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<AgentPlan>(&text).unwrap(), plan);
        let unknown = text.replace("retry_ms", "patience_ms");
        assert!(serde_json::from_str::<AgentPlan>(&unknown).is_err());
    }
    assert_eq!(AgentPlan::named("kubeadm-alpha"), None);
    let rules = modern_agent().rules;
    assert_eq!(rules.order, OrderRule::FilesFirst);
    assert_eq!(rules.save, SaveRule::WhenReady);
    assert_eq!(rules.activate, ActivateRule::Unserved);
    assert_eq!(rules.runtime_error, RuntimeErrorRule::Wait);
    assert_eq!(modern_agent().checkpointed, ComponentSet::ALL);
}

#[test]
fn plans_that_make_no_sense_are_refused() {
    let plan = AgentPlan {
        retry_ms: 0,
        ..modern_agent()
    };
    assert_eq!(plan.check(), Err(AgentPlanError::NoPause));
    let plan = AgentPlan {
        grace_ms: 0,
        ..modern_agent()
    };
    assert_eq!(plan.check(), Err(AgentPlanError::NoGrace));
}
