//! Prints rows of `docs/explore.md`: `modern` with power cuts, in parts that leave nothing out, the latest first.
//!
//! `cargo run --release -p simulator --example power-cuts-in-parts -- NODES CUTS MIB [FIRST [LAST]]`: each part has the first
//! cut at one step, on the bootstrap node or on another one; whatever follows it happens at any time. Steps go back
//! from LAST to FIRST (all of them unless said), until a search no longer fits into so much memory. Checkpoints on nodes
//! that nothing can hit any more are saved at once. A person may start again what holds.

use std::time::Instant;

use pivot::modern;
use simulator::coarse::{Budgets, Config, Hits, World};
use simulator::explore::{
    Bounds, End, Explored, Model, Returns, Search, Symmetry, Until, explore, go_on, grouped,
    returns,
};

/// Above so many states it is not asked whether the world returns: that takes several times as long as the search.
const ASKED_UP_TO_STATES: u64 = 25_000_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| words.get(place).and_then(|word| word.parse().ok());
    let (Some(nodes), Some(cuts), Some(mib)) = (number(0), number(1), number(2)) else {
        panic!("write the number of nodes, of power cuts, and of MiB");
    };
    let budgets = Budgets {
        power_cuts: u8::try_from(cuts).expect("few power cuts"),
        restarts: Budgets::ANY_NUMBER,
        ..Budgets::default()
    };
    let mut config = Config::calm(modern(), u8::try_from(nodes).expect("few nodes")).with(budgets);
    config.saves_at_once = true;
    let plan = modern();
    let steps: Vec<&str> = plan
        .stages
        .iter()
        .map(|stage| stage.step.as_str())
        .collect();
    let place = |word: usize| {
        let step = words.get(word)?;
        Some(
            steps
                .iter()
                .position(|known| known == step)
                .expect("it is a step of the plan"),
        )
    };
    let (first, last) = (place(3).unwrap_or(0), place(4).unwrap_or(steps.len() - 1));
    for number in (first..=last).rev() {
        for hits in [Hits::BootstrapNode, Hits::OtherNode] {
            if hits == Hits::OtherNode && config.control_planes == 1 {
                continue;
            }
            let part = config.clone().with_first_fault_on(hits);
            let part = part.with_faults_from(steps[number]).expect("it is a step");
            let part = match steps.get(number + 1) {
                Some(next) => part.with_first_fault_before(next).expect("it is a step"),
                None => part,
            };
            if row(steps[number], hits, &World::new(part), mib) != End::Exhausted {
                return;
            }
        }
    }
}

/// Explores the world and prints what came of it.
fn row(step: &str, hits: Hits, world: &World, mib: u64) -> End {
    let search = Search {
        bounds: Bounds::within_mib(mib),
        symmetry: Symmetry::On,
        until: Until::Exhausted,
        threads: 2,
    };
    let began = Instant::now();
    let explored = explore(world, &search, &go_on);
    let seconds = began.elapsed().as_secs_f64();
    let coverage = explored.coverage();
    let depth = match coverage.end {
        End::Exhausted => coverage.depth.to_string(),
        _ => {
            let left = grouped(coverage.frontier);
            format!("{}, {left} states not expanded", coverage.depth)
        }
    };
    let of_none = |slugs: &[&str]| match slugs {
        [] => "nothing".to_owned(),
        slugs => slugs.join(", "),
    };
    let bytes = coverage.bytes.checked_div(coverage.states).unwrap_or(0);
    eprintln!(
        "{step}: {} states, {bytes} bytes each, digest {:016x}, {seconds:.1} s",
        grouped(coverage.states),
        coverage.digest
    );
    println!(
        "| {} | {} | {step} | {} | {} | {} | {depth} | {seconds:.1} | {} | {} | {} |",
        world.config().control_planes,
        world.config().budgets.power_cuts,
        match hits {
            Hits::BootstrapNode => "bootstrap",
            Hits::OtherNode => "other",
            Hits::Anything => "any",
        },
        grouped(coverage.states),
        grouped(coverage.transitions),
        of_none(&coverage.violated),
        of_none(&coverage.never_judged),
        returning(world, &explored),
    );
    coverage.end
}

/// Whether the world always returns, and who is needed for it.
fn returning(world: &World, explored: &Explored<World>) -> &'static str {
    if explored.coverage().states > ASKED_UP_TO_STATES {
        return "not asked";
    }
    let by_itself = |action| !world.is_outside(action);
    let with_a_person = |action| by_itself(action) || world.is_help(action);
    let always = |allowed: &(dyn Fn(_) -> bool + Sync)| {
        let returns = returns(explored, allowed, &go_on).expect("mirrored states behave alike");
        match returns {
            Returns::Always => Some(true),
            Returns::NotFrom { .. } => Some(false),
            Returns::Unknown { .. } | Returns::TooLarge { .. } | Returns::Stopped => None,
        }
    };
    match always(&by_itself) {
        Some(true) => "by itself",
        _ => match always(&with_a_person) {
            Some(true) => "with a person",
            Some(false) => "not even with a person",
            None => "unknown",
        },
    }
}
