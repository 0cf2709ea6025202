//! Prints rows of `docs/explore.md`: `modern` with power cuts from a step on, the latest step first.
//!
//! `cargo run --release -p simulator --example late-power-cuts -- NODES CUTS MIB [STEP]`: steps back to STEP
//! (the first unless said), until a search no longer fits into so much memory. A person may start again what holds.

use std::time::Instant;

use pivot::modern;
use simulator::coarse::{Budgets, Config, World};
use simulator::explore::{
    Bounds, End, Explored, Model, Returns, Search, Symmetry, Until, explore, go_on, grouped,
    returns,
};

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
    let config = Config::calm(modern(), u8::try_from(nodes).expect("few nodes")).with(budgets);
    for stage in modern().stages.iter().rev() {
        let step = stage.step.as_str();
        let late = config.clone().with_faults_from(step);
        let end = row(
            step,
            &World::new(late.expect("it is a step of the plan")),
            mib,
        );
        if end != End::Exhausted || words.get(3).is_some_and(|last| last == step) {
            return;
        }
    }
}

/// Explores the world and prints what came of it.
fn row(step: &str, world: &World, mib: u64) -> End {
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
    println!(
        "| {} | {} | {step} | {} | {} | {depth} | {seconds:.1} | {} | {} | {} |",
        world.config().control_planes,
        world.config().budgets.power_cuts,
        grouped(coverage.states),
        grouped(coverage.transitions),
        of_none(&coverage.violated),
        of_none(&coverage.never_judged),
        returning(world, &explored),
    );
    let bytes = coverage.bytes.checked_div(coverage.states).unwrap_or(0);
    eprintln!(
        "{step}: {bytes} bytes a state, digest {:016x}",
        coverage.digest
    );
    coverage.end
}

/// Whether the world always returns, and who is needed for it.
fn returning(world: &World, explored: &Explored<World>) -> &'static str {
    let by_itself = |action| !world.is_outside(action);
    let with_a_person = |action| by_itself(action) || world.is_help(action);
    let always = |allowed: &(dyn Fn(_) -> bool + Sync)| {
        let returns = returns(explored, allowed, &go_on).expect("mirrored states behave alike");
        match returns {
            Returns::Always => Some(true),
            Returns::NotFrom { .. } => Some(false),
            Returns::Unknown { .. } | Returns::Stopped => None,
        }
    };
    match (always(&by_itself), always(&with_a_person)) {
        (Some(true), _) => "by itself",
        (_, Some(true)) => "with a person",
        (_, Some(false)) => "not even with a person",
        (_, None) => "unknown",
    }
}
