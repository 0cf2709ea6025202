//! The coarse world: small bounds, tried completely, and judged by the same oracle as a real run.

use std::collections::{BTreeMap, BTreeSet};

use oracle::{Expectation, Judgement, judge};
use pivot::{ComponentSet, Plan, StageKind, bootkube, kubeadm_alpha, modern, mutants};
use simulator::coarse::{Action, Budgets, Config, INVARIANTS, World, project};
use simulator::counterexample::page::NOT_CAUGHT;
use simulator::explore::{
    Bounds, Model, Nearest, Returns, Search, Symmetry, Until, explore, go_on, nearest, returns,
};

/// More states than this are not small.
const MOST_STATES: u64 = 1_000_000;

const NONE: Budgets = Budgets {
    power_cuts: 0,
    kills: 0,
    installer_kills: 0,
    lost_answers: 0,
    timing: 0,
    restarts: 0,
};
const CUT: Budgets = Budgets {
    power_cuts: 1,
    ..NONE
};
const KILL: Budgets = Budgets { kills: 1, ..NONE };
const KILLED_INSTALLER: Budgets = Budgets {
    installer_kills: 1,
    ..NONE
};
const LOST_ANSWER: Budgets = Budgets {
    lost_answers: 1,
    ..NONE
};
const TIMING: Budgets = Budgets {
    timing: 1,
    restarts: 1,
    ..NONE
};

const TROUBLES: [Budgets; 6] = [NONE, CUT, KILL, KILLED_INSTALLER, LOST_ANSWER, TIMING];

/// What a complete search found.
struct Found {
    world: World,
    states: u64,
    transitions: u64,
    /// How often each kind of action was applied.
    fired: BTreeMap<&'static str, u64>,
    /// The shortest path to each violated invariant.
    violated: BTreeMap<&'static str, Vec<Action>>,
    /// The shortest path to a state that is as it should be.
    healthy: Option<Vec<Action>>,
    /// The shortest path to a state from which no such state can be reached without anybody's help.
    lost: Option<Vec<Action>>,
}

/// Tries every interleaving.
fn search(config: Config) -> Found {
    let world = World::new(config);
    let bounds = Bounds::within_mib(2_048).states(MOST_STATES);
    let search = Search {
        bounds,
        symmetry: Symmetry::On,
        until: Until::Exhausted,
        threads: 1,
    };
    let explored = explore(&world, &search, &go_on);
    let coverage = explored.coverage();
    assert_eq!(
        coverage.end,
        simulator::explore::End::Exhausted,
        "not a small world: {coverage}"
    );
    let counterexamples = explored
        .counterexamples()
        .expect("mirrored states behave alike");
    let violated = counterexamples
        .into_iter()
        .map(|found| (world.invariants()[found.invariant], found.path.actions));
    let violated = violated.collect();
    let own = |action| !world.is_outside(action);
    let lost = match returns(&explored, &own, &go_on).expect("mirrored states behave alike") {
        Returns::NotFrom { path, .. } => Some(path.actions),
        _ => None,
    };
    let healthy = |state: &_| world.healthy(state);
    let healthy = match nearest(&world, &world.initial()[0], &|_| true, &healthy, bounds) {
        Nearest::Found(path) => Some(path.actions),
        _ => None,
    };
    Found {
        states: coverage.states,
        transitions: coverage.transitions,
        fired: coverage.fired.into_iter().collect(),
        violated,
        healthy,
        lost,
        world,
    }
}

/// A path as text, one action a line.
fn words(path: &[Action]) -> String {
    path.iter().map(|action| format!("  {action}\n")).collect()
}

/// A complete search; prints its figures.
fn tried(what: &str, config: Config) -> Found {
    let nodes = config.control_planes;
    let found = search(config);
    println!(
        "{what}, {nodes} nodes: {} states, {} transitions",
        found.states, found.transitions
    );
    for (slug, path) in &found.violated {
        println!("  {slug} after {}", path.len());
    }
    if let Some(lost) = &found.lost {
        println!("  no way back after {}", lost.len());
    }
    found
}

fn slugs(found: &Found) -> BTreeSet<&'static str> {
    found.violated.keys().copied().collect()
}

/// What the oracle says of a path, among the invariants that a coarse state can decide.
fn by_oracle(world: &World, path: &[Action]) -> BTreeMap<String, String> {
    let expected = Expectation {
        ends: "done".to_owned(),
        violated: BTreeSet::new(),
    };
    let verdict = judge(&project(world, path), &expected);
    let judged = verdict
        .invariants
        .into_iter()
        .filter_map(|judged| match judged.judgement {
            Judgement::Violated(finding) if INVARIANTS.contains(&judged.slug.as_str()) => {
                Some((judged.slug, finding.what))
            }
            _ => None,
        });
    judged.collect()
}

