//! `docs/mutants.md` is what the searches give; the suite judges everything and makes everything happen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use simulator::coarse::{Budgets, Config, INVARIANTS, World};
use simulator::counterexample::page::{NOT_CAUGHT, page, standing_long_part};
use simulator::counterexample::suite::{search, takes_long, worlds_of_modern};
use simulator::explore::{Coverage, End, explore, go_on};

use super::surveys;

#[test]
fn the_page_on_mutants_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mutants.md");
    let stands = std::fs::read_to_string(file).unwrap_or_default();
    let long = standing_long_part(&stands).expect("the page has a part that takes long");
    let made = page(surveys(), long).expect("mirrored states behave alike");
    assert!(
        stands == made,
        "docs/mutants.md is stale: `cargo run --release -p simulator --example mutants-page > page && mv page docs/mutants.md`"
    );
}

/// One that is caught by nothing must be proven harmless in these bounds, with the reason.
#[test]
fn every_plan_that_must_be_caught_is_or_is_known_not_to_be() {
    for survey in surveys() {
        let policy = survey.subject.plan.policy.as_str();
        let known = NOT_CAUGHT.iter().any(|(name, _)| *name == policy);
        assert_eq!(survey.caught.is_empty(), known, "{policy}");
        let complete = survey
            .coverage
            .iter()
            .all(|covered| covered.end == End::Exhausted);
        assert!(complete, "{policy}: a search was cut off");
    }
}

/// What never happened was not tried, and what was never judged did not hold.
#[test]
fn everything_happened_and_everything_was_judged() {
    let modern = (1..=2).flat_map(worlds_of_modern);
    let modern = modern.filter(|(_, config)| !takes_long(config));
    let modern = modern.map(|(_, config)| {
        let world = World::new(config);
        explore(&world, &search(), &go_on).coverage()
    });
    // That something changed between the last look and the timer needs a fault and an unusual clock.
    let both = Budgets {
        timing: 1,
        kills: 1,
        ..Budgets::default()
    };
    let unseen = World::new(Config::calm(pivot::modern(), 1).with(both));
    let unseen = explore(&unseen, &search(), &go_on).coverage();
    let modern: Vec<Coverage> = modern.chain([unseen]).collect();
    let mut fired: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut held, mut violated) = (BTreeSet::new(), BTreeSet::new());
    let all = surveys()
        .iter()
        .flat_map(|survey| &survey.coverage)
        .chain(&modern);
    for covered in all {
        for (kind, times) in &covered.fired {
            *fired.entry(kind).or_default() += times;
        }
        held.extend(covered.held.iter().copied());
        violated.extend(covered.violated.iter().copied());
    }
    for (kind, times) in &fired {
        println!("{times:>12}  {kind}");
    }
    let idle: Vec<&&str> = fired
        .iter()
        .filter(|(_, times)| **times == 0)
        .map(|(kind, _)| kind)
        .collect();
    assert!(idle.is_empty(), "never happened: {idle:?}");
    for slug in INVARIANTS {
        println!(
            "{slug}: held somewhere {}, violated somewhere {}",
            held.contains(slug),
            violated.contains(slug)
        );
        assert!(held.contains(slug), "{slug} was never seen to hold");
        assert!(
            violated.contains(slug),
            "{slug} was never seen to be violated"
        );
    }
}
