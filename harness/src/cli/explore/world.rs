//! The coarse world that is explored, and how far: the arguments of exhaustive and interactive searches.

use std::num::NonZeroU64;
use std::thread::available_parallelism;

use clap::{Args, ValueEnum};
use scenarios::nearest;
use simulator::coarse::{Budgets, Config, FirstFault, Hits, World};
use simulator::explore::{Bounds, Search, Symmetry, Until, grouped};

use crate::cli::exit::{Exit, Failure};
use crate::cli::policy::Chosen;

/// What is left out of the coarse world, in a line.
pub(super) const LEFT_OUT: &str = "left out: time, links, stale caches, etcd's log, pod network, certificates, evictions, workers; \
     all of it: docs/explore.md";

/// The most threads that the explorer uses.
const MOST_THREADS: usize = 4;

/// What may happen in the world, and where the search ends.
#[derive(Debug, Args)]
pub(super) struct WorldArguments {
    /// Only this kind of fault, K times; may be given several times.
    #[arg(
        long = "fault",
        value_enum,
        value_name = "KIND",
        conflicts_with_all = ["swarm", "agents"]
    )]
    kinds: Vec<Kind>,
    /// Something that is so from the beginning; may be given several times.
    #[arg(
        long = "with",
        value_enum,
        value_name = "WHAT",
        conflicts_with_all = ["swarm", "agents"]
    )]
    circumstances: Vec<Circumstance>,
    /// Nothing goes wrong before the installer has entered this step of the policy's plan; a restart may.
    #[arg(long, value_name = "STEP", conflicts_with_all = ["swarm", "agents"])]
    faults_from: Option<String>,
    /// The first thing that goes wrong does so before the installer has entered this step of the policy's plan.
    #[arg(long, value_name = "STEP", conflicts_with_all = ["swarm", "agents"])]
    first_fault_before: Option<String>,
    /// What the first fault hits; the bounds of the first fault cut a large world into parts.
    #[arg(long, value_enum, value_name = "WHERE", conflicts_with_all = ["swarm", "agents"])]
    first_fault_on: Option<Place>,
    /// On nodes that no fault can hit any more checkpoints are saved at once: fewer states, and nothing
    /// less that could go wrong.
    #[arg(long, conflicts_with_all = ["swarm", "agents"])]
    saves_at_once: bool,
    /// End after so many states.
    #[arg(long, value_name = "N", conflicts_with = "swarm")]
    max_states: Option<NonZeroU64>,
    /// End after so many actions from the beginning.
    #[arg(long, value_name = "N", conflicts_with = "swarm")]
    max_depth: Option<u32>,
    /// End when the states take so much memory, in MiB.
    #[arg(
        long,
        value_name = "N",
        default_value = "4096",
        conflicts_with = "swarm"
    )]
    max_memory_mib: NonZeroU64,
    /// End at the first violation instead of looking for one of each invariant.
    #[arg(long, conflicts_with_all = ["swarm", "interactive"])]
    first: bool,
}

/// A kind of fault. The first four are what `--faults` means without `--fault`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A node loses its power, and may get it back at any time.
    PowerCut,
    /// A process of a component is killed.
    Kill,
    /// The installer's process is killed; its unit starts it again.
    KillInstaller,
    /// The answer to a task is lost: it may have happened.
    LostAnswer,
    /// A timer runs out at a time that only an unusually slow host explains.
    Timing,
    /// A person starts a procedure again that holds.
    Restart,
}

/// Where the first fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Place {
    /// The bootstrap node, or what runs there, the installer included.
    BootstrapNode,
    /// Another node.
    OtherNode,
}

/// Something that is so from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Circumstance {
    /// No node takes the self-hosted apiserver's pods (FF-07).
    Unschedulable,
    /// Both apiservers of the bootstrap node need one port (FF-01, FF-06).
    OnePort,
    /// Another cluster's installer may be started on the bootstrap node.
    Foreign,
}

