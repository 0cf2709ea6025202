//! The small worlds that are tried completely, for every plan that must be caught and the one that must not.

use pivot::{Plan, bootkube, kubeadm_alpha, modern, mutants};

use super::{Counterexample, Rehearsal, Timing};
use crate::coarse::{Budgets, Config, INVARIANTS, World};
use crate::explore::{
    Bounds, Coverage, Entry, NoSymmetry, Search, Symmetry, Until, entry, explore, go_on,
};
use crate::timers::Timers;

/// Nothing of the suite comes near: a world that does is cut off, and says so.
const MOST_MIB: u64 = 2_048;
/// What a search may take that is no part of the tests. States come first.
const LONG_MIB: u64 = 8_192;
const LONG_STATES: u64 = 30_000_000;

const CALM: Budgets = Budgets {
    power_cuts: 0,
    kills: 0,
    installer_kills: 0,
    lost_answers: 0,
    timing: 0,
    restarts: 0,
};

/// One fault of each kind, with its name. What can make a procedure hold before there is a control plane comes
/// with a person who starts it again.
pub const TROUBLES: [(&str, Budgets); 6] = [
    ("calm", CALM),
    (
        "a power cut",
        Budgets {
            power_cuts: 1,
            restarts: Budgets::ANY_NUMBER,
            ..CALM
        },
    ),
    ("a kill", Budgets { kills: 1, ..CALM }),
    (
        "the installer killed",
        Budgets {
            installer_kills: 1,
            ..CALM
        },
    ),
    (
        "a lost answer",
        Budgets {
            lost_answers: 1,
            ..CALM
        },
    ),
    (
        "an unusual clock",
        Budgets {
            timing: 1,
            restarts: Budgets::ANY_NUMBER,
            ..CALM
        },
    ),
];

/// A plan and what is known of it before it is tried.
pub struct Subject {
    /// The plan.
    pub plan: Plan,
    /// What is wrong with it.
    pub about: String,
    /// Invariants that must catch it somewhere; empty for a policy.
    pub catches: &'static [&'static str],
}

/// The shortest counterexample for one invariant, over all small worlds of a plan.
pub struct Caught {
    /// The world's name.
    pub world: String,
    /// How many states it has.
    pub states: u64,
    /// The counterexample.
    pub counterexample: Counterexample,
    /// Whether its order is possible with usual durations.
    pub timing: Timing,
    /// What the timed world makes of it, or why no scenario can say it.
    pub played: Played,
}

/// What the timed world makes of the counterexamples for one invariant, the shortest first.
pub enum Played {
    /// In this world's counterexample it finds the same invariant violated.
    Confirmed(String, Counterexample, Rehearsal),
    /// It finds it in none of those that a scenario can say; this is what the judge said of the first.
    Differs(String),
    /// No scenario can say any of them; this is why not the first.
    NoWords(String),
}

/// What came of one plan.
pub struct Survey {
    /// The plan.
    pub subject: Subject,
    /// One for each violated invariant.
    pub caught: Vec<Caught>,
    /// How many states its worlds have together.
    pub states: u64,
    /// What each search covered.
    pub coverage: Vec<Coverage>,
}

/// Plans that must be caught: history's, and every mutant.
pub fn subjects() -> Vec<Subject> {
    let policy = |plan: Plan, about: &str| Subject {
        plan,
        about: about.to_owned(),
        catches: &[],
    };
    let mut all = vec![
        policy(bootkube(), "bootkube 0.14 as it behaved"),
        policy(kubeadm_alpha(), "`kubeadm alpha selfhosting pivot`"),
    ];
    all.extend(mutants().into_iter().map(|mutant| Subject {
        plan: mutant.plan,
        about: mutant.about.to_owned(),
        catches: mutant.catches,
    }));
    all
}

/// The worlds in which a plan that must be caught is tried, with their names.
pub fn small_worlds(plan: &Plan) -> Vec<(String, Config)> {
    let calm = |nodes| Config {
        foreign: true,
        ..Config::calm(plan.clone(), nodes)
    };
    let mut worlds: Vec<(String, Config)> = TROUBLES
        .iter()
        .filter(|(what, _)| *what != "a power cut" && *what != "an unusual clock")
        .map(|(what, budgets)| (named(1, what), calm(1).with(*budgets)))
        .collect();
    let unschedulable = Config {
        unschedulable: true,
        ..calm(1)
    };
    worlds.push((named(1, "apiservers without a node"), unschedulable));
    if Plan::named(&plan.policy).is_some() {
        let one_port = Config {
            one_port: true,
            ..calm(1)
        };
        worlds.push((named(1, "two apiservers on one port"), one_port));
    }
    worlds.push((named(2, "calm"), calm(2)));
    worlds
}

