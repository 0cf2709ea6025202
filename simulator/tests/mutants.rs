//! The judge on trial: every invariant of this version catches at least one known mistake, and
//! `modern` makes none, in the very same scenes.

use std::collections::{BTreeMap, BTreeSet};

use oracle::{Expectation, Judgement, Verdict, judge, register};
use pivot::checkpoint::{AgentPlan, agent_mutants, modern_agent};
use pivot::{Plan, bootkube, modern, mutants};
use simulator::thin::{Happening, Quirk, Scene, When, run_to_end};
use terms::{Component, Moment};

/// Invariants of this version that a mutant of plan or installer must bring out.
const ON_TRIAL: [&str; 19] = [
    "acknowledged-writes-survive",
    "revisions-never-go-back",
    "one-etcd-cluster",
    "guard-holds-at-teardown",
    "somebody-can-start-an-apiserver",
    "no-credentials-left",
    "nothing-runs-on-deleted-files",
    "failure-holds",
    "running-again-converges",
    "foreign-cluster-refused",
    "identities-continue",
    "bootstrap-completes",
    "pivot-keeps-the-api-writable",
    "a-new-leader-acts",
    "lost-instance-returns",
    "node-loss-is-survived",
    "checkpoints-armed-before-teardown",
    "handover-is-bounded",
    "api-returns-after-power-loss",
];

/// What no scene here brings out. The oracle's own streams violate each.
const ON_TRIAL_ELSEWHERE: [&str; 6] = [
    "checkpoints-need-no-api",
    "processes-return",
    "decisions-use-fresh-facts",
    "one-operator-at-a-time",
    "recovery-from-snapshot",
    "workloads-keep-running",
];

/// Faults that do not disturb the bootstrap.
const AFTER_END: When = When::AfterEnd(5_000);

fn calm() -> Scene {
    Scene {
        watch_every_ms: 400,
        ..Scene::calm("calm", 3, 1)
    }
}

/// The scene that brings a plan's mistake out.
fn scene_of_mutant(name: &str) -> Scene {
    let crash = Happening::Turn(Quirk::ApiserversCrash);
    match name {
        "tears-down-on-timeout" => calm()
            .with(Quirk::ApiserverCannotBeScheduled)
            .ending("holding"),
        "trusts-names" => calm().with(Quirk::ApiserversCrash).ending("holding"),
        "counts-no-apiservers" | "one-apiserver-is-enough" => {
            calm().with(Quirk::OneApiserverServes).ending("holding")
        }
        "forgets-the-load-balancer" => calm()
            .with(Quirk::LoadBalancerMissesSelfHosted)
            .ending("holding"),
        "looks-only-once" => calm()
            .at("checkpoints-armed", Moment::Completed, crash)
            .ending("holding"),
        "skips-draining" => calm()
            .at("controllers-handed-over", Moment::Completed, crash)
            .ending("holding"),
        "verifies-at-leisure" => calm()
            .at("bootstrap-removed", Moment::Entered, crash)
            .ending("holding"),
        "skips-handover" => calm().with(Quirk::ControllersNeverLead).ending("holding"),
        "remembers-nothing" => calm()
            .at("verified", Moment::Completed, Happening::KillInstaller)
            .when(When::After(2_000), Happening::Resume),
        "claims-nothing" => calm().when(When::AfterEnd(3_000), Happening::StartForeign),
        "skips-arming" => calm().kept_by(AgentPlan {
            ready_ms: 60_000,
            ..modern_agent()
        }),
        "tries-once" => calm().with(Quirk::AssetsAreRefusedAtFirst),
        "keeps-the-stash" | "skips-labels" | "skips-verifying" | "secrets-first" => calm(),
        other => {
            panic!("the mutant `{other}` has no scene yet: give it the one that brings it out")
        }
    }
}

/// Mistakes of an installer that no plan can express, in scenes that bring them out, with the
/// invariant that must catch each.
fn selfhost_mutants() -> Vec<(&'static str, Quirk, Scene, &'static str)> {
    vec![
        (
            "lets etcd acknowledge before it syncs",
            Quirk::EtcdDoesNotSync,
            calm()
                .when(AFTER_END, Happening::PowerOffEtcdLeader)
                .when(When::After(10_000), Happening::PowerOnAll)
                .watched_for(60_000),
            "acknowledged-writes-survive",
        ),
        (
            "lets an apiserver answer from an old cache",
            Quirk::StaleReads,
            calm(),
            "revisions-never-go-back",
        ),
        (
            "starts each etcd member as a cluster of its own",
            Quirk::EtcdMembersStartAlone,
            calm(),
            "one-etcd-cluster",
        ),
        (
            "renews the authority at the end",
            Quirk::AuthorityIsRenewed,
            calm(),
            "identities-continue",
        ),
        (
            "gives leases ten minutes",
            Quirk::LeasesLastTooLong,
            calm()
                .when(
                    AFTER_END,
                    Happening::KillHolder(Component::KubeControllerManager),
                )
                .watched_for(60_000),
            "a-new-leader-acts",
        ),
        (
            "runs control-plane pods that nobody owns",
            Quirk::PodsWithoutOwner,
            calm()
                .when(AFTER_END, Happening::Kill(Component::KubeScheduler, 1))
                .watched_for(150_000),
            "lost-instance-returns",
        ),
        (
            "lists only the bootstrap node at the load balancer",
            Quirk::LoadBalancerKnowsOneNode,
            calm()
                .when(AFTER_END, Happening::PowerOff(0))
                .when(When::After(60_000), Happening::PowerOn(0))
                .watched_for(60_000),
            "node-loss-is-survived",
        ),
    ]
}

