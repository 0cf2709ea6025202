//! Timed runs: the catalogue comes out as on real containers, and nothing in them is left to luck.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use oracle::{CaseResult, Judgement, Sighting, Verdict, judge, register};
use pivot::{Plan, contract};
use scenarios::{Case, Installer, Overrides, Selection, expand, load};
use simulator::coarse::World;
use simulator::counterexample::suite::{search, worlds_of_modern};
use simulator::explore::{explore, go_on};
use simulator::timed::{self, Outcome};
use terms::{Component, Fault};

fn catalogue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/catalogue")
}

fn cases_of(path: PathBuf, seed: u64) -> Vec<Case> {
    let scenarios = load(&[path], &Overrides::default());
    let scenarios = scenarios.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let selection = Selection {
        seed,
        ..Selection::default()
    };
    expand(&scenarios, &selection).expect("it expands").cases
}

/// The cases of the catalogue that can be played. Those that cannot are about recoveries, new revisions, nodes that stand
/// still, and what a control plane lives on: rights, secrets, certificates and images. There are no others.
fn playable(seed: u64) -> Vec<Case> {
    let all = cases_of(catalogue(), seed);
    let (playable, others): (Vec<Case>, Vec<Case>) = all
        .into_iter()
        .partition(|case| timed::why_not_applicable(case).is_none());
    assert_eq!(others.len(), 24, "{:?}", others.iter().map(|case| &case.id));
    for case in others {
        let is_known = ["recovery", "supplies"]
            .iter()
            .any(|tag| case.tags.contains(*tag));
        assert!(is_known, "{}", case.id);
    }
    playable
}

fn plan_of(case: &Case) -> Plan {
    let Installer::Selfhost(selfhost) = &case.installer;
    Plan::named(&selfhost.policy).expect("the catalogue has built-in policies only")
}

fn played(case: &Case) -> (Outcome, Verdict) {
    assert_eq!(timed::why_not_applicable(case), None, "{}", case.id);
    let outcome = timed::run(case, &plan_of(case));
    let verdict = judge(&outcome.observations, &case.expect);
    (outcome, verdict)
}

/// A case of a text that stands in a file of its own.
fn case_of(text: &str) -> Case {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("case.yaml");
    std::fs::write(&file, text).expect("the file can be written");
    cases_of(file, 1).remove(0)
}

fn scenario(control_plane: u32, timeline: &str) -> Case {
    case_of(&format!(
        "name: tried\nabout: For a test.\ncluster: {{ control_plane: {control_plane}, workers: 1, kubernetes: \"1.34\" }}\n\
         cases:\n  - {{ installer: {{ selfhost: {{ policy: modern }} }} }}\ntimeline:\n{timeline}"
    ))
}

fn story(outcome: &Outcome) -> String {
    let line = |seen: &oracle::Observation| {
        let seconds = seen.end_us / 100_000;
        let told = reports::narrate(seen)?;
        Some(format!(
            "{:>4}.{} {}",
            seconds / 10,
            seconds % 10,
            told.text
        ))
    };
    let lines: Vec<String> = outcome.observations.iter().filter_map(line).collect();
    lines.join("\n")
}

#[test]
fn the_whole_catalogue_comes_out_as_on_real_containers() {
    for seed in 1..=3 {
        for case in playable(seed) {
            let (outcome, verdict) = played(&case);
            assert_eq!(
                verdict.result,
                CaseResult::Passed,
                "{} with seed {seed}: {}\n{}",
                case.id,
                verdict.reason,
                story(&outcome)
            );
            let violated = verdict.invariants.iter().filter_map(|judged| {
                matches!(judged.judgement, Judgement::Violated(_)).then(|| judged.slug.clone())
            });
            assert!(
                violated.eq(sorted_as_judged(&case, &verdict)),
                "{}",
                case.id
            );
        }
    }
}

/// What a case expects to be violated, in the order of the verdict.
fn sorted_as_judged(case: &Case, verdict: &Verdict) -> impl Iterator<Item = String> {
    let slugs = verdict.invariants.iter().map(|judged| judged.slug.clone());
    let expected: Vec<String> = slugs
        .filter(|slug| case.expect.violated.contains(slug))
        .collect();
    expected.into_iter()
}

#[test]
fn logs_follow_from_the_machine() {
    for case in playable(1) {
        let (outcome, _) = played(&case);
        let checked = contract::check_log(&plan_of(&case), &outcome.log);
        assert_eq!(checked, Ok(()), "{}", case.id);
    }
}

