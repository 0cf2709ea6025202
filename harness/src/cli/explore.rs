//! `chrysalis explore`: tries what nobody thought of, in the simulator.

mod agents;
mod exhaustive;
mod interactive;
mod swarm;
mod telling;
mod ticker;
mod world;

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::exit::{Exit, Failure, Outcome};
use super::policy;
use agents::AgentArguments;
use world::WorldArguments;

/// Search a policy for what is wrong with it: every interleaving, random trials, or by hand.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("way").required(true).args(["exhaustive", "swarm", "interactive", "agents"])),
    after_help = "Examples:
  chrysalis explore --exhaustive --policy bootkube --control-planes 1 --faults 0
  chrysalis explore --exhaustive --control-planes 2 --faults 1 --fault kill-installer --fault lost-answer
  chrysalis explore --exhaustive --policy mutant:remembers-nothing --faults 1 --fault kill-installer
  chrysalis explore --exhaustive --control-planes 3 --fault power-cut --faults-from bootstrap-draining
  chrysalis explore --exhaustive --control-planes 3 --fault power-cut --faults-from bootstrap-draining \
    --first-fault-before verified --first-fault-on other-node
  chrysalis explore --swarm --control-planes 3 --faults 2 --trials 10000 --seed 7
  chrysalis explore --agents --policy bootkube --control-planes 1 --faults 2 --agent-fault blackout
  chrysalis explore --interactive --policy ./mine.json --faults 1 < script

--faults K: in an exhaustive or interactive world each kind of fault may happen K times: power-cut,
kill, kill-installer and lost-answer, or only the kinds that --fault names. In a swarm each trial has
at most K faults in all, of the kinds that scenarios have. Agents have at most K in all, of any kind or of
those that --agent-fault names.

Exit codes: 0 nothing found, 1 a counterexample, 2 cut off without one (nothing is proven),
64 wrong usage or file, 130 interrupted. A swarm that ends with 0 has found nothing, and proven nothing."
)]
pub struct Arguments {
    /// Try every interleaving of the coarse world, breadth first, with shortest counterexamples.
    #[arg(long)]
    exhaustive: bool,
    /// Play random timed trials; each must settle in the end. What fails is kept as a scenario file.
    #[arg(long)]
    swarm: bool,
    /// Walk through the coarse world by hand; commands come from standard input, `help` lists them.
    #[arg(long)]
    interactive: bool,
    /// Try every interleaving of checkpoint agents on their nodes, in a world of their own. `--policy` then names their plan.
    #[arg(long)]
    agents: bool,
    /// A built-in policy, a plan file (with a `/`, or ending in .json), or a mutant of `modern`.
    #[arg(long, value_name = "NAME|FILE|mutant:NAME", default_value = "modern")]
    policy: String,
    /// How many control-plane nodes: 1 to 3, of agents 1 or 2, in a swarm 1 to 9. [default: 1, in a swarm 3]
    #[arg(long, value_name = "N")]
    control_planes: Option<u8>,
    /// How much may go wrong, see below: 0 to 3, in a swarm 1 to 20.
    #[arg(long, value_name = "K", default_value_t = 1)]
    faults: u8,
    #[command(flatten)]
    world: WorldArguments,
    #[command(flatten)]
    of_agents: AgentArguments,
    /// How many trials.
    #[arg(long, value_name = "N", default_value_t = 10_000, conflicts_with_all = ["exhaustive", "interactive", "agents"])]
    trials: u64,
    /// What the trials are drawn from: the same seed gives the same trials.
    #[arg(long, value_name = "S", default_value_t = 1, conflicts_with_all = ["exhaustive", "interactive", "agents"])]
    seed: u64,
    /// Where counterexamples are kept. [default: none, in a swarm counterexamples/]
    #[arg(long, value_name = "DIR", conflicts_with = "interactive")]
    out: Option<PathBuf>,
}

/// Searches.
///
/// # Errors
/// A policy or bounds that make no sense, or a file that cannot be written.
pub async fn run(arguments: Arguments) -> Outcome {
    let Arguments {
        swarm,
        interactive,
        agents,
        of_agents,
        control_planes,
        faults,
        trials,
        seed,
        out,
        world,
        ..
    } = arguments;
    if agents {
        let most = simulator::agent::Config::MOST_NODES;
        let control_planes = within("--control-planes", control_planes.unwrap_or(1), 1, most)?;
        let faults = within("--faults", faults, 0, simulator::agent::Faults::MOST)?;
        let made = agents::world(&arguments.policy, control_planes, of_agents.faults(faults))?;
        return agents::run(made, world.search(), out).await;
    }
    let chosen = policy::find(&arguments.policy)?;
    if swarm {
        let control_planes = within("--control-planes", control_planes.unwrap_or(3), 1, 9)?;
        let faults = usize::from(within("--faults", faults, 1, 20)?);
        let bounds = simulator::swarm::Bounds {
            control_planes,
            faults,
        };
        return swarm::run(
            chosen,
            swarm::Wish {
                bounds,
                trials,
                seed,
                out,
            },
        )
        .await;
    }
    let control_planes = within("--control-planes", control_planes.unwrap_or(1), 1, 3)?;
    let faults = within("--faults", faults, 0, 3)?;
    let made = world.world(chosen, control_planes, faults)?;
    if interactive {
        interactive::run(made, world.bounds()).await
    } else {
        exhaustive::run(made, world.search(), out).await
    }
}

fn within(flag: &str, value: u8, least: u8, most: u8) -> Result<u8, Failure> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    let words = format!("{flag} {value}: write a number from {least} to {most}");
    Err(Failure::new(Exit::Usage, words))
}
