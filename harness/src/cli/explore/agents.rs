//! `explore --agents`: every interleaving of checkpoint agents on their nodes, in a world of their own.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use pivot::ComponentSet;
use pivot::checkpoint::{AgentPlan, agent_mutants};
use scenarios::Policy;
use simulator::agent::{Config, Fault, Faults, World, subjects};
use simulator::explore::{Bounds, Model, Progress, Search, explore, grouped};

use super::telling::{
    broken, by_itself, conclusion, exit_of, rate, tell_path, tell_returns, tell_violation, told,
};
use super::ticker::{Ticker, in_background};
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::policy;
use crate::console::lines::say;

/// What is left out of the agents' world, in a line.
const LEFT_OUT: &str = "left out: time but for its classes, links, etcd's log, late facts, images, certificates; all of it: docs/checkpoints.md";

/// What may happen to agents.
#[derive(Debug, Args)]
pub(super) struct AgentArguments {
    /// Only this kind of fault of the agents' world; may be given several times.
    #[arg(
        long = "agent-fault",
        value_name = "KIND",
        conflicts_with_all = ["exhaustive", "swarm", "interactive"],
        value_parser = PossibleValuesParser::new(Fault::ALL.map(Fault::name))
    )]
    agent_kinds: Vec<String>,
}

impl AgentArguments {
    /// At most so many faults in all, of the kinds that were asked for.
    pub(super) fn faults(&self, most: u8) -> Faults {
        let is_wanted = |kind: &Fault| self.agent_kinds.iter().any(|name| name == kind.name());
        let kinds: Vec<Fault> = Fault::ALL.into_iter().filter(is_wanted).collect();
        if kinds.is_empty() {
            Faults::any(most)
        } else {
            Faults::of(&kinds, most)
        }
    }
}

/// The world of agents that follow the plan of this name, or in this file.
///
/// # Errors
/// A usage error with what there is, when there is no such plan.
pub(super) fn world(policy: &str, control_planes: u8, faults: Faults) -> Result<World, Failure> {
    let (plan, arms) = plan(policy)?;
    Ok(World::new(Config::new(plan, arms, control_planes, faults)))
}

/// The agents' plan, and of what its installer waits for checkpoints.
fn plan(text: &str) -> Result<(AgentPlan, ComponentSet), Failure> {
    if Policy::is_file(text) {
        let plan = Policy::find_agent(text, Path::new(""))
            .map_err(|error| Failure::new(Exit::Usage, error))?;
        let arms = plan.checkpointed;
        return Ok((plan, arms));
    }
    let mutant = text.strip_prefix(policy::MUTANT);
    let name = mutant.unwrap_or(text);
    let known: Vec<&str> = match mutant {
        Some(_) => agent_mutants().iter().map(|mutant| mutant.name).collect(),
        None => AgentPlan::NAMES.to_vec(),
    };
    if known.contains(&name)
        && let Some(subject) = subjects().into_iter().find(|subject| subject.name == name)
    {
        return Ok((subject.plan, subject.arms));
    }
    let words = match mutant {
        Some(name) => {
            let help = policy::meant(name, &known, policy::MUTANT);
            format!("there is no agents' mutant `{name}`; {help}")
        }
        None => {
            let help = policy::meant(name, &known, "");
            format!("`{text}` is no plan of checkpoint agents; {help}")
        }
    };
    Err(Failure::new(Exit::Usage, words))
}

/// Explores the world; says what was covered, judged and found.
pub(super) async fn run(world: World, search: Search, out: Option<PathBuf>) -> Outcome {
    say!("{}\n", in_words(&world, &search.bounds));
    in_background(move |ticker| explored(&world, &search, out.as_deref(), ticker)).await
}

fn in_words(world: &World, bounds: &Bounds) -> String {
    let Config {
        plan,
        arms,
        control_planes,
        faults,
    } = world.config();
    let armed: Vec<&str> = arms.iter().map(|component| component.name()).collect();
    let waits = match armed.as_slice() {
        [] => "does not wait for checkpoints".to_owned(),
        armed => format!("waits for checkpoints of {}", armed.join(", ")),
    };
    let kinds: Vec<&str> = faults.kinds().map(Fault::name).collect();
    format!(
        "agents of {}, {control_planes} control-plane {}; the installer {waits}\n\
         at most {} faults in all, of {}\n\
         mirrored nodes count as one; at most {} states, {} MiB\n\
         {LEFT_OUT}",
        plan.policy,
        if *control_planes == 1 {
            "node"
        } else {
            "nodes"
        },
        faults.most,
        kinds.join(", "),
        grouped(bounds.states),
        grouped(bounds.memory_mib),
    )
}

fn explored(world: &World, search: &Search, out: Option<&Path>, ticker: &Ticker) -> Outcome {
    let ask = |progress: &Progress| told(progress, &search.bounds, ticker);
    let found = explore(world, search, &ask);
    let took_s = ticker.seconds();
    let coverage = found.coverage();
    let returning = by_itself(world, &found, &coverage, ticker);
    ticker.clear();
    say!("{}", coverage.to_string().trim_end());
    say!(
        "took {took_s:.1} s, {} transitions/s\n",
        rate(coverage.transitions, took_s)
    );
    let mut slugs = tell_returns(&returning.map_err(broken)?, out)?;
    for counterexample in found.counterexamples().map_err(broken)? {
        let slug = world.invariants()[counterexample.invariant];
        tell_violation(slug, &counterexample, &coverage);
        tell_path(slug, &counterexample.path.to_string(), out)?;
        slugs.push(slug);
    }
    let exit = exit_of(!slugs.is_empty(), &coverage, ticker.is_cancelled());
    say!("{}", conclusion(exit, &coverage, &slugs));
    Ok(exit)
}
