//! Recovery in the coarse world: from a cluster that etcd remembers and nobody runs, every interleaving
//! of small bounds leads back to a self-hosted control plane.

use std::collections::BTreeSet;

use oracle::observation::{CaseOpened, Step};
use oracle::{Expectation, Judgement, Observation, Sighting, Source, judge};
use pivot::{GateRule, StageKind, recover};
use simulator::coarse::{Budgets, Config, World};
use simulator::explore::{
    Bounds, End, Model, Nearest, Returns, Search, Symmetry, Until, explore, go_on, nearest, returns,
};
use terms::{Actor, Capability, Moment, NodeId, StepName};

const NONE: Budgets = Budgets {
    power_cuts: 0,
    kills: 0,
    installer_kills: 0,
    lost_answers: 0,
    timing: 0,
    restarts: 0,
};

/// Tries every interleaving; what is violated, whether all states lead back, and how many there are.
fn tried(config: Config) -> (BTreeSet<&'static str>, bool, u64) {
    let world = World::new(config);
    let bounds = Bounds::within_mib(2_048).states(1_000_000);
    let search = Search {
        bounds,
        symmetry: Symmetry::On,
        until: Until::Exhausted,
        threads: 1,
    };
    let explored = explore(&world, &search, &go_on);
    let coverage = explored.coverage();
    assert_eq!(
        coverage.end,
        End::Exhausted,
        "not a small world: {coverage}"
    );
    let found = explored
        .counterexamples()
        .expect("mirrored states behave alike");
    let violated = found
        .iter()
        .map(|found| world.invariants()[found.invariant])
        .collect();
    let own = |action| !world.is_outside(action);
    let lost = returns(&explored, &own, &go_on).expect("mirrored states behave alike");
    let healthy = |state: &_| world.healthy(state);
    let reached = nearest(&world, &world.initial()[0], &|_| true, &healthy, bounds);
    let returns = matches!(reached, Nearest::Found(_)) && !matches!(lost, Returns::NotFrom { .. });
    (violated, returns, coverage.states)
}

/// A lost control plane violates S6 before anything is done: that is what is to be mended.
#[test]
fn a_recovery_leads_back_whatever_happens_to_its_process_and_its_answers() {
    let at_first = BTreeSet::from(["somebody-can-start-an-apiserver"]);
    let killed = Budgets {
        installer_kills: 1,
        ..NONE
    };
    let lost_answer = Budgets {
        lost_answers: 1,
        ..NONE
    };
    // Two nodes and a kill were tried too (259 139 states, the same), and take half a minute.
    for (what, control_planes, budgets) in [
        ("undisturbed", 1, NONE),
        ("killed once", 1, killed),
        ("one answer lost", 1, lost_answer),
        ("undisturbed", 2, NONE),
    ] {
        let config = Config::calm(recover(), control_planes).with(budgets);
        let (violated, returns, states) = tried(config);
        println!("{what}, {control_planes} nodes: {states} states");
        assert!(returns, "{what}, {control_planes} nodes: no way back");
        assert!(states > 100, "{what}: {states} states are no recovery");
        let others: Vec<_> = violated.difference(&at_first).collect();
        assert!(
            others.is_empty(),
            "{what}, {control_planes} nodes: {others:?}"
        );
    }
}

/// Whether S28 judges a recovery by the completion of this step.
fn is_judged_at(step: &StepName) -> bool {
    let node = NodeId::control_plane(1);
    let case = CaseOpened {
        case: "a-recovery".to_owned(),
        nodes: vec![node.clone()],
        bootstrap_node: node.clone(),
        capabilities: BTreeSet::from([Capability::Recover]),
        wanted_instances: 1,
        guard_instances: 1,
        budgets: Default::default(),
        done_step: pivot::Plan::DONE_STEP.into(),
        expected_end: "done".to_owned(),
        checkpoint_times: None,
    };
    let step = Step {
        actor: Actor::recovery(&node),
        step: step.clone(),
        moment: Moment::Completed,
        occurrence: 1,
        held: false,
        reason: None,
    };
    let seen = |source, saw| Observation {
        v: 1,
        source,
        seq: 0,
        start_us: 0,
        end_us: 0,
        saw,
    };
    let record = [
        seen(Source::Runner, Sighting::CaseOpened(case)),
        seen(Source::Steps, Sighting::Step(step)),
    ];
    let expects = Expectation {
        ends: "done".to_owned(),
        violated: BTreeSet::new(),
    };
    let mut judged = judge(&record, &expects).invariants.into_iter();
    let of = judged.find(|judged| judged.slug == "decisions-use-fresh-facts");
    !matches!(
        of.expect("the register names it").judgement,
        Judgement::NotJudged(_)
    )
}

/// The judge knows no plan: names that it waits for and that no recovery has would never be judged.
#[test]
fn the_judge_knows_the_steps_of_a_recovery_that_wait_for_pods() {
    for stage in recover().stages {
        let waits = matches!(
            stage.kind,
            StageKind::Gate(GateRule::PodsScheduled | GateRule::SelfHostedServing)
                | StageKind::HandOver(_)
        );
        assert_eq!(is_judged_at(&stage.step), waits, "{}", stage.step);
    }
}
