//! `explore --exhaustive`: every interleaving of the coarse world.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use simulator::coarse::World;
use simulator::counterexample::{self, Rehearsal, Timing};
use simulator::explore::{
    Counterexample, Coverage, End, Model, Progress, Returns, Search, decisions, explore, grouped,
    returns,
};
use simulator::timers::Timers;

use super::telling::{
    asked, broken, by_itself, conclusion, decided, exit_of, rate, tell_path, tell_returns,
    tell_violation, told,
};
use super::ticker::{Ticker, in_background};
use super::world::in_words;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::saved;
use crate::console::lines::say;

/// What is written of a world that not even a person's help brings back, beside slugs of invariants.
const RETURNS_WITH_A_PERSON: &str = "returns-with-a-person";

/// Explores the world; says what was covered, judged and found.
pub(super) async fn run(world: World, search: Search, out: Option<PathBuf>) -> Outcome {
    say!("{}\n", in_words(&world, &search.bounds));
    in_background(move |ticker| explored(&world, &search, out.as_deref(), ticker)).await
}

fn explored(world: &World, search: &Search, out: Option<&Path>, ticker: &Ticker) -> Outcome {
    let ask = |progress: &Progress| told(progress, &search.bounds, ticker);
    let found = explore(world, search, &ask);
    let took_s = ticker.seconds();
    let coverage = found.coverage();
    let returning = by_itself(world, &found, &coverage, ticker);
    let with_a_person = |action| !world.is_outside(action) || world.is_help(action);
    let ask = |progress: &Progress| asked(progress, ticker);
    // Whoever returns by itself needs no help.
    let helped = match &returning {
        Ok(Returns::NotFrom { .. } | Returns::Unknown { .. }) if has_help(world) => {
            Some(returns(&found, &with_a_person, &ask).map_err(broken)?)
        }
        _ => None,
    };
    let decided = (coverage.end != End::Stopped)
        .then(|| decisions(&found, &|progress| decided(progress, ticker)));
    ticker.clear();
    say!("{}", coverage.to_string().trim_end());
    if let Some(decided) = decided {
        say!("{}", decided.to_string().trim_end());
    }
    say!(
        "took {took_s:.1} s, {} transitions/s\n",
        rate(coverage.transitions, took_s)
    );
    let mut found_slugs = tell_returns(&returning.map_err(broken)?, out)?;
    tell_help(world, helped.as_ref(), !found_slugs.is_empty(), out)?;
    let mut unusual = Vec::new();
    for counterexample in found.counterexamples().map_err(broken)? {
        let slug = world.invariants()[counterexample.invariant];
        match tell_counterexample(world, &coverage, &counterexample, out)? {
            Timing::Feasible => found_slugs.push(slug),
            Timing::NeedsUnusualTiming(_) => unusual.push(slug),
        }
    }
    if !unusual.is_empty() {
        say!(
            "needs timing outside defaults, and is no bug: {}",
            unusual.join(", ")
        );
    }
    let exit = exit_of(!found_slugs.is_empty(), &coverage, ticker.is_cancelled());
    say!("{}", conclusion(exit, &coverage, &found_slugs));
    Ok(exit)
}

/// Whether a person may start again what holds.
fn has_help(world: &World) -> bool {
    world.config().budgets.restarts > 0
}

/// Says whether a person's help brings the world back where it does not come back by itself.
fn tell_help(
    world: &World,
    helped: Option<&Returns<World>>,
    needs_help: bool,
    out: Option<&Path>,
) -> Result<(), Failure> {
    match helped {
        None if needs_help && !has_help(world) => say!(
            "whether it could with a person was not asked: within these bounds nobody starts again what holds (--fault restart)"
        ),
        // It returns by itself, or the search was stopped.
        None => {}
        Some(Returns::Always) => say!(
            "from every state the world can return to health with a person who starts again what holds"
        ),
        Some(Returns::Unknown { states }) => say!(
            "whether it always could with a person is unknown: {} states can only beyond what was explored, if at all",
            grouped(*states)
        ),
        Some(Returns::TooLarge { mib }) => say!(
            "whether it could with a person is unknown: to answer it needs {} MiB",
            grouped(*mib)
        ),
        Some(Returns::Stopped) => say!("whether it could with a person was not answered"),
        Some(Returns::NotFrom { states, path, .. }) => {
            say!(
                "{RETURNS_WITH_A_PERSON}: from {} states the world cannot return to health even if a person starts again what holds; the nearest after {} actions",
                grouped(*states),
                path.actions.len()
            );
            tell_path(RETURNS_WITH_A_PERSON, &path.to_string(), out)?;
        }
    }
    Ok(())
}

fn tell_counterexample(
    world: &World,
    coverage: &Coverage,
    counterexample: &Counterexample<World>,
    out: Option<&Path>,
) -> Result<Timing, Failure> {
    let slug = world.invariants()[counterexample.invariant];
    let path = &counterexample.path;
    tell_violation(slug, counterexample, coverage);
    for line in path.to_string().lines() {
        say!("  {line}");
    }
    let whole = counterexample::Counterexample {
        config: world.config().clone(),
        invariant: slug.to_owned(),
        path: path.actions.clone(),
    };
    let timing = whole.timing(&Timers::measured());
    if let Timing::NeedsUnusualTiming(reason) = &timing {
        say!("  needs timing outside defaults: {reason}");
    }
    if let Some(folder) = out {
        keep(&whole, folder)?;
    }
    say!("");
    Ok(timing)
}

/// Keeps a counterexample for `explain`, and as a scenario where the language can express it.
fn keep(whole: &counterexample::Counterexample, folder: &Path) -> Result<(), Failure> {
    let saved = saved::save(folder, &whole.invariant, "json", &whole.save())?;
    say!(
        "  kept as {0}; `chrysalis explain {0}` shows it",
        saved.path.display()
    );
    let Rehearsal {
        files,
        confirmed,
        verdict,
        ..
    } = match whole.rehearse() {
        Ok(rehearsal) => rehearsal,
        Err(reason) => {
            say!("  no scenario: {reason}");
            return Ok(());
        }
    };
    for (name, text) in files {
        let path = folder.join(name);
        match saved::write_new(&path, &text) {
            Ok(()) => say!("  kept as {}", path.display()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                say!("  {} is there already, and stays as it is", path.display());
            }
            Err(error) => {
                let words = format!("cannot write {}: {error}", path.display());
                return Err(Failure::new(Exit::Unavailable, words));
            }
        }
    }
    let so = if confirmed {
        "confirmed"
    } else {
        "not confirmed"
    };
    say!("  in the timed world: {so}: {verdict}");
    Ok(())
}
