//! The thin world itself: it brings a cluster up, and a killed installer ends as an undisturbed one does.

use oracle::{Observation, Sighting};
use pivot::{Plan, contract, modern};
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
        if std::env::var_os("SHOW_STEPS").is_some() {
            println!("{:#?}", steps(&run));
        }
    }
}
