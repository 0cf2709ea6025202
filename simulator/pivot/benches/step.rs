//! How long a step of the machine takes: `cargo bench -p pivot --bench step`. A figure, no test.
//!
//! Prints processor time, not wall time, of all steps of recorded walks, and of each kind of input.

use std::hint::black_box;

use bench::{Bench, walks};
use pivot::{Input, LogEntry, Plan, State, resume, step};
use rustix::time::{ClockId, clock_gettime};

#[path = "../tests/bench/mod.rs"]
mod bench;

/// How often each list of steps is gone through.
const ROUNDS: u32 = 2_000;
const KINDS: [&str; 4] = ["facts", "finished", "elapsed", "released"];

/// Steps of one walk. Walk by walk they stay in the nearest cache, as a world's facts do that were just made.
struct Steps<'a> {
    plan: &'a Plan,
    steps: Vec<(State, Input)>,
}

fn main() {
    let walks = walks();
    let all: Vec<Steps> = walks.iter().map(|walk| steps(walk, |_| true)).collect();
    tell("all", &all);
    for kind in KINDS {
        let of_kind = |walk| steps(walk, |input| name(input) == kind);
        let of_kind: Vec<Steps> = walks.iter().map(of_kind).collect();
        tell(kind, &of_kind);
    }
}

fn name(input: &Input) -> &'static str {
    match input {
        Input::Facts(_) => KINDS[0],
        Input::Finished(..) => KINDS[1],
        Input::Elapsed(_) => KINDS[2],
        Input::Released(..) => KINDS[3],
    }
}

fn steps(walk: &Bench, counts: impl Fn(&Input) -> bool) -> Steps<'_> {
    let plan = &walk.plan;
    let (mut steps, mut state) = (Vec::new(), State::FIRST);
    for entry in &walk.log {
        (state, _) = match entry {
            LogEntry::Resumed { durable, .. } => resume(plan, *durable),
            LogEntry::Stepped { input, .. } => {
                if counts(input) {
                    steps.push((state, *input));
                }
                step(plan, state, input)
            }
        };
    }
    Steps { plan, steps }
}

fn tell(what: &str, walks: &[Steps]) {
    let count: usize = walks.iter().map(|walk| walk.steps.len()).sum();
    let mut rounds: Vec<u64> = (0..5).map(|_| walks.iter().map(took_ns).sum()).collect();
    rounds.sort_unstable();
    let each = rounds[2] as f64 / f64::from(ROUNDS) / count as f64;
    println!("{what:9} {count:5} steps, {each:5.1} ns each");
}

fn took_ns(walk: &Steps) -> u64 {
    let began_ns = processor_ns();
    for _ in 0..ROUNDS {
        for (state, input) in &walk.steps {
            black_box(step(walk.plan, black_box(*state), input));
        }
    }
    processor_ns() - began_ns
}

/// Processor time of this process, in nanoseconds.
fn processor_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