#[test]
fn the_same_case_gives_the_same_outcome_and_another_seed_another() {
    let case = |seed| cases_of(catalogue().join("kill-the-holders.yaml"), seed).remove(0);
    let outcome = |case: &Case| timed::run(case, &plan_of(case));
    assert_eq!(outcome(&case(1)), outcome(&case(1)));
    assert_ne!(outcome(&case(1)), outcome(&case(2)));
}

/// Leaving the fault out changes nothing that happened before it.
#[test]
fn a_fault_does_not_reshuffle_what_came_before_it() {
    let begin = "  - bootstrap: {}\n  - settle: { within: 120s, stable_for: 5s }\n";
    let end = "  - settle: { within: 180s, stable_for: 5s }\n";
    let fault = "  - inject: [ { kill: { component: kube-scheduler, node: cp-2 } } ]\n";
    let with = played(&scenario(3, &format!("{begin}{fault}{end}"))).0;
    let without = played(&scenario(3, &format!("{begin}{end}"))).0;
    let fault_us = with
        .observations
        .iter()
        .find_map(|seen| matches!(seen.saw, Sighting::Fault(_)).then_some(seen.start_us));
    let fault_us = fault_us.expect("the fault was injected");
    let before = |outcome: &Outcome| -> Vec<String> {
        let seen = outcome.observations.iter();
        seen.filter(|seen| seen.end_us < fault_us && !matches!(seen.saw, Sighting::CaseOpened(_)))
            .map(|seen| format!("{seen:?}"))
            .collect()
    };
    assert_eq!(before(&with), before(&without));
}

#[test]
fn faults_say_what_they_really_do_here() {
    let mut told: BTreeMap<&str, String> = BTreeMap::new();
    for case in playable(1) {
        for seen in played(&case).0.observations {
            if let Sighting::Fault(record) = seen.saw {
                assert_eq!(record.fidelity, timed::fidelity(&record.fault));
                told.insert(record.fault.key(), record.fidelity);
            }
        }
    }
    let keys: Vec<&str> = told.into_keys().collect();
    assert_eq!(
        keys,
        [
            "delete",
            "kill",
            "kill_installer",
            "power_off",
            "stop",
            "tear"
        ]
    );
}

/// Every fault that the language has, on each moment where it means something.
#[test]
fn every_fault_is_survived_by_three() {
    let begin = "  - bootstrap: {}\n  - settle: { within: 120s, stable_for: 5s }\n";
    let end = "  - wait: 30s\n  - settle: { within: 240s, stable_for: 15s }\n";
    for fault in [
        "{ reboot: { node: \"@bootstrap\" } }",
        "{ reboot: { node: \"@leader(etcd)\" } }",
        "{ kill: { component: kube-apiserver, node: \"@all-control-plane\" } }",
        "{ kill: { component: kube-apiserver, node: cp-1, signal: SIGTERM } }",
        "{ kill: { component: kube-scheduler, node: \"@holder(kube-scheduler)\", signal: SIGTERM } }",
        "{ kill: { component: kubelet, node: \"@any-control-plane\" } }",
        "{ kill: { component: checkpoint-agent, node: \"@all-control-plane\" } }",
        "{ restart: { unit: kubelet, node: \"@all-control-plane\" } }",
        "{ tear: { node: \"@all-control-plane\", path: /var/lib/selfhost/checkpoints/kube-scheduler/*/sums, keep_bytes: 5 } }",
        "{ kill: { component: etcd, node: \"@majority(etcd)\" } }",
        "{ delete: { kind: Pod, namespace: kube-system, selector: k8s-app=kube-scheduler, limit: 2 } }",
    ] {
        let case = scenario(3, &format!("{begin}  - inject: [ {fault} ]\n{end}"));
        let (outcome, verdict) = played(&case);
        assert_eq!(
            verdict.result,
            CaseResult::Passed,
            "{fault}: {}\n{}",
            verdict.reason,
            story(&outcome)
        );
    }
}

/// The pivot's founding failure, mended: every node off and on, and a copy from the disk that starts.
#[test]
fn a_copy_starts_an_apiserver_after_all_nodes_lost_power() {
    let case = scenario(
        1,
        "  - bootstrap: {}\n  - settle: { within: 120s, stable_for: 5s }\n\
         \x20 - inject: [ { power_off: { node: cp-1 } } ]\n  - wait: 10s\n  - heal: {}\n\
         \x20 - settle: { within: 90s, stable_for: 20s }\n",
    );
    let (outcome, verdict) = played(&case);
    assert_eq!(verdict.result, CaseResult::Passed, "{}", story(&outcome));
    assert!(story(&outcome).contains("kube-apiserver-activated completed"));
}

