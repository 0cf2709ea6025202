//! Recovery: the same pivot from a cluster that is there, with fresh facts only.

mod bench;

use bench::{Bench, perfect};
use pivot::{Facts, Outcome, StaleFact, Task, Why, recover};

/// A cluster after a loss of its control plane: labelled long ago, with two dead nodes' remains.
fn lost() -> Facts {
    let mut facts = perfect(3);
    facts.labelled = facts.ready;
    facts.stale = Some(StaleFact {
        nodes: 2,
        pods: 9,
        undecided: 0,
    });
    facts
}

#[test]
fn a_recovery_purges_before_any_gate_and_ends_as_the_bootstrap_does() {
    let plan = recover();
    plan.check().unwrap();
    let mut bench = Bench::new(plan.clone(), lost());
    bench.run();
    assert!(bench.finished, "{:?}", bench.state);
    let steps: Vec<_> = plan.stages.iter().map(|s| s.step.to_string()).collect();
    assert_eq!(bench.completed, steps);
    let place = |step: &str| steps.iter().position(|known| known == step).unwrap();
    assert!(place("bootstrap-serving") < place("stale-purged"));
    assert!(place("stale-purged") < place("pods-scheduled"));
    assert_eq!(bench.started.first(), Some(&Task::ClaimExisting));
    let purges = bench.started.iter().filter(|t| **t == Task::PurgeStale);
    assert_eq!(purges.count(), 1);
    assert!(
        !bench
            .started
            .iter()
            .any(|task| matches!(task, Task::Apply(_))),
        "what etcd holds is not applied over"
    );
}

#[test]
fn what_is_not_known_has_not_been_purged() {
    let undecided = StaleFact {
        undecided: 1,
        ..StaleFact::default()
    };
    for stale in [None, Some(undecided)] {
        let mut bench = Bench::new(recover(), Facts { stale, ..lost() });
        bench.run();
        let held = ("stale-purged".to_owned(), Why::StageOverdue);
        assert_eq!(bench.held, Some(held), "{stale:?}");
        assert_eq!(
            bench.bootstrap_running, 7,
            "the bootstrap control plane stays"
        );
        bench.facts = lost();
        bench.restart();
        bench.run();
        assert!(bench.finished, "{:?}", bench.state);
    }
}

#[test]
fn a_purge_that_fails_is_tried_again_until_the_stage_is_overdue() {
    let mut bench = Bench::new(recover(), lost());
    let failed = Outcome::Failed(Why::ApiUnreachable);
    bench.outcomes.push((Task::PurgeStale, failed));
    bench.run();
    let held = ("stale-purged".to_owned(), Why::ApiUnreachable);
    assert_eq!(bench.held, Some(held));
}

#[test]
fn a_living_cluster_and_another_operator_are_left_alone() {
    for why in [Why::ClusterAlive, Why::AnotherOperator, Why::ForeignCluster] {
        let mut bench = Bench::new(recover(), lost());
        bench
            .outcomes
            .push((Task::ClaimExisting, Outcome::Refused(why)));
        bench.run();
        assert_eq!(bench.held, Some(("secrets-staged".to_owned(), why)));
        assert_eq!(bench.started, [Task::ClaimExisting]);
        assert_eq!(bench.durable, None, "a refused procedure leaves no marker");
    }
}

#[test]
fn killed_at_any_step_it_can_be_run_again() {
    for stage in recover().stages {
        let mut bench = Bench::new(recover(), lost());
        bench.hold_at = Some(stage.step.to_string());
        bench.run();
        assert!(
            bench.held_at.take().is_some(),
            "{} was not reached",
            stage.step
        );
        bench.hold_at = None;
        bench.restart();
        bench.run();
        assert!(bench.finished, "{}: {:?}", stage.step, bench.state);
        assert_eq!(bench.bootstrap_running, 0, "{}", stage.step);
    }
}
