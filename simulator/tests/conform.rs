//! Records of the simulators are paths of the coarse world; corrupted ones are not.

use std::path::Path;

use pivot::Plan;
use scenarios::{Case, Installer, Overrides, Selection, expand, load};
use simulator::conform::{Bounds, Conformance, Outcome, conform};
use simulator::timed;

fn catalogue(seed: u64) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/catalogue");
    let scenarios = load(&[path], &Overrides::default()).expect("the catalogue is sound");
    let selection = Selection {
        seed,
        ..Selection::default()
    };
    expand(&scenarios, &selection).expect("it expands").cases
}

fn followed(case: &Case) -> Conformance {
    let Installer::Selfhost(selfhost) = &case.installer;
    let plan = Plan::named(&selfhost.policy).expect("the catalogue has built-in policies only");
    let outcome = timed::run(case, &plan);
    conform(&plan, !selfhost.switches.is_empty(), &outcome.observations, Bounds::USUAL)
}

/// Nothing that a timed run shows is impossible in the coarse world, as far as that covers it.
#[test]
fn timed_runs_of_the_catalogue_conform() {
    let mut uncovered = 0;
    for seed in 1..=3 {
        for case in catalogue(seed) {
            let found = followed(&case);
            println!(
                "{} seed {seed}: {} of {} changes, belief {}, capped {}, unusual {}{}",
                case.id, found.explained, found.changes, found.belief_most, found.capped, found.unusual,
                found.uncovered.as_ref().map_or(String::new(), |why| format!(", not covered: {why}"))
            );
            uncovered += usize::from(found.uncovered.is_some());
            if found.outcome != Outcome::Conforms { println!("{:#?}", found.outcome); }
        }
    }
    println!("{uncovered}");
}
