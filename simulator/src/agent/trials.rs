//! Policies and mutants of the agent on trial: what the explorer finds in small worlds of each.

use pivot::ComponentSet;
use pivot::checkpoint::{AgentPlan, agent_mutants, bootkube_agent, modern_agent};

use super::action::Action;
use super::config::{Config, Fault, Faults};
use super::world::World;
use crate::explore::{
    Bounds, End, Explored, Model, NoSymmetry, Returns, Search, Symmetry, Until, explore, go_on,
    returns,
};

/// What is said of a world that cannot return to health, whatever was done to it.
pub const RETURNS: &str = "returns-by-itself";
/// More than any of these worlds takes.
const MEMORY_MIB: u64 = 2_048;
/// What a liveness invariant is about: nothing but these faults, and the world has to return.
const LIVENESS: [(&str, &[Fault], u8); 3] = [
    (
        "api-returns-after-power-loss",
        &[Fault::PowerCut, Fault::Blackout],
        2,
    ),
    ("api-returns-after-deletion", &[Fault::DeleteApiservers], 1),
    (
        "controllers-return-after-deletion",
        &[Fault::DeleteControllers],
        1,
    ),
];

/// A plan on trial.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name.
    pub name: &'static str,
    /// What it is, or what is wrong with it.
    pub about: &'static str,
    /// The plan.
    pub plan: AgentPlan,
    /// Of what the installer waits for checkpoints.
    pub arms: ComponentSet,
    /// What must be found.
    pub catches: &'static [&'static str],
}

/// What came of one.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Who was on trial.
    pub subject: Subject,
    /// States of the world with any two faults.
    pub states: u64,
    /// Actions tried there.
    pub transitions: u64,
    /// Each violation once, with a shortest way to it.
    pub found: Vec<Found>,
}

/// A violation.
#[derive(Clone, Debug)]
pub struct Found {
    /// The invariant.
    pub slug: &'static str,
    /// A shortest way to it, one action each.
    pub path: Vec<String>,
}

/// Both policies, and every mutant.
pub fn subjects() -> Vec<Subject> {
    let mut all = vec![
        Subject {
            name: "modern",
            about: "the reference",
            plan: modern_agent(),
            arms: ComponentSet::ALL,
            catches: &[],
        },
        Subject {
            name: "bootkube",
            about: "history's pod-checkpointer, and an installer that does not wait for it",
            plan: bootkube_agent(),
            arms: ComponentSet::NONE,
            catches: &[
                "somebody-can-start-an-apiserver",
                "checkpoints-armed-before-teardown",
                "checkpoints-are-complete",
                "checkpoints-outlive-ignorance",
                "one-checkpoint-agent",
                "handover-is-bounded",
                "last-known-good",
                "api-returns-after-power-loss",
                "controllers-return-after-deletion",
            ],
        },
        Subject {
            name: "bootkube, waited for",
            about: "the same agent, and an installer that waits for the apiserver's first checkpoint",
            plan: bootkube_agent(),
            arms: ComponentSet::APISERVER,
            catches: &[
                "checkpoints-are-complete",
                "checkpoints-outlive-ignorance",
                "one-checkpoint-agent",
                "handover-is-bounded",
                "last-known-good",
                RETURNS,
                "controllers-return-after-deletion",
            ],
        },
    ];
    all.extend(agent_mutants().into_iter().map(|mutant| Subject {
        name: mutant.name,
        about: mutant.about,
        plan: mutant.plan,
        arms: mutant.arms,
        catches: mutant.catches,
    }));
    all
}

/// Explores the worlds of one subject: one node with any two faults, and one with the faults of each
/// liveness invariant.
///
/// # Errors
/// If the world calls states mirrored that do not behave alike.
///
/// # Panics
/// If a world is larger than any of these ever was.
pub fn tried(subject: Subject) -> Result<Trial, NoSymmetry> {
    let world = |faults| World::new(Config::new(subject.plan.clone(), subject.arms, 1, faults));
    let any = world(Faults::any(2));
    let explored = explore(&any, &SEARCH, &go_on);
    let coverage = explored.coverage();
    assert_eq!(coverage.end, End::Exhausted, "{}", subject.name);
    let mut found = Vec::new();
    for counterexample in explored.counterexamples()? {
        found.push(Found {
            slug: any.invariants()[counterexample.invariant],
            path: counterexample
                .path
                .actions
                .iter()
                .map(ToString::to_string)
                .collect(),
        });
    }
    found.extend(stuck(&any, &explored, RETURNS)?);
    for (slug, kinds, most) in LIVENESS {
        let world = world(Faults::of(kinds, most));
        let explored = explore(&world, &SEARCH, &go_on);
        found.extend(stuck(&world, &explored, slug)?);
    }
    Ok(Trial {
        states: coverage.states,
        transitions: coverage.transitions,
        subject,
        found,
    })
}

const SEARCH: Search = Search {
    bounds: Bounds {
        states: 100_000_000,
        depth: u32::MAX,
        memory_mib: MEMORY_MIB,
    },
    symmetry: Symmetry::On,
    until: Until::Exhausted,
    threads: 2,
};

/// A shortest way to a state from which the world cannot return.
fn stuck(
    world: &World,
    explored: &Explored<World>,
    slug: &'static str,
) -> Result<Option<Found>, NoSymmetry> {
    let own = |action: Action| !world.is_outside(action);
    Ok(match returns(explored, &own, &go_on)? {
        Returns::NotFrom { path, .. } => Some(Found {
            slug,
            path: path.actions.iter().map(ToString::to_string).collect(),
        }),
        _ => None,
    })
}
