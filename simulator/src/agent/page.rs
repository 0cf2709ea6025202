//! The page about the checkpoint agent's machine: what it does, and what the explorer found of it.

use std::fmt::{self, Write};

use pivot::checkpoint::{
    AgentPlan, Effect, Effects, Facts, Input, Known, Outcome, Saved, State, Step, Timer, begin,
    bootkube_agent, modern_agent, step,
};
use terms::Component;

use super::config::Fault;
use super::trials::Trial;
use crate::explore::grouped;

/// Whose machine the table shows: a controller's, which is the one that minds the lease.
const COMPONENT: Component = Component::KubeControllerManager;

/// The whole page.
///
/// # Errors
/// None that a string has.
pub fn page(trials: &[Trial]) -> Result<String, fmt::Error> {
    let mut out = String::from(HEAD);
    machine(&mut out)?;
    times(&mut out)?;
    found(&mut out, trials)?;
    paths(&mut out, trials)?;
    Ok(out)
}

const HEAD: &str = "# Checkpoints: the agent's machine, and what the explorer finds of it

Generated from the `simulator` crate; do not edit by hand: `cargo run --release -p simulator --example checkpoints-page > page && mv page docs/checkpoints.md`.

One machine for each component on each node decides when the agent saves a self-hosted pod to the node's disk, starts the copy, hands over to the pod again, and removes what it saved. It is
`pivot::checkpoint` (`simulator/pivot/src/checkpoint`); what is explored here is what ships.

";

// === The machine as a table ===