/// Every control-plane node loses its power, and gets it back.
fn after_power_loss(scene: Scene) -> Scene {
    let off = |scene: Scene, node| scene.when(AFTER_END, Happening::PowerOff(node));
    (0..3)
        .fold(scene, off)
        .when(When::After(10_000), Happening::PowerOnAll)
        .watched_for(200_000)
}

/// Agents with a known mistake, in scenes that bring it out, with the invariant that must catch it.
fn agents_on_trial() -> Vec<(&'static str, Scene, &'static str)> {
    let scene = |name: &str| {
        let mutants = agent_mutants();
        let mutant = mutants.iter().find(|mutant| mutant.name == name);
        calm().kept_by(
            mutant
                .expect("it is one of the agents' mutants")
                .plan
                .clone(),
        )
    };
    vec![
        (
            "never-starts",
            after_power_loss(scene("never-starts")),
            "api-returns-after-power-loss",
        ),
        (
            "never-hands-over",
            after_power_loss(scene("never-hands-over")),
            "handover-is-bounded",
        ),
    ]
}

fn verdict(plan: &Plan, scene: &Scene) -> Verdict {
    let run = run_to_end(plan, scene);
    let expected = Expectation {
        ends: scene.ends.clone(),
        violated: BTreeSet::new(),
    };
    judge(&run.observations, &expected)
}

fn violated(verdict: &Verdict) -> BTreeMap<String, String> {
    let found = verdict
        .invariants
        .iter()
        .filter_map(|judged| match &judged.judgement {
            Judgement::Violated(finding) => Some((judged.slug.clone(), finding.what.clone())),
            _ => None,
        });
    found.collect()
}

/// What each mistake is caught by; fails when it is not caught by what it must be caught by.
fn catches() -> BTreeMap<String, BTreeSet<String>> {
    let mut caught: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut note = |name: &str, verdict: &Verdict, must: &[&str]| {
        let violated = violated(verdict);
        for slug in must {
            assert!(
                violated.contains_key(*slug),
                "{name} is not caught by {slug}, only by {violated:#?}; {}",
                verdict.reason
            );
        }
        for slug in violated.into_keys() {
            caught.entry(slug).or_default().insert(name.to_owned());
        }
    };
    for mutant in mutants() {
        note(
            mutant.name,
            &verdict(&mutant.plan, &scene_of_mutant(mutant.name)),
            mutant.catches,
        );
    }
    for (name, quirk, scene, slug) in selfhost_mutants() {
        note(name, &verdict(&modern(), &scene.with(quirk)), &[slug]);
    }
    for (name, scene, slug) in agents_on_trial() {
        note(name, &verdict(&modern(), &scene), &[slug]);
    }
    caught
}

#[test]
fn every_invariant_catches_a_mistake() {
    let caught = catches();
    let missing: Vec<_> = ON_TRIAL
        .iter()
        .filter(|slug| !caught.contains_key(**slug))
        .collect();
    assert!(
        missing.is_empty(),
        "caught by no mutant: {missing:?}; caught: {caught:#?}"
    );
}

#[test]
fn every_invariant_that_is_judged_is_on_trial() {
    let judged: BTreeSet<_> = register::all()
        .filter(|rule| rule.is_implemented())
        .map(|rule| rule.slug)
        .collect();
    let mut on_trial = BTreeSet::from(ON_TRIAL);
    on_trial.extend(ON_TRIAL_ELSEWHERE);
    // Searches of the agents' own world catch these (`simulator/src/agent`, docs/checkpoints.md).
    let caught = agent_mutants()
        .into_iter()
        .flat_map(|mutant| mutant.catches);
    on_trial.extend(caught.filter(|slug| register::by_slug(slug).is_some()));
    assert_eq!(judged, on_trial);
}

/// Scenes without an installer's mistake: in each `modern` must do right.
fn scenes_of_the_cluster() -> Vec<Scene> {
    let mut scenes = vec![
        Scene::calm("single", 1, 1),
        calm(),
        after_power_loss(calm()),
    ];
    scenes.extend(mutants().iter().map(|mutant| scene_of_mutant(mutant.name)));
    scenes.extend(selfhost_mutants().into_iter().map(|(_, _, scene, _)| scene));
    scenes
}

#[test]
fn modern_violates_nothing_and_every_invariant_is_seen_to_hold() {
    let mut held = BTreeSet::new();
    for scene in scenes_of_the_cluster() {
        let verdict = verdict(&modern(), &scene);
        assert_eq!(violated(&verdict), BTreeMap::new(), "{scene:#?}");
        assert_eq!(verdict.end, scene.ends, "{scene:#?}");
        let holds = verdict
            .invariants
            .iter()
            .filter(|judged| judged.judgement == Judgement::Holds);
        held.extend(holds.map(|judged| judged.slug.clone()));
    }
    let vacuous: Vec<_> = ON_TRIAL
        .iter()
        .filter(|slug| !held.contains(**slug))
        .collect();
    assert!(vacuous.is_empty(), "never seen to hold: {vacuous:?}");
}

#[test]
fn bootkube_breaks_what_history_says_it_broke() {
    let unschedulable = calm()
        .with(Quirk::ApiserverCannotBeScheduled)
        .ending("holding");
    let found = violated(&verdict(&bootkube(), &unschedulable));
    for slug in [
        "guard-holds-at-teardown",
        "somebody-can-start-an-apiserver",
        "failure-holds",
    ] {
        assert!(
            found.contains_key(slug),
            "{slug} was not violated: {found:#?}"
        );
    }
    let one_port = Scene::calm("one port", 1, 1).with(Quirk::OneApiserverPort);
    let found = violated(&verdict(&bootkube(), &one_port));
    assert!(found.contains_key("guard-holds-at-teardown"), "{found:#?}");
}
