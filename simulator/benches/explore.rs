//! How fast the explorer is, beside stateright on the same models: the shipped one, and a toy.
//!
//! `cargo bench -p simulator --bench explore -- [--threads N] [--runs N] [--model NAME]`
//!
//! Each run is a process of its own, so that peak memory is that of one search. Times are printed only
//! if both engines count the same states and transitions. Symmetry is off; every state is judged by both.

use std::process::Command;
use std::time::Instant;

use pivot::{bootkube, modern};
use simulator::coarse::{Budgets, Config, World};
use simulator::explore::{Bounds, End, Model, Search, Symmetry, Until, explore, go_on};
use stateright::{Checker, Model as _};

use stateright_model::Stateright;
use two_phase::TwoPhase;

#[path = "../tests/explore/stateright_model.rs"]
mod stateright_model;
#[path = "../tests/explore/toys/two_phase.rs"]
mod two_phase;

/// What is searched by default: the coarse world in four configurations, and two-phase commit with
/// eight managers.
const MODELS: [&str; 5] = [
    "modern-1-troubled",
    "modern-2-kill",
    "bootkube-2-cut",
    "modern-3-calm",
    "two-phase-8",
];
const ENGINES: [&str; 3] = ["own", "stateright-bfs", "stateright-dfs"];

/// One search in numbers. What cannot be known is zero.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Run {
    states: u64,
    transitions: u64,
    took_us: u64,
    peak_bytes: u64,
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let number = |name: &str, otherwise: u64| {
        let at = words.iter().position(|word| word == name);
        at.map_or(otherwise, |at| {
            words[at + 1].parse().expect("a number follows")
        })
    };
    let word = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        Some(words[at + 1].as_str())
    };
    let threads = number("--threads", 1);
    if let (Some(engine), Some(model)) = (word("--one"), word("--model")) {
        let Run {
            states,
            transitions,
            took_us,
            peak_bytes,
        } = run(model, engine, threads as usize);
        println!("{states} {transitions} {took_us} {peak_bytes}");
        return;
    }
    let runs = number("--runs", 5);
    let chosen = word("--model");
    for model in MODELS {
        if chosen.is_none_or(|chosen| chosen == model) {
            compare(model, threads, runs);
        }
    }
}

fn compare(model: &str, threads: u64, runs: u64) {
    println!("{model}, {threads} threads, medians of {runs}");
    println!(
        "{:16} {:>11} {:>12} {:>8} {:>14} {:>11} {:>11}",
        "engine", "states", "transitions", "ms", "transitions/s", "states/s", "bytes/state"
    );
    // In turns, so that a disturbance meets all engines alike.
    let mut all: [Vec<Run>; ENGINES.len()] = Default::default();
    for _ in 0..runs {
        for (engine, all) in ENGINES.iter().zip(&mut all) {
            all.push(in_own_process(model, engine, threads));
        }
    }
    let medians = all.map(median);
    let counts = |run: &Run| (run.states, run.transitions);
    assert!(
        medians.iter().all(|run| counts(run) == counts(&medians[0])),
        "the engines disagree: {medians:?}"
    );
    for (engine, run) in ENGINES.iter().zip(&medians) {
        let per_second = |many: u64| many * 1_000_000 / run.took_us.max(1);
        println!(
            "{engine:16} {:>11} {:>12} {:>8} {:>14} {:>11} {:>11}",
            run.states,
            run.transitions,
            run.took_us / 1_000,
            per_second(run.transitions),
            per_second(run.states),
            run.peak_bytes / run.states,
        );
    }
}

/// The run of median time.
fn median(mut runs: Vec<Run>) -> Run {
    runs.sort_by_key(|run| run.took_us);
    runs[runs.len() / 2]
}

fn in_own_process(model: &str, engine: &str, threads: u64) -> Run {
    let this = std::env::current_exe().expect("a benchmark knows its own file");
    let threads = threads.to_string();
    let arguments = ["--one", engine, "--model", model, "--threads", &threads];
    let output = Command::new(this)
        .args(arguments)
        .output()
        .expect("it can be run again");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<u64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [states, transitions, took_us, peak_bytes] = numbers[..] else {
        panic!(
            "{engine} failed: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    Run {
        states,
        transitions,
        took_us,
        peak_bytes,
    }
}

fn run(model: &str, engine: &str, threads: usize) -> Run {
    let none = Budgets::default();
    let config = match model {
        "two-phase-8" => return one(TwoPhase::correct(8), engine, threads),
        "modern-1-troubled" => Config::calm(modern(), 1).with(Budgets {
            installer_kills: 1,
            lost_answers: 1,
            kills: 1,
            ..none
        }),
        "modern-2-kill" => Config::calm(modern(), 2).with(Budgets { kills: 1, ..none }),
        "bootkube-2-cut" => Config::calm(bootkube(), 2).with(Budgets {
            power_cuts: 1,
            ..none
        }),
        "modern-3-calm" => Config::calm(modern(), 3),
        other => panic!("no model is called {other}"),
    };
    one(World::new(config), engine, threads)
}

fn one<M>(model: M, engine: &str, threads: usize) -> Run
where
    M: Model + Send + 'static,
    M::State: Send + Sync + std::hash::Hash + 'static,
    M::Action: Send + Sync + 'static,
{
    let began = Instant::now();
    let (states, transitions) = match engine {
        "own" => {
            let bounds = Bounds::within_mib(8_192);
            let search = Search {
                bounds,
                symmetry: Symmetry::Off,
                until: Until::Exhausted,
                threads,
            };
            let coverage = explore(&model, &search, &go_on).coverage();
            assert_eq!(coverage.end, End::Exhausted);
            (coverage.states, coverage.transitions)
        }
        "stateright-bfs" => counted(
            &Stateright(model)
                .checker()
                .threads(threads)
                .spawn_bfs()
                .join(),
        ),
        "stateright-dfs" => counted(
            &Stateright(model)
                .checker()
                .threads(threads)
                .spawn_dfs()
                .join(),
        ),
        other => panic!("no engine is called {other}"),
    };
    let took_us = began.elapsed().as_micros() as u64;
    Run {
        states,
        transitions,
        took_us,
        peak_bytes: peak_bytes(),
    }
}

/// States and transitions; stateright counts initial states among what it generated.
fn counted<M: stateright::Model>(checker: &impl Checker<M>) -> (u64, u64) {
    (
        checker.unique_state_count() as u64,
        checker.state_count() as u64 - 1,
    )
}

/// The most memory that this process ever had.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        * 1_024
}