/// Without a scheduler nobody binds the pods of its successors, until a copy takes the lease.
#[test]
fn schedulers_that_are_all_deleted_return_by_a_copy() {
    let case = scenario(
        3,
        "  - bootstrap: {}\n  - settle: { within: 120s, stable_for: 5s }\n\
         \x20 - inject: [ { delete: { kind: Pod, namespace: kube-system, selector: k8s-app=kube-scheduler } } ]\n\
         \x20 - settle: { within: 180s, stable_for: 20s }\n",
    );
    let (outcome, verdict) = played(&case);
    assert_eq!(verdict.result, CaseResult::Passed, "{}", story(&outcome));
    assert!(story(&outcome).contains("kube-scheduler-activated completed"));
}

#[test]
fn a_held_installer_does_nothing_until_the_faults_are_proven() {
    let case = scenario(
        1,
        "  - bootstrap: {}\n  - at: { step: pods-scheduled, moment: entered, inject: [ { reboot: { node: worker-1 } } ] }\n\
         \x20 - settle: { within: 120s, stable_for: 5s }\n",
    );
    let (outcome, verdict) = played(&case);
    assert_eq!(verdict.result, CaseResult::Passed, "{}", story(&outcome));
    let steps = outcome
        .observations
        .iter()
        .filter_map(|seen| match &seen.saw {
            Sighting::Step(step) => Some((step.held, seen.end_us)),
            _ => None,
        });
    let steps: Vec<(bool, u64)> = steps.collect();
    let held = steps
        .iter()
        .position(|(held, _)| *held)
        .expect("it is held");
    let proven_us = outcome
        .observations
        .iter()
        .find_map(|seen| matches!(seen.saw, Sighting::Fault(_)).then_some(seen.end_us));
    let proven_us = proven_us.expect("the fault was proven");
    assert!(steps[held].1 < proven_us, "{}", story(&outcome));
    assert!(steps[held + 1].1 >= proven_us, "{}", story(&outcome));
}

#[test]
fn an_address_that_is_not_reached_is_inconclusive() {
    let case = scenario(
        1,
        "  - bootstrap: {}\n  - at: { step: reinstating, moment: entered, inject: [ { kill_installer: {} } ] }\n  - resume: {}\n",
    );
    let (_, verdict) = played(&case);
    assert_eq!(
        verdict.result,
        CaseResult::Inconclusive,
        "{}",
        verdict.reason
    );
    assert!(verdict.reason.contains("reinstating"), "{}", verdict.reason);
}

#[test]
fn what_is_not_simulated_is_not_applicable_and_says_why() {
    let whole = |fault: &str| {
        scenario(
            1,
            &format!("  - bootstrap: {{}}\n  - inject: [ {fault} ]\n"),
        )
    };
    for (fault, words) in [
        (
            "{ kill: { component: dns, node: cp-1 } }",
            "dns is not simulated",
        ),
        ("{ delete: { kind: Node, name: cp-1 } }", "Node"),
        (
            "{ delete: { kind: Pod, namespace: default, selector: a=b } }",
            "a=b",
        ),
        (
            "{ delete: { kind: Pod, namespace: kube-system, name: x } }",
            "`x`",
        ),
        ("{ freeze: { node: cp-1 } }", "stand still"),
        (
            "{ roll: { component: kube-scheduler } }",
            "a DaemonSet has no revisions",
        ),
        (
            "{ delete: { kind: RoleBinding, namespace: kube-system, name: x } }",
            "everybody may do everything",
        ),
        (
            "{ change: { kind: Secret, namespace: kube-system, name: kube-apiserver } }",
            "have no content",
        ),
        (
            "{ remove_image: { component: kube-apiserver, node: cp-1 } }",
            "no image",
        ),
    ] {
        let why = timed::why_not_applicable(&whole(fault)).unwrap_or_default();
        assert!(why.contains(words), "{fault}: {why}");
    }
    let mut case = whole("{ reboot: { node: cp-1 } }");
    assert_eq!(timed::why_not_applicable(&case), None);
    case.cluster.kubernetes = "1.12".to_owned();
    assert!(timed::why_not_applicable(&case).is_some_and(|why| why.contains("1.12")));
    case.cluster.kubernetes = "1.35".to_owned();
    case.cluster.workers = 30;
    assert!(timed::why_not_applicable(&case).is_some_and(|why| why.contains("31 nodes")));
}