/// Tries a plan in its small worlds, completely.
///
/// # Errors
/// If the world calls states mirrored that do not behave alike: a bug of the model.
pub fn survey(subject: Subject) -> Result<Survey, NoSymmetry> {
    let mut found: Vec<Found> = Vec::new();
    let (mut states, mut coverage) = (0, Vec::new());
    for (name, config) in small_worlds(&subject.plan) {
        let world = World::new(config);
        let explored = explore(&world, &search(), &go_on);
        let covered = explored.coverage();
        states += covered.states;
        let here = Counterexample::all(&world, &explored)?.into_iter();
        found.extend(here.map(|counterexample| Found {
            world: name.clone(),
            states: covered.states,
            counterexample,
        }));
        coverage.push(covered);
    }
    // Of equals the first world's comes first: the sort is stable.
    found.sort_by_key(|found| found.counterexample.path.len());
    let caught = INVARIANTS.iter().filter_map(|slug| {
        let of_it = found
            .iter()
            .filter(|found| found.counterexample.invariant == *slug);
        let of_it: Vec<&Found> = of_it.collect();
        let first = of_it.first()?;
        Some(Caught {
            world: first.world.clone(),
            states: first.states,
            counterexample: first.counterexample.clone(),
            timing: first.counterexample.timing(&Timers::measured()),
            played: played(&of_it),
        })
    });
    Ok(Survey {
        caught: caught.collect(),
        subject,
        states,
        coverage,
    })
}

struct Found {
    world: String,
    states: u64,
    counterexample: Counterexample,
}

fn played(found: &[&Found]) -> Played {
    let (mut differs, mut no_words) = (None, String::new());
    for found in found {
        match found.counterexample.rehearse() {
            Ok(played) if played.confirmed => {
                return Played::Confirmed(
                    found.world.clone(),
                    found.counterexample.clone(),
                    played,
                );
            }
            Ok(played) => {
                differs.get_or_insert(format!("{}: {}", found.world, played.verdict));
            }
            Err(why) if no_words.is_empty() => no_words = why,
            Err(_) => {}
        }
    }
    differs.map_or(Played::NoWords(no_words), Played::Differs)
}

/// The worlds in which `modern` must violate nothing, with so many control-plane nodes.
pub fn worlds_of_modern(nodes: u8) -> Vec<(String, Config)> {
    let calm = || Config {
        foreign: true,
        ..Config::calm(modern(), nodes)
    };
    let mut worlds: Vec<(String, Config)> = TROUBLES
        .iter()
        .map(|(what, budgets)| (named(nodes, what), calm().with(*budgets)))
        .collect();
    let unschedulable = Config {
        unschedulable: true,
        ..calm()
    };
    worlds.push((named(nodes, "apiservers without a node"), unschedulable));
    worlds
}

/// Whether a world is too large to be tried completely whenever tests run: copies from checkpoints multiply
/// what there can be after a power cut.
pub const fn takes_long(config: &Config) -> bool {
    config.control_planes > 2 || config.control_planes > 1 && config.budgets.power_cuts > 0
}

/// What a world of `modern` comes to, for the table.
///
/// # Errors
/// As [`survey`].
pub fn entry_of(name: &str, config: &Config) -> Result<Entry, NoSymmetry> {
    let search = if takes_long(config) {
        long_search()
    } else {
        search()
    };
    entry(name, &World::new(config.clone()), &search, &go_on)
}

/// How the suite searches: completely, mirrored states as one, on one thread.
pub fn search() -> Search {
    Search {
        bounds: Bounds::within_mib(MOST_MIB),
        symmetry: Symmetry::On,
        until: Until::Exhausted,
        threads: 1,
    }
}

/// How a world is searched that takes long: on two threads, up to so many states, which another machine
/// reaches as well, at another speed.
fn long_search() -> Search {
    Search {
        bounds: Bounds::within_mib(LONG_MIB).states(LONG_STATES),
        threads: 2,
        ..search()
    }
}

fn named(nodes: u8, what: &str) -> String {
    let nodes = match nodes {
        1 => "1 node".to_owned(),
        several => format!("{several} nodes"),
    };
    format!("{nodes}, {what}")
}
