//! The checkpoint agent in its exhaustive world: `modern` makes no mistake in it, each known mistake is
//! caught, and the page says so.

use std::collections::BTreeSet;
use std::path::Path;

use pivot::ComponentSet;
use pivot::checkpoint::modern_agent;
use simulator::agent::{Config, Faults, Trial, World, page, subjects, tried};
use simulator::explore::{
    Bounds, End, Model, Returns, Search, Symmetry, Until, explore, go_on, returns,
};

fn trials() -> Vec<Trial> {
    subjects()
        .into_iter()
        .map(|subject| tried(subject).expect("mirrored nodes behave alike"))
        .collect()
}

#[test]
fn each_known_mistake_is_caught_and_the_page_says_what_is_found() {
    let trials = trials();
    for trial in &trials {
        let found: BTreeSet<_> = trial.found.iter().map(|found| found.slug).collect();
        for slug in trial.subject.catches {
            assert!(
                found.contains(slug),
                "{}: {slug} is not found",
                trial.subject.name
            );
        }
        let is_caught = !trial.subject.catches.is_empty();
        assert_eq!(
            is_caught,
            !found.is_empty(),
            "{}: {found:?}",
            trial.subject.name
        );
    }
    let stands = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/checkpoints.md");
    let stands = std::fs::read_to_string(stands).expect("docs/checkpoints.md is there");
    let page = page(&trials).expect("a page is a string");
    assert!(
        stands == page,
        "docs/checkpoints.md is old; make it anew as its second line says"
    );
}

/// One fault, two nodes. Two faults take minutes: `chrysalis explore --agents --control-planes 2 --faults 2`.
#[test]
fn modern_makes_no_mistake_on_two_nodes() {
    let faults = Faults::any(1);
    let world = World::new(Config::new(modern_agent(), ComponentSet::ALL, 2, faults));
    let search = Search {
        bounds: Bounds::within_mib(2_048),
        symmetry: Symmetry::On,
        until: Until::Exhausted,
        threads: 2,
    };
    let found = explore(&world, &search, &go_on);
    let coverage = found.coverage();
    assert_eq!(coverage.end, End::Exhausted);
    assert_eq!(coverage.violated, Vec::<&str>::new());
    let own = |action| !world.is_outside(action);
    let returns = returns(&found, &own, &go_on).expect("mirrored nodes behave alike");
    assert!(matches!(returns, Returns::Always));
}