/// The same nodes are hit on every backend: draws depend on seed, entry and place only.
#[test]
fn drawn_victims_are_those_of_the_language() {
    let begin = "  - bootstrap: {}\n  - settle: { within: 120s, stable_for: 5s }\n";
    let case = scenario(
        3,
        &format!(
            "{begin}  - inject: [ {{ kill: {{ component: etcd, node: \"@any-control-plane\" }} }} ]\n"
        ),
    );
    let (outcome, _) = played(&case);
    let hit = outcome
        .observations
        .iter()
        .find_map(|seen| match &seen.saw {
            Sighting::Fault(record) => Some(record.targets.clone()),
            _ => None,
        });
    let Some(scenarios::Entry::Inject(faults)) = case.timeline.get(2) else {
        panic!("the third entry injects")
    };
    let Fault::Kill(kill) = &faults[0] else {
        panic!("it kills")
    };
    assert_eq!(kill.component, Component::Etcd);
    let snapshot = scenarios::ClusterSnapshot {
        nodes: case.cluster.nodes(),
        bootstrap: case.cluster.bootstrap_node(),
        etcd_leader: None,
        holders: BTreeMap::new(),
        bound: BTreeMap::new(),
    };
    let draw = scenarios::Draw::of_fault(case.seed, 2, 0);
    let expected = scenarios::resolve_all(&kill.node, &snapshot, draw).ok();
    assert_eq!(hit, expected);
}

#[test]
fn the_page_on_the_model_is_fresh() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/simulator.md");
    let stands = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        stands == timed::model_page(),
        "docs/simulator.md is stale: `cargo run -p simulator --example model-page > docs/simulator.md`"
    );
}

/// Looking less often changes nothing of what happens, and little of what is known of it.
#[test]
fn what_is_looked_at_sparingly_takes_the_same_course() {
    let (mut steady_count, mut sparing_count) = (0, 0);
    for case in playable(4) {
        let plan = plan_of(&case);
        let (steady, verdict) = played(&case);
        let sparing = timed::run_sparingly(&case, &plan);
        let seen = judge(&sparing.observations, &case.expect);
        // A case that expects a violation ends as soon as somebody sees it.
        if case.expect.violated.is_empty() {
            assert_eq!(sparing.log, steady.log, "{}", case.id);
            assert_eq!(sparing.took_ms, steady.took_ms, "{}", case.id);
        }
        assert_ne!(
            seen.result,
            CaseResult::Failed,
            "{}: {}",
            case.id,
            seen.reason
        );
        assert_eq!(verdict.result, CaseResult::Passed, "{}", case.id);
        steady_count += steady.observations.len();
        sparing_count += sparing.observations.len();
    }
    println!("{sparing_count} observations instead of {steady_count}");
    assert!(
        sparing_count * 3 < steady_count * 2,
        "{sparing_count} of {steady_count}"
    );
}

/// Invariants of this version that nothing in the suite ever judged: of those nothing is known, whatever passes.
fn never_judged(judged: &BTreeSet<String>) -> Vec<&'static str> {
    let implemented = register::all().filter(|rule| rule.is_implemented());
    let slugs = implemented.map(|rule| rule.slug);
    slugs.filter(|slug| !judged.contains(*slug)).collect()
}

/// What is judged of recoveries and of users' workloads, which are played on containers only: the oracle's own
/// streams try it.
const ON_CONTAINERS_ONLY: [&str; 4] = [
    "decisions-use-fresh-facts",
    "one-operator-at-a-time",
    "workloads-keep-running",
    "recovery-from-snapshot",
];

/// The catalogue in virtual time and `modern` in the smallest coarse worlds.
#[test]
fn every_invariant_leaves_unknown_somewhere() {
    let mut judged = BTreeSet::new();
    for case in playable(1) {
        let (_, verdict) = played(&case);
        let known = verdict
            .invariants
            .into_iter()
            .filter(|judged| matches!(judged.judgement, Judgement::Holds | Judgement::Violated(_)));
        judged.extend(known.map(|judged| judged.slug));
    }
    let by_the_catalogue = judged.clone();
    for (_, config) in worlds_of_modern(1) {
        let world = World::new(config);
        let coverage = explore(&world, &search(), &go_on).coverage();
        let known = coverage.held.into_iter().chain(coverage.violated);
        judged.extend(known.map(ToOwned::to_owned));
    }
    println!(
        "not by the catalogue: {:?}",
        never_judged(&by_the_catalogue)
    );
    assert_eq!(never_judged(&judged), ON_CONTAINERS_ONLY);
    judged.extend(ON_CONTAINERS_ONLY.map(ToOwned::to_owned));
    judged.remove("one-etcd-cluster");
    assert_eq!(
        never_judged(&judged),
        ["one-etcd-cluster"],
        "the check can fail"
    );
}