#[test]
fn an_undisturbed_bootstrap_is_done_and_nothing_is_wrong_on_the_way() {
    for nodes in 1..=2 {
        let found = tried("modern, calm", Config::calm(modern(), nodes));
        assert_eq!(slugs(&found), BTreeSet::new());
        assert!(found.healthy.is_some(), "nothing becomes as it should be");
        assert_eq!(found.lost.as_deref().map(words), None);
        let healthy = found.healthy.expect("seen above");
        assert_eq!(
            by_oracle(&found.world, &healthy),
            BTreeMap::new(),
            "{}",
            words(&healthy)
        );
    }
}

/// A single node without checkpoints cannot start its control plane after a power cut, whatever the plan.
#[test]
fn modern_survives_one_fault_but_for_a_power_cut() {
    for (what, budgets) in [
        ("modern, a kill", KILL),
        ("modern, the installer killed", KILLED_INSTALLER),
        ("modern, a lost answer", LOST_ANSWER),
        ("modern, a slow clock", TIMING),
    ] {
        for nodes in 1..=2 {
            let config = Config {
                foreign: true,
                ..Config::calm(modern(), nodes)
            };
            let found = tried(what, config.with(budgets));
            if let Some((slug, path)) = found.violated.iter().next() {
                panic!("{what}: {slug} is violated\n{}", words(path));
            }
            assert!(found.healthy.is_some());
        }
    }
    let broken = Config {
        unschedulable: true,
        ..Config::calm(modern(), 1)
    };
    let found = tried("modern, apiservers without a node", broken);
    assert_eq!(slugs(&found), BTreeSet::new());
    assert!(found.healthy.is_some(), "it does not hold");
    assert_eq!(found.lost.as_deref().map(words), None);
    // While it has no power, a node that could start an apiserver is waited for: with two nodes the other
    // one cannot be blamed.
    let found = tried("modern, a power cut", Config::calm(unarmed(), 2).with(CUT));
    assert_eq!(slugs(&found), BTreeSet::new());
    let found = tried("modern, a power cut", Config::calm(unarmed(), 1).with(CUT));
    let expected = ["running-again-converges", "somebody-can-start-an-apiserver"];
    assert_eq!(slugs(&found), BTreeSet::from(expected));
    for path in found.violated.values() {
        assert!(
            path.iter()
                .any(|action| matches!(action, Action::CutPower(0))),
            "{}",
            words(path)
        );
    }
}

/// `modern` without checkpoints, which have a world of their own: here they only make states of the same many.
fn unarmed() -> Plan {
    let mut plan = modern();
    plan.rules.checkpointed = ComponentSet::NONE;
    plan.stages
        .retain(|stage| !matches!(stage.kind, StageKind::Arm(_)));
    plan
}

/// With the stand-in for the checkpoint agent, and a teardown that waits for it, the window of FF-10 is closed.
#[test]
fn a_checkpoint_closes_the_window_once_it_is_written() {
    let found = tried(
        "modern with checkpoints, a power cut",
        Config::calm(modern(), 1).with(CUT),
    );
    let window = found.violated.get("somebody-can-start-an-apiserver");
    assert_eq!(window.map(|path| words(path)), None);
    for kind in ["save", "start-copy", "retire-copy"] {
        assert!(found.fired[kind] > 0, "{kind} never happened");
    }
}

#[test]
fn history_breaks_what_it_broke() {
    let found = tried("bootkube, calm", Config::calm(bootkube(), 1));
    let calm = [
        "guard-holds-at-teardown",
        "no-credentials-left",
        "nothing-runs-on-deleted-files",
    ];
    assert_eq!(slugs(&found), BTreeSet::from(calm));
    let found = tried("bootkube, a kill", Config::calm(bootkube(), 1).with(KILL));
    assert!(slugs(&found).contains("failure-holds"));
    assert!(slugs(&found).contains("somebody-can-start-an-apiserver"));
    let one_port = Config {
        one_port: true,
        ..Config::calm(bootkube(), 1)
    };
    let found = tried("bootkube, one port", one_port);
    assert!(slugs(&found).contains("guard-holds-at-teardown"));
    let one_port = Config {
        one_port: true,
        ..Config::calm(kubeadm_alpha(), 1)
    };
    let found = tried("kubeadm-alpha, one port", one_port);
    assert!(slugs(&found).contains("guard-holds-at-teardown"));
    assert!(slugs(&found).contains("no-credentials-left"));
}

/// What each mutant is caught by, in worlds with at most one thing going wrong.
fn caught(plan: &Plan) -> BTreeMap<&'static str, (usize, &'static str, World, Vec<Action>)> {
    let mut caught: BTreeMap<&'static str, (usize, &'static str, World, Vec<Action>)> =
        BTreeMap::new();
    for (what, nodes, budgets, unschedulable) in [
        ("calm", 1, NONE, false),
        ("a kill", 1, KILL, false),
        ("installer killed", 1, KILLED_INSTALLER, false),
        ("a lost answer", 1, LOST_ANSWER, false),
        ("apiservers without a node", 1, NONE, true),
        ("calm", 2, NONE, false),
    ] {
        let config = Config {
            foreign: true,
            unschedulable,
            ..Config::calm(plan.clone(), nodes)
        };
        let found = search(config.with(budgets));
        for (slug, path) in found.violated {
            let (length, world) = (path.len(), found.world.clone());
            let better = caught.get(slug).is_none_or(|(known, ..)| length < *known);
            if better {
                caught.insert(slug, (length, what, world, path));
            }
        }
    }
    caught
}

