//! How fast timed runs are: `cargo bench -p simulator --bench timed`. A figure, no test.
//!
//! Plays the whole catalogue, with several seeds, and judges it; then random trials. Prints wall
//! time, virtual time, and how much faster than life that is. `-- trials` leaves the catalogue out.

use std::path::Path;
use std::time::{Duration, Instant};

use oracle::judge;
use pivot::{Plan, modern};
use rustix::time::{ClockId, clock_gettime};
use scenarios::{Case, Installer, Overrides, Selection, expand, load};
use simulator::swarm::{Bounds, Draw, search};
use simulator::timed;

/// As many trials are timed at once.
const TRIALS: usize = 1_000;

fn main() {
    if !std::env::args().any(|word| word == "trials") {
        play_catalogue();
    }
    for (threads, faults) in [(1, 1), (1, 2), (2, 2)] {
        tell_trials(threads, faults);
    }
}

fn play_catalogue() {
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
}

fn tell_trials(threads: usize, faults: usize) {
    let bounds = Bounds {
        control_planes: 3,
        faults,
    };
    let (begun, begun_us, count) = (Instant::now(), processor_us(), TRIALS);
    let draws = [Draw { seed: 1, count }];
    let tally = search(threads, &modern(), "modern", bounds, &draws);
    let (took, busy_us) = (begun.elapsed(), processor_us() - begun_us);
    println!(
        "{count} trials with up to {faults} faults on {threads} threads in {took:.2?}: {} a minute; \
         {} us of processor time each; {}; {} passed, {} failed, {} inconclusive, {} refused",
        per_minute(count, took),
        busy_us / count as u64,
        faster(tally.virtual_ms, took),
        tally.passed,
        tally.failed.len(),
        tally.inconclusive.len(),
        tally.refused
    );
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

/// Processor time of this process, all threads, in microseconds.
fn processor_us() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}
