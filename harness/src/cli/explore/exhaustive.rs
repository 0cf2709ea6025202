//! `explore --exhaustive`: every interleaving of the coarse world.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use oracle::register;
use simulator::coarse::World;
use simulator::counterexample::{self, Rehearsal, Timing};
use simulator::explore::{
    Bounds, Continue, Counterexample, Coverage, End, Explored, Model, NoSymmetry, Progress,
    Returns, Search, Stuck, decisions, explore, grouped, returns,
};
use simulator::timers::Timers;

use super::ticker::Ticker;
use super::world::in_words;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::{interrupt, saved};
use crate::console::lines::say;

/// What is written of a world that cannot return, beside slugs of invariants.
const RETURNS_BY_ITSELF: &str = "returns-by-itself";
/// The same, where not even a person's help brings it back.
const RETURNS_WITH_A_PERSON: &str = "returns-with-a-person";

/// Explores the world; says what was covered, judged and found.
pub(super) async fn run(world: World, search: Search, out: Option<PathBuf>) -> Outcome {
    say!("{}\n", in_words(&world, &search.bounds));
    let cancel = interrupt::token_of_a_search()?;
    let work = move || explored(&world, &search, out.as_deref(), &Ticker::new(cancel));
    // It computes for as long as it takes; other tasks, such as the one that hears Ctrl-C, go on.
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| Failure::new(Exit::Failed, error))?
}

fn explored(world: &World, search: &Search, out: Option<&Path>, ticker: &Ticker) -> Outcome {
    let ask = |progress: &Progress| told(progress, &search.bounds, ticker);
    let found = explore(world, search, &ask);
    let took_s = ticker.seconds();
    let coverage = found.coverage();
    let ask = |progress: &Progress| asked(progress, ticker);
    let by_itself = |action| !world.is_outside(action);
    let with_a_person = |action| by_itself(action) || world.is_help(action);
    let stopped = coverage.end == End::Stopped;
    let returning = match stopped {
        true => Ok(Returns::Stopped),
        false => returns(&found, &by_itself, &ask),
    };
    // Whoever returns by itself needs no help.
    let helped = match &returning {
        Ok(Returns::NotFrom { .. } | Returns::Unknown { .. }) if has_help(world) => {
            Some(returns(&found, &with_a_person, &ask).map_err(broken)?)
        }
        _ => None,
    };
    let decided = (!stopped).then(|| decisions(&found, &|progress| decided(progress, ticker)));
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
        match tell_counterexample(world, &found, &counterexample, out)? {
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

/// A bug of the model, not of what it is a model of.
pub(super) fn broken(error: NoSymmetry) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}

pub(super) fn told(progress: &Progress, bounds: &Bounds, ticker: &Ticker) -> Continue {
    ticker.tick(|seconds| {
        let Progress {
            states,
            transitions,
            depth,
            frontier,
            bytes,
        } = *progress;
        let of_states = share(states, bounds.states);
        let of_memory = share(bytes >> 20, bounds.memory_mib);
        format!(
            "{} states, {} transitions/s, frontier {}, depth {depth}, {} bytes per state; \
             {of_memory} % of the memory and {of_states} % of the states allowed",
            grouped(states),
            rate(transitions, seconds),
            grouped(frontier),
            bytes.checked_div(states).unwrap_or(0),
        )
    });
    continued(ticker)
}

/// Progress of the question whether the world can always return.
pub(super) fn asked(progress: &Progress, ticker: &Ticker) -> Continue {
    ticker.tick(|_| {
        format!(
            "can it always return? not known yet of {} of {} states",
            grouped(progress.frontier),
            grouped(progress.states)
        )
    });
    continued(ticker)
}

/// Progress of going through the states for what was decided in them.
fn decided(progress: &Progress, ticker: &Ticker) -> Continue {
    ticker.tick(|_| {
        format!(
            "which decisions were met? {} of {} states to go through",
            grouped(progress.frontier),
            grouped(progress.states)
        )
    });
    continued(ticker)
}

fn continued(ticker: &Ticker) -> Continue {
    if ticker.is_cancelled() {
        Continue::No
    } else {
        Continue::Yes
    }
}

fn share(part: u64, whole: u64) -> u64 {
    (part * 100).checked_div(whole).unwrap_or(100)
}

pub(super) fn rate(count: u64, seconds: f64) -> String {
    let rate = count as f64 / seconds.max(0.001);
    if rate >= 1e6 {
        format!("{:.1} million", rate / 1e6)
    } else {
        grouped(rate as u64)
    }
}

/// Says whether the world always returns by itself; if it is known that it does not, that is found.
pub(super) fn tell_returns<M: Model>(
    returns: &Returns<M>,
    out: Option<&Path>,
) -> Result<Vec<&'static str>, Failure> {
    match returns {
        Returns::Always => say!("from every state the world can return to health by itself"),
        Returns::Unknown { states } => say!(
            "whether the world always returns to health by itself is unknown: {} states can only beyond what was explored, if at all",
            grouped(*states)
        ),
        Returns::Stopped => say!(
            "whether the world always returns to health by itself was not answered: the search was stopped"
        ),
        Returns::NotFrom { states, path, why } => {
            let why = match why {
                Stuck::DeadEnd => "there nothing more happens by itself",
                Stuck::Circles => "there things happen, and never lead to health",
            };
            say!(
                "{RETURNS_BY_ITSELF}: from {} states the world cannot return to health; the nearest after {} actions: {why}",
                grouped(*states),
                path.actions.len()
            );
            tell_path(RETURNS_BY_ITSELF, &path.to_string(), out)?;
            return Ok(vec![RETURNS_BY_ITSELF]);
        }
    }
    Ok(Vec::new())
}

fn tell_counterexample(
    world: &World,
    found: &Explored<World>,
    counterexample: &Counterexample<World>,
    out: Option<&Path>,
) -> Result<Timing, Failure> {
    let Counterexample {
        invariant,
        states,
        path,
    } = counterexample;
    let slug = world.invariants()[*invariant];
    say!(
        "{slug} is violated after {} actions, in {} of {} states",
        path.actions.len(),
        grouped(*states),
        grouped(found.coverage().states)
    );
    if let Some(rule) = register::by_slug(slug) {
        say!("  {}", rule.sentence);
    }
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

/// Prints a path, one action a line, and keeps it if that is wanted.
pub(super) fn tell_path(slug: &str, path: &str, out: Option<&Path>) -> Result<(), Failure> {
    for line in path.lines() {
        say!("  {line}");
    }
    if let Some(folder) = out {
        let saved = saved::save(folder, slug, "txt", path)?;
        say!("  kept as {}", saved.path.display());
    }
    say!("");
    Ok(())
}

pub(super) fn exit_of(any: bool, coverage: &Coverage, interrupted: bool) -> Exit {
    if interrupted {
        Exit::Interrupted
    } else if any {
        Exit::Failed
    } else if coverage.end == End::Exhausted {
        Exit::Success
    } else {
        Exit::Inconclusive
    }
}

pub(super) fn conclusion(exit: Exit, coverage: &Coverage, found: &[&str]) -> String {
    let judged = match coverage.never_judged.as_slice() {
        [] => String::new(),
        never => format!("; nothing is known of {}", never.join(", ")),
    };
    match exit {
        Exit::Success => {
            format!("nothing found: within these bounds what was judged holds{judged}")
        }
        Exit::Failed => format!("found {}: {}{judged}", found.len(), found.join(", ")),
        Exit::Interrupted => {
            format!("interrupted: nothing is proven beyond what was covered{judged}")
        }
        _ => format!("cut off without a counterexample: nothing is proven{judged}"),
    }
}
