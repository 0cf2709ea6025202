//! How fast timed runs are: `cargo bench -p simulator --bench timed`. A figure, no test.
//!
//! Plays the whole catalogue, with several seeds, and judges it; then random trials. Prints wall
//! time, virtual time, and how much faster than life that is.

use std::path::Path;
use std::time::{Duration, Instant};

use oracle::judge;
use pivot::{Plan, modern};
use scenarios::{Case, Installer, Overrides, Selection, expand, load};
use simulator::swarm::{Bounds, search};
use simulator::timed;

fn main() {
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/catalogue");
    let scenarios = load(&[catalogue], &Overrides::default()).expect("the catalogue is valid");
    for seed in 1..=5 {
        let selection = Selection {
            seed,
            ..Selection::default()
        };
        let cases = expand(&scenarios, &selection).expect("it expands").cases;
        tell_cases(seed, &cases);
    }
    for faults in 1..=2 {
        let bounds = Bounds {
            control_planes: 3,
            faults,
        };
        let begun = Instant::now();
        let count = 100;
        let tally = search(&modern(), "modern", bounds, 1, count);
        let took = begun.elapsed();
        println!(
            "{count} trials with up to {faults} faults in {took:.2?}: {} a minute; {}",
            per_minute(count, took),
            faster(tally.virtual_ms, took)
        );
    }
}

fn tell_cases(seed: u64, cases: &[Case]) {
    let (mut played, mut judged) = (Duration::ZERO, Duration::ZERO);
    let (mut virtual_ms, mut observations) = (0, 0);
    for case in cases {
        let Installer::Selfhost(selfhost) = &case.installer;
        let plan = Plan::named(&selfhost.policy).expect("the catalogue has built-in policies only");
        let begun = Instant::now();
        let outcome = timed::run(case, &plan);
        played += begun.elapsed();
        let begun = Instant::now();
        let verdict = judge(&outcome.observations, &case.expect);
        judged += begun.elapsed();
        virtual_ms += outcome.took_ms;
        observations += verdict.observations;
    }
    println!(
        "seed {seed}: {} cases, {observations} observations, {} s of virtual time: played in {played:.2?}, judged in {judged:.2?}; {}",
        cases.len(),
        virtual_ms / 1_000,
        faster(virtual_ms, played + judged)
    );
}

fn per_minute(count: usize, took: Duration) -> u128 {
    count as u128 * 60_000_000 / took.as_micros().max(1)
}

fn faster(virtual_ms: u64, took: Duration) -> String {
    let times = u128::from(virtual_ms) * 1_000 / took.as_micros().max(1);
    format!("{times} virtual seconds a second")
}