impl WorldArguments {
    /// The world.
    ///
    /// # Errors
    /// A plan that its packed states cannot hold, or a step that it does not have.
    pub(super) fn world(
        &self,
        chosen: Chosen,
        control_planes: u8,
        faults: u8,
    ) -> Result<World, Failure> {
        chosen
            .plan
            .check()
            .map_err(|error| Failure::new(Exit::Usage, error))?;
        let usual = [
            Kind::PowerCut,
            Kind::Kill,
            Kind::KillInstaller,
            Kind::LostAnswer,
        ];
        let kinds = if self.kinds.is_empty() {
            &usual[..]
        } else {
            &self.kinds
        };
        let budget = |kind| if kinds.contains(&kind) { faults } else { 0 };
        let budgets = Budgets {
            power_cuts: budget(Kind::PowerCut),
            kills: budget(Kind::Kill),
            installer_kills: budget(Kind::KillInstaller),
            lost_answers: budget(Kind::LostAnswer),
            timing: budget(Kind::Timing),
            restarts: if kinds.contains(&Kind::Restart) {
                Budgets::ANY_NUMBER
            } else {
                0
            },
        };
        let is_so = |what| self.circumstances.contains(&what);
        let config = Config {
            one_port: is_so(Circumstance::OnePort),
            unschedulable: is_so(Circumstance::Unschedulable),
            foreign: is_so(Circumstance::Foreign),
            saves_at_once: self.saves_at_once,
            ..Config::calm(chosen.plan, control_planes)
        };
        Ok(World::new(self.bound(config.with(budgets))?))
    }

    /// The same world, with what bounds the first fault.
    fn bound(&self, config: Config) -> Result<Config, Failure> {
        let stage = |flag: &str, step: &Option<String>| {
            let stage = |step: &String| {
                let stage = config.stage_of(step);
                stage.ok_or_else(|| no_step(flag, step, &config))
            };
            step.as_ref().map(stage).transpose()
        };
        let first_fault = FirstFault {
            from: stage("--faults-from", &self.faults_from)?,
            before: stage("--first-fault-before", &self.first_fault_before)?,
            hits: match self.first_fault_on {
                None => Hits::Anything,
                Some(Place::BootstrapNode) => Hits::BootstrapNode,
                Some(Place::OtherNode) => Hits::OtherNode,
            },
        };
        Ok(Config {
            first_fault,
            ..config
        })
    }

    /// Limits of one search.
    pub(super) fn bounds(&self) -> Bounds {
        let mut bounds = Bounds::within_mib(self.max_memory_mib.get());
        if let Some(states) = self.max_states {
            bounds = bounds.states(states.get());
        }
        match self.max_depth {
            Some(depth) => bounds.depth(depth),
            None => bounds,
        }
    }

    /// How the search is done.
    pub(super) fn search(&self) -> Search {
        Search {
            bounds: self.bounds(),
            symmetry: Symmetry::On,
            until: if self.first {
                Until::Violation
            } else {
                Until::Exhausted
            },
            threads: available_parallelism()
                .map_or(1, usize::from)
                .min(MOST_THREADS),
        }
    }
}

/// The step is none of the plan's.
fn no_step(flag: &str, step: &str, config: &Config) -> Failure {
    let stages = config.plan.stages.iter();
    let steps: Vec<&str> = stages.map(|stage| stage.step.as_str()).collect();
    let near = nearest(step, steps.iter().copied());
    let meant = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let (policy, steps) = (&config.plan.policy, steps.join(", "));
    let words = format!("{flag} {step}: {policy} has no such step; {meant}its steps are {steps}");
    Failure::new(Exit::Usage, words)
}

/// The world and its limits in a few lines: what every claim about it is bound to.
pub(super) fn in_words(world: &World, bounds: &Bounds) -> String {
    let Config {
        plan,
        control_planes,
        // Told together, in words.
        budgets: _,
        first_fault: _,
        saves_at_once,
        one_port,
        unschedulable,
        foreign,
        // Announcements are released at once here.
        announces: _,
    } = world.config();
    let nodes = if *control_planes == 1 {
        "node"
    } else {
        "nodes"
    };
    let faults = world.config().faults_in_words();
    let so = [
        ("unschedulable", *unschedulable),
        ("one-port", *one_port),
        ("foreign", *foreign),
        ("checkpoints at once where nothing can hit", *saves_at_once),
    ];
    let so: String = so
        .iter()
        .filter(|(_, is_so)| *is_so)
        .map(|(what, _)| format!(", {what}"))
        .collect();
    let depth = match bounds.depth {
        u32::MAX => "any depth".to_owned(),
        depth => format!("depth {depth}"),
    };
    format!(
        "policy {}, {control_planes} control-plane {nodes}{so}; faults: {faults}\n\
         profile coarse, mirrored nodes count as one; at most {} states, {depth}, {} MiB\n\
         {LEFT_OUT}",
        plan.policy,
        grouped(bounds.states),
        grouped(bounds.memory_mib),
    )
}
