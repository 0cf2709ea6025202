//! Prints the table of `docs/explore.md`: `modern` with every pair of kinds of fault, tried completely.
//!
//! `cargo run --release -p simulator --example two-faults -- NODES [TIMES]`: each of the two kinds TIMES
//! times (once unless said), one kind alone twice as often. A search ends after so many states, which takes
//! less than 8 GiB, and says then how far it came: every way up to that many actions was tried.

use std::time::Instant;

use pivot::modern;
use simulator::coarse::{Budgets, Config, World};
use simulator::explore::{Bounds, End, Search, Symmetry, Until, explore, go_on, grouped};

const KINDS: [&str; 6] = [
    "power-cut",
    "kill",
    "kill-installer",
    "lost-answer",
    "timing",
    "restart",
];

/// No search of the table goes on after so many states.
const MOST_STATES: u64 = 30_000_000;

fn main() {
    let numbers: Vec<u8> = std::env::args()
        .skip(1)
        .map(|word| word.parse().expect("a number of nodes, and of times"))
        .collect();
    let nodes = numbers.first().copied().unwrap_or(1);
    let times = numbers.get(1).copied().unwrap_or(1);
    for (place, one) in KINDS.iter().enumerate() {
        for (other_place, other) in KINDS.iter().enumerate().skip(place) {
            let mut left = [0; KINDS.len()];
            left[place] += times;
            left[other_place] += times;
            row(nodes, &format!("{one} + {other}"), left);
        }
    }
}

fn row(nodes: u8, faults: &str, left: [u8; KINDS.len()]) {
    let [
        power_cuts,
        kills,
        installer_kills,
        lost_answers,
        timing,
        restarts,
    ] = left;
    let budgets = Budgets {
        power_cuts,
        kills,
        installer_kills,
        lost_answers,
        timing,
        restarts,
    };
    let world = World::new(Config::calm(modern(), nodes).with(budgets));
    let search = Search {
        bounds: Bounds::within_mib(8_192).states(MOST_STATES),
        symmetry: Symmetry::On,
        until: Until::Exhausted,
        threads: 2,
    };
    let began = Instant::now();
    let coverage = explore(&world, &search, &go_on).coverage();
    let seconds = began.elapsed().as_secs_f64();
    let violated = match coverage.violated.as_slice() {
        [] => "nothing".to_owned(),
        violated => violated.join(", "),
    };
    let depth = match coverage.end {
        End::Exhausted => coverage.depth.to_string(),
        _ => format!(
            "{}, {} states not expanded",
            coverage.depth,
            grouped(coverage.frontier)
        ),
    };
    println!(
        "| {nodes} | {faults} | {} | {} | {depth} | {seconds:.1} | {violated} |",
        grouped(coverage.states),
        grouped(coverage.transitions),
    );
}