/// What the facts can ask for, each with an example.
fn judgements() -> [(&'static str, Facts); 5] {
    let ready = Facts {
        api: true,
        bound: Known::Yes,
        parent_ready: true,
        parent: 1,
        parent_runs: Known::Yes,
        copy_runs: Known::No,
        led: Known::Yes,
        saved: Saved::Complete,
        current: true,
        active: false,
    };
    let dark = Facts {
        parent_runs: Known::No,
        copy_runs: Known::No,
        led: Known::No,
        saved: Saved::Complete,
        ..Facts::default()
    };
    [
        ("nothing", ready),
        (
            "to save",
            Facts {
                current: false,
                ..ready
            },
        ),
        ("to start", dark),
        (
            "to hand over",
            Facts {
                active: true,
                copy_runs: Known::Yes,
                ..ready
            },
        ),
        (
            "to remove",
            Facts {
                bound: Known::No,
                parent_ready: false,
                parent_runs: Known::No,
                current: false,
                ..ready
            },
        ),
    ]
}

/// The facts that ask for a step.
fn asking(step: Step) -> Facts {
    let place = match step {
        Step::Written | Step::Saved => 1,
        Step::Activated => 2,
        Step::Retired => 3,
        Step::Removed => 4,
    };
    judgements()[place].1
}

/// The states in which a step can be, in its order, each with its name.
fn phases(plan: &AgentPlan, of: Step) -> Vec<(String, State)> {
    let next = |state, input| step(plan, COMPONENT, state, input).0;
    let timer = match of {
        Step::Written | Step::Saved => Timer::Ready,
        Step::Activated => Timer::Absent,
        Step::Retired => Timer::Handover,
        Step::Removed => Timer::Grace,
    };
    let facts = Input::Facts(asking(of));
    // Facts come twice: the first ones make the parent known.
    let mut state = next(next(begin(), facts), facts);
    state = next(state, Input::Elapsed(timer));
    let mut all = Vec::new();
    while let Some((now, moment)) = state.announced() {
        let is_asked = now == of;
        if is_asked {
            all.push((format!("{} announced as {moment}", of.name()), state));
        }
        state = next(state, Input::Released(now, moment));
        if !state.awaits_facts() {
            continue;
        }
        if is_asked {
            all.push((format!("{}, before fresh facts", of.name()), state));
        }
        state = next(state, facts);
        if is_asked {
            all.push((format!("{}, its task running", of.name()), state));
        }
        if let Some((task, attempt)) = state.running() {
            let failed = next(state, Input::Finished(task, attempt, Outcome::Failed));
            if is_asked {
                all.push((format!("{}, waiting to try again", of.name()), failed));
            }
            state = next(state, Input::Finished(task, attempt, Outcome::Done));
        }
    }
    all
}

fn machine(out: &mut String) -> fmt::Result {
    let plan = modern_agent();
    out.push_str(
        "## The machine

Phase by judgement of the facts, for a controller under plan `modern`. What is asked for: *to save*: the parent is bound, ready and its version not current; *to start*: nothing of the component runs
here, a complete version is there and not active, and nobody has led for thirty seconds, or the API has not answered for twenty (for an apiserver: the API does not answer); *to hand over*: the copy is active and its parent ready; *to remove*: the API says that
no parent is bound, and somebody leads. `+` arms a timer, `-` stops it; a dash is no effect.

",
    );
    write!(out, "| phase |")?;
    for (name, _) in judgements() {
        write!(out, " {name} |")?;
    }
    out.push_str("\n|---|---|---|---|---|---|\n");
    let mut rows = vec![("watching".to_owned(), watching(&plan))];
    for of in Step::ALL {
        rows.extend(phases(&plan, of));
    }
    for (name, state) in rows {
        write!(out, "| {name} |")?;
        for (_, facts) in judgements() {
            let (_, effects) = step(&plan, COMPONENT, state, Input::Facts(facts));
            write!(out, " {} |", in_words(&effects))?;
        }
        out.push('\n');
    }
    out.push_str(
        "
A timer that runs out while watching announces its step: Ready written, Absent activated, Handover retired, Grace removed. A step that was announced waits to be released, and is then judged by fresh facts; if they
ask for it no longer, or did not at any time since, the machine watches again. A task that is done is announced as completed, and `written` is followed by `saved`. A task that failed is tried again after a pause and
fresh facts; what could not be committed is written anew. An active copy is taken out before its versions are removed.

",
    );
    Ok(())
}

/// A machine that knows its parent.
fn watching(plan: &AgentPlan) -> State {
    step(plan, COMPONENT, begin(), Input::Facts(judgements()[0].1)).0
}

fn in_words(effects: &Effects) -> String {
    let words: Vec<String> = effects
        .iter()
        .map(|effect| match effect {
            Effect::Start(task, _) => format!("start {task:?}"),
            Effect::Cancel(task) => format!("cancel {task:?}"),
            Effect::Arm(timer) => format!("+{timer:?}"),
            Effect::Disarm(timer) => format!("-{timer:?}"),
            Effect::Announce(step, moment) => format!("announce {} {moment}", step.name()),
        })
        .collect();
    if words.is_empty() {
        "—".to_owned()
    } else {
        words.join(", ")
    }
}

fn times(out: &mut String) -> fmt::Result {
    out.push_str("| timer | modern | bootkube |\n|---|--:|--:|\n");
    for timer in Timer::ALL {
        let seconds = |plan: AgentPlan| f64::from(plan.duration_ms(timer)) / 1_000.0;
        writeln!(
            out,
            "| {timer:?} | {} s | {} s |",
            seconds(modern_agent()),
            seconds(bootkube_agent())
        )?;
    }
    out.push('\n');
    Ok(())
}

// === What was found ===

fn found(out: &mut String, trials: &[Trial]) -> fmt::Result {
    let kinds: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
    writeln!(
        out,
        "## Policies and mutants

Every interleaving of one node was tried, with any two faults of these kinds: {}. What the world does at once, its classes of time and what it leaves out stand at the head of `simulator/src/agent/mod.rs`; nothing is
said of that. `returns-by-itself`: there is a state from which, without further faults, the world never becomes healthy again. The three liveness invariants are the same question in a world with their faults alone. *events*: how
many happen on a shortest way. A plan of which nothing is found is harmless within these bounds; durations could still show harm.
",
        kinds.join(", ")
    )?;
    out.push_str(
        "| plan | what is wrong | states | transitions | found (events) |\n|---|---|--:|--:|---|\n",
    );
    for trial in trials {
        let found: Vec<String> = trial
            .found
            .iter()
            .map(|found| format!("{} ({})", found.slug, found.path.len()))
            .collect();
        let found = if found.is_empty() {
            "nothing".to_owned()
        } else {
            found.join(", ")
        };
        writeln!(
            out,
            "| {} | {} | {} | {} | {found} |",
            trial.subject.name,
            trial.subject.about,
            grouped(trial.states),
            grouped(trial.transitions)
        )?;
    }
    out.push('\n');
    Ok(())
}

fn paths(out: &mut String, trials: &[Trial]) -> fmt::Result {
    out.push_str("## Shortest counterexamples of history's agent\n");
    for trial in trials
        .iter()
        .filter(|trial| trial.subject.name.starts_with("bootkube"))
    {
        writeln!(
            out,
            "\n### {}: {}\n",
            trial.subject.name, trial.subject.about
        )?;
        for found in &trial.found {
            writeln!(out, "- `{}`: {}.", found.slug, found.path.join("; "))?;
        }
    }
    Ok(())
}