/// The path, and what the world does by itself after it until its installer has ended.
fn going_on(world: &World, path: &[Action]) -> Vec<Action> {
    let mut state = path.iter().fold(world.initial()[0], |state, action| {
        world.apply(&state, *action)
    });
    let (mut longer, mut actions) = (path.to_vec(), Vec::new());
    for _ in 0..100 {
        actions.clear();
        world.actions(&state, &mut actions);
        let own = |action: &&Action| !world.is_outside(**action);
        let Some(action) = actions.iter().rfind(own) else {
            break;
        };
        longer.push(*action);
        state = world.apply(&state, *action);
    }
    longer
}

#[test]
fn a_mutant_is_caught_by_what_must_catch_it_and_the_oracle_agrees() {
    for mutant in mutants() {
        let caught = caught(&mutant.plan);
        for (slug, (length, what, world, path)) in &caught {
            let nodes = world.config().control_planes;
            println!(
                "{}: {slug} after {length} ({what}, {nodes} nodes)",
                mutant.name
            );
            let mut oracle = by_oracle(world, path);
            oracle.extend(by_oracle(world, &going_on(world, path)));
            assert!(
                oracle.contains_key(*slug),
                "{}: the oracle does not see {slug}, only {oracle:#?}\n{}",
                mutant.name,
                words(path)
            );
        }
        let is_hidden = NOT_CAUGHT.iter().any(|(name, _)| *name == mutant.name);
        assert_eq!(
            caught.is_empty(),
            is_hidden,
            "{}: {:?}",
            mutant.name,
            caught.keys()
        );
        for slug in mutant
            .catches
            .iter()
            .filter(|slug| INVARIANTS.contains(slug))
        {
            if !caught.contains_key(slug) {
                println!("{}: NOT caught by {slug}", mutant.name);
            }
        }
    }
}

/// Walks that end somewhere: what the oracle finds wrong with one was wrong in one of its states, and
/// what is wrong for good the oracle finds.
#[test]
fn the_oracle_finds_wrong_what_the_coarse_judge_finds_wrong() {
    let mut judged = 0;
    let mut agreed: BTreeMap<String, usize> = BTreeMap::new();
    for plan in [modern(), bootkube(), kubeadm_alpha()]
        .into_iter()
        .chain(mutants().into_iter().map(|mutant| mutant.plan))
    {
        for (nodes, budgets) in [1, 2]
            .into_iter()
            .flat_map(|nodes| TROUBLES.map(|budgets| (nodes, budgets)))
        {
            let world = World::new(Config::calm(plan.clone(), nodes).with(budgets));
            for seed in 0..2 {
                let (path, ever, last) = random_walk(&world, seed);
                let mut oracle = by_oracle(&world, &path);
                // A power cut of one of several nodes may take the store away: not judged by the coarse one.
                // Nor is what only an unusual clock explains, of which the oracle does not know.
                if nodes > 1 && budgets == CUT || budgets == TIMING {
                    oracle.remove("running-again-converges");
                }
                if budgets == TIMING {
                    oracle.remove("bootstrap-completes");
                }
                judged += 1;
                for slug in oracle.keys() {
                    assert!(
                        ever.contains(slug.as_str()),
                        "{}: only the oracle finds {slug}: {}\n{}",
                        plan.policy,
                        oracle[slug],
                        words(&path)
                    );
                    *agreed.entry(slug.clone()).or_default() += 1;
                }
                for slug in last {
                    assert!(
                        oracle.contains_key(slug),
                        "{}: only the coarse judge finds {slug}\n{}",
                        plan.policy,
                        words(&path)
                    );
                }
            }
        }
    }
    println!("{judged} walks, agreed on {agreed:?}");
    assert!(
        agreed.len() >= 5,
        "too little was violated to compare: {agreed:?}"
    );
}

/// A walk until nothing but outside events can happen, with all that was wrong on it and in its end.
fn random_walk(
    world: &World,
    seed: u64,
) -> (Vec<Action>, BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let names = |bits: u64| {
        let numbered = world.invariants().iter().enumerate();
        numbered
            .filter(|(bit, _)| bits >> bit & 1 == 1)
            .map(|(_, slug)| *slug)
            .collect::<BTreeSet<_>>()
    };
    let mut state = world.initial()[0];
    let (mut path, mut ever, mut actions) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut chance = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for _ in 0..400 {
        actions.clear();
        world.actions(&state, &mut actions);
        if actions.is_empty() {
            break;
        }
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let action = actions[(chance >> 33) as usize % actions.len()];
        state = world.apply(&state, action);
        ever.extend(names(world.violated(&state)));
        path.push(action);
    }
    (path, ever, names(world.violated(&state)))
}
