//! What exhaustive searches tell, of whichever world: how far they are, what was violated, what it comes to.

use std::path::Path;

use oracle::register;
use simulator::explore::{
    Bounds, Continue, Counterexample, Coverage, End, Explored, Model, NoSymmetry, Progress,
    Returns, Stuck, grouped, returns,
};

use super::ticker::Ticker;
use crate::cli::exit::{Exit, Failure};
use crate::cli::saved;
use crate::console::lines::say;

/// What is written of a world that cannot return, beside slugs of invariants.
const RETURNS_BY_ITSELF: &str = "returns-by-itself";

/// A bug of the model, not of what it is a model of.
pub(super) fn broken(error: NoSymmetry) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}

/// Progress of the search itself.
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
            "can it always return? {} of {} states to go through",
            grouped(progress.frontier),
            grouped(progress.states)
        )
    });
    continued(ticker)
}

/// Progress of going through the states for what was decided in them.
pub(super) fn decided(progress: &Progress, ticker: &Ticker) -> Continue {
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

/// How many a second, for people.
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
        Returns::TooLarge { mib } => say!(
            "whether the world always returns to health by itself is unknown: to answer it needs {} MiB; allow them with --max-memory-mib",
            grouped(*mib)
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

/// The exit code of a search that found any or none.
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

/// The last line.
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

/// Asks whether the world can always return by itself, unless somebody has ended the search.
pub(super) fn by_itself<M: Model>(
    world: &M,
    found: &Explored<M>,
    coverage: &Coverage,
    ticker: &Ticker,
) -> Result<Returns<M>, NoSymmetry> {
    if coverage.end == End::Stopped {
        return Ok(Returns::Stopped);
    }
    let allowed = |action| !world.is_outside(action);
    returns(found, &allowed, &|progress: &Progress| {
        asked(progress, ticker)
    })
}

/// Says what is violated, how soon, and how often.
pub(super) fn tell_violation<M: Model>(
    slug: &str,
    counterexample: &Counterexample<M>,
    coverage: &Coverage,
) {
    say!(
        "{slug} is violated after {} actions, in {} of {} states",
        counterexample.path.actions.len(),
        grouped(counterexample.states),
        grouped(coverage.states)
    );
    if let Some(rule) = register::by_slug(slug) {
        say!("  {}", rule.sentence);
    }
}
