//! How fast the coarse world moves on one core: actions, apply, pack and judge, without any table.
//!
//! Counts processor time, so that what else the machine does matters little.
//!
//! `cargo run --release -p simulator --example coarse-rate [-- SECONDS]`

use std::collections::HashSet;
use std::hint::black_box;

use pivot::{bootkube, modern};
use rustix::time::{ClockId, clock_gettime};
use simulator::coarse::{Budgets, Config, State, World};
use simulator::explore::Model;

/// States of the sample: more than fit into the nearest caches.
const SAMPLE: usize = 50_000;

fn main() {
    let seconds = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(2.0);
    let cut = Budgets {
        power_cuts: 1,
        ..Budgets::default()
    };
    for (plan, nodes) in [(modern(), 1), (modern(), 3), (bootkube(), 3)] {
        let world = World::new(Config::calm(plan, nodes).with(cut));
        let sample = sample(&world);
        let rate = rate(&world, &sample, seconds);
        println!(
            "{} with {nodes} nodes: {:.1} million transitions/s over {} states",
            world.config().plan.policy,
            rate / 1e6,
            sample.len(),
        );
    }
}

/// Keys of the first states, breadth first, of which every fourth is kept so that late ones come in.
fn sample(world: &World) -> Vec<u128> {
    let mut seen = HashSet::new();
    let mut layer: Vec<u128> = world
        .initial()
        .iter()
        .map(|state| world.pack(state, true))
        .collect();
    let mut sample = layer.clone();
    let mut actions = Vec::new();
    while sample.len() < SAMPLE && !layer.is_empty() {
        let mut next = Vec::new();
        for key in layer {
            let state = world.unpack(key);
            actions.clear();
            world.actions(&state, &mut actions);
            for action in &actions {
                let key = world.pack(&world.apply(&state, *action), true);
                if seen.insert(key) {
                    next.push(key);
                }
            }
        }
        sample.extend(&next);
        layer = next;
    }
    sample
}

/// Transitions per second of processor time.
fn rate(world: &World, sample: &[u128], seconds: f64) -> f64 {
    let began_s = processor_s();
    let mut transitions = 0_u64;
    let mut actions = Vec::new();
    while processor_s() - began_s < seconds {
        for key in sample {
            let state: State = world.unpack(*key);
            black_box(world.violated(&state));
            actions.clear();
            world.actions(&state, &mut actions);
            for action in &actions {
                black_box(world.pack(&world.apply(&state, *action), true));
            }
            transitions += actions.len() as u64;
        }
    }
    transitions as f64 / (processor_s() - began_s)
}

/// Processor time of this process in seconds.
fn processor_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
