//! The page `docs/mutants.md`: what is caught by what, generated.

use std::fmt::Write as _;

use super::suite::{Played, Survey, entry_of, takes_long, worlds_of_modern};
use super::timing::Timing;
use crate::coarse::Config;
use crate::explore::{Entry, NoSymmetry, table};

const NEVER_FAILS: &str = "writing into a string cannot fail";

/// Where the part begins and ends that takes too long to be worked out in every test.
const LONG: (&str, &str) = (
    "<!-- what takes long: begin -->\n",
    "<!-- what takes long: end -->\n",
);

/// Mutants that no state of the coarse world gives away, with the reason.
pub const NOT_CAUGHT: [(&str, &str); 2] = [
    (
        "skips-arming",
        "the stand-in for the checkpoint agent saves whenever it likes, and this judge does not ask for checkpoints; the timed world's `checkpoints-armed-before-teardown` catches it, and so does the agents' own world",
    ),
    (
        "verifies-at-leisure",
        "its mistake is a duration: a failing verification is tried for two minutes before anything is put back. The coarse world has no durations, and in the end everything is put back; \
     the timed world's `pivot-keeps-the-api-writable` catches it",
    ),
];

const INTRODUCTION: &str = "# Which mistakes the explorer catches

Generated from the `simulator` crate; do not edit by hand: `cargo run --release -p simulator --example mutants-page > docs/mutants.md`. With `-- --long` it works out the last table too, which otherwise is
taken over from the page as it stands.

Every interleaving of small coarse worlds is tried: no durations, whole nodes and processes, one fault at most. What the coarse world does at once and what it leaves out stands at the head of
`simulator/src/coarse/mod.rs`; nothing here is said of that. Every search below came to its end unless it says otherwise; mirrored states count as one.

*events*: how many happen on a shortest way to the violation. *states*: those of the world in which it was found. *timing*: `usual` when the same events are possible, in some order, with the durations of
[simulator.md](simulator.md); otherwise the counterexample needs timing outside defaults, as far as was tried, and is no bug. *played*: whether the timed world, playing a scenario file made from a counterexample, violates the same
invariant by the oracle's judgement; in brackets the world of the counterexample if it is not the shortest one's.

Worlds: one node with nothing, a killed process, a killed installer or a lost answer; one node on which apiservers cannot be scheduled; for history's policies one node on which two apiservers want one port; two nodes with nothing.
In all of them another cluster's installer may be started.

## Policies and mutants

";

/// The page. `long` is the part that takes long, as [`long_part`] makes it or as it stands.
///
/// # Errors
/// If the world calls states mirrored that do not behave alike.
pub fn page(surveys: &[Survey], long: &str) -> Result<String, NoSymmetry> {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("| plan | invariant | events | world | states | timing | played |\n|---|---|--:|---|--:|---|---|\n");
    for survey in surveys {
        rows(&mut page, survey);
    }
    page.push_str("\n### What is not shown by the timed world, and why\n\n");
    for survey in surveys {
        differences(&mut page, survey);
    }
    page.push_str(
        "\n## The reference policy\n\n`modern` with one and two control-plane nodes and one fault of each kind. *returns by itself* stands among what is violated when some state cannot come back to health without a person; whether it always can with one is asked then. \
         Holding is healthy where a control plane serves. Where the procedure holds before there is one (its node or a majority of etcd was gone, or its clock ran out, for longer than a stage may take), a person has to start \
         it again, once power is back: that is what holding means, and what these rows say. No invariant is violated by it.\n\n\
         Its checkpoint agent is a stand-in, which saves a component some time after its pod is ready.\n\n",
    );
    page.push_str(&table(&entries(|config| !takes_long(config))?));
    page.push_str("\n### Power cuts with two nodes, and three nodes\n\nWorked out on demand only; not checked by the tests. A search that was cut off has covered every way up to some length, and no more.\n\n");
    page.push_str(LONG.0);
    page.push_str(long);
    page.push_str(LONG.1);
    Ok(page)
}

/// The part of a page that takes long; none if it has none.
pub fn standing_long_part(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once(LONG.0)?;
    rest.split_once(LONG.1).map(|(part, _)| part)
}

/// Works out the part that takes long: minutes and gigabytes.
///
/// # Errors
/// As [`page`].
pub fn long_part() -> Result<String, NoSymmetry> {
    Ok(table(&entries(takes_long)?))
}

/// What those worlds of `modern` come to that are wanted.
fn entries(is_wanted: impl Fn(&Config) -> bool) -> Result<Vec<Entry>, NoSymmetry> {
    let worlds = (1..=Config::MOST_NODES).flat_map(worlds_of_modern);
    worlds
        .filter(|(_, config)| is_wanted(config))
        .map(|(name, config)| entry_of(&name, &config))
        .collect()
}

fn rows(page: &mut String, survey: &Survey) {
    let name = &survey.subject.plan.policy;
    for caught in &survey.caught {
        let timing = match &caught.timing {
            Timing::Feasible => "usual",
            Timing::NeedsUnusualTiming(_) => "needs timing outside defaults",
        };
        let played = match &caught.played {
            Played::Confirmed(world, ..) if *world == caught.world => "the same".to_owned(),
            Played::Confirmed(world, ..) => format!("the same ({world})"),
            Played::Differs(_) => "not shown".to_owned(),
            Played::NoWords(_) => "no words".to_owned(),
        };
        writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {timing} | {played} |",
            caught.counterexample.invariant,
            caught.counterexample.path.len(),
            caught.world,
            caught.states,
        )
        .expect(NEVER_FAILS);
    }
    if survey.caught.is_empty() {
        let why = NOT_CAUGHT.iter().find(|(known, _)| known == name);
        let why = why.map_or("no reason is known", |(_, why)| why);
        writeln!(
            page,
            "| {name} | none: {why} | – | all | {} | – | – |",
            survey.states
        )
        .expect(NEVER_FAILS);
    }
}

fn differences(page: &mut String, survey: &Survey) {
    let name = &survey.subject.plan.policy;
    for caught in &survey.caught {
        let slug = &caught.counterexample.invariant;
        let said = match &caught.played {
            Played::Confirmed(..) => continue,
            Played::Differs(why) => format!("the timed world differs. {why}"),
            Played::NoWords(why) => format!("no scenario can say it. {why}"),
        };
        writeln!(page, "- {name}, {slug}: {said}").expect(NEVER_FAILS);
    }
}
