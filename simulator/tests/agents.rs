//! Checkpoint agents in timed runs: what they save brings the control plane back.

use std::path::PathBuf;

use oracle::{CaseResult, Sighting, judge};
use pivot::Plan;
use pivot::checkpoint::{ActivateRule, AgentPlan, RuntimeErrorRule, replay};
use scenarios::{Case, Overrides, Selection, expand, load};
use simulator::timed::{self, Outcome};

fn case(control_plane: u32, timeline: &str) -> Case {
    let text = format!(
        "name: tried\nabout: For a test.\ncluster: {{ control_plane: {control_plane}, workers: 1, kubernetes: \"1.34\" }}\n\
         cases:\n  - {{ installer: {{ selfhost: {{ policy: modern }} }} }}\ntimeline:\n{timeline}"
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file: PathBuf = folder.path().join("case.yaml");
    std::fs::write(&file, text).expect("the file can be written");
    let scenarios = load(&[file], &Overrides::default());
    let scenarios = scenarios.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let expanded = expand(&scenarios, &Selection::default());
    expanded.expect("it expands").cases.remove(0)
}

fn story(outcome: &Outcome) -> String {
    let line = |seen: &oracle::Observation| {
        let told = reports::narrate(seen)?;
        Some(format!("{:>7} {}", seen.end_us / 1_000, told.text))
    };
    let lines: Vec<String> = outcome.observations.iter().filter_map(line).collect();
    lines.join("\n")
}

/// Plays the case under `modern`, and gives what came of it.
fn settled(case: &Case) -> Outcome {
    let plan = Plan::named("modern").expect("it ships");
    assert_eq!(timed::why_not_applicable(case), None, "{}", case.id);
    let outcome = timed::run(case, &plan);
    let verdict = judge(&outcome.observations, &case.expect);
    let reason = &verdict.reason;
    assert_eq!(
        verdict.result,
        CaseResult::Passed,
        "{reason}\n{}",
        story(&outcome)
    );
    outcome
}

const REBOOT_OF_ALL: &str = "  - bootstrap: {}\n  - settle: { within: 120s, stable_for: 20s }\n\
     \x20 - inject: [ { power_off: { node: \"@all-control-plane\" } } ]\n  - wait: 20s\n  - heal: {}\n\
     \x20 - settle: { within: 120s, stable_for: 15s }\n";

#[test]
fn a_control_plane_that_lost_its_power_returns_by_its_checkpoints() {
    for control_plane in [1, 3] {
        let outcome = settled(&case(control_plane, REBOOT_OF_ALL));
        let steps: Vec<String> = outcome
            .observations
            .iter()
            .filter_map(|seen| match &seen.saw {
                Sighting::Step(step) => {
                    Some(format!("{} {} {}", step.actor, step.step, step.moment))
                }
                _ => None,
            })
            .collect();
        for expected in [
            "kube-apiserver-activated completed",
            "kube-apiserver-retired completed",
        ] {
            let address = format!("checkpoint@cp-1 {expected}");
            assert!(steps.contains(&address), "{address}\n{}", story(&outcome));
        }
        for (node, log) in &outcome.agent_logs {
            let plan = AgentPlan::named("modern").expect("it ships");
            assert_eq!(replay(&plan, log), Ok(()), "{node}");
        }
    }
}

#[test]
fn controllers_that_are_all_lost_return_while_the_api_lives() {
    for component in ["kube-scheduler", "kube-controller-manager"] {
        let timeline = format!(
            "  - bootstrap: {{}}\n  - settle: {{ within: 120s, stable_for: 20s }}\n\
             \x20 - inject: [ {{ delete: {{ kind: Pod, namespace: kube-system, selector: k8s-app=kube-scheduler }} }}, {{ delete: {{ kind: Pod, namespace: kube-system, selector: k8s-app={component} }} }} ]\n\
             \x20 - settle: {{ within: 180s, stable_for: 15s }}\n"
        );
        settled(&case(3, &timeline));
    }
}

/// A runtime that does not answer says nothing of what runs; history took its silence for an absence.
#[test]
fn a_silent_runtime_starts_copies_only_under_an_agent_that_takes_it_for_an_absence() {
    let timeline = "  - bootstrap: {}\n  - settle: { within: 120s, stable_for: 5s }\n\
         \x20 - inject: [ { stop: { unit: containerd, node: \"@all-control-plane\" } } ]\n  - wait: 20s\n  - heal: {}\n\
         \x20 - settle: { within: 120s, stable_for: 15s }\n";
    let case = case(3, timeline);
    let started = "kube-apiserver-activated completed";
    assert!(!story(&settled(&case)).contains(started));
    let mut agent = AgentPlan::named("modern").expect("it ships");
    agent.rules.runtime_error = RuntimeErrorRule::AssumeDead;
    agent.rules.activate = ActivateRule::ParentAbsent;
    let plan = Plan::named("modern").expect("it ships");
    let outcome = timed::run_with_agents(&case, &plan, Some(agent));
    assert!(story(&outcome).contains(started), "{}", story(&outcome));
}

/// What cannot be committed is written anew, and is complete before the installer goes on.
#[test]
fn a_version_that_is_torn_while_it_is_written_is_written_anew() {
    let timeline = "  - bootstrap: {}\n\
         \x20 - at: { actor: checkpoint@cp-1, step: kube-apiserver-written, moment: completed, inject: [ { tear: { node: cp-1, path: /var/lib/selfhost/checkpoints/kube-apiserver/*/manifest.json, keep_bytes: 0 } } ] }\n\
         \x20 - settle: { within: 120s, stable_for: 5s }\n";
    let outcome = settled(&case(1, timeline));
    let count = |words: &str| story(&outcome).matches(words).count();
    assert_eq!(count("step kube-apiserver-written completed"), 2);
    assert_eq!(count("step kube-apiserver-saved completed"), 1);
}
