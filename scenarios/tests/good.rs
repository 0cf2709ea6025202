//! Good input: what is read is what was meant.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use scenarios::{
    Entry, ExpandError, Joined, Operation, OperationKind, Overrides, Plan, Scenario, Selection,
    expand, load, read_expectation, read_installer,
};
use terms::{Capability, Fault, Milliseconds};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/good")
        .join(name)
}

fn read(name: &str, overrides: &Overrides) -> Scenario {
    let mut read = load(&[file(name)], overrides).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    read.pop().unwrap()
}

fn plan(name: &str, selection: &Selection) -> Result<Plan, ExpandError> {
    expand(&[read(name, &Overrides::default())], selection)
}

#[test]
fn the_example_of_the_contract_is_read_as_it_is_explained_there() {
    let scenario = read("design-example.yaml", &Overrides::default());
    assert_eq!(scenario.cases.len(), 2);
    let [modern, bootkube] = &scenario.cases[..] else {
        panic!("two cases")
    };
    assert_eq!(
        (modern.expect.ends.as_str(), modern.expect.violated.len()),
        ("done", 0)
    );
    assert_eq!(bootkube.expect.violated.len(), 2);
    assert!(bootkube.capabilities.contains(&Capability::Checkpoints));
    let joined = Joined::ByEntry(4);
    assert_eq!(
        modern.timeline[0],
        Entry::Operation(Operation {
            kind: OperationKind::Bootstrap,
            joined
        })
    );
    let Entry::At(at) = &modern.timeline[1] else {
        panic!("an at")
    };
    assert_eq!(
        (at.occurrence, at.within, at.actor.0.as_str()),
        (1, Milliseconds(120_000), "installer")
    );
    assert!(matches!(at.inject[..], [Fault::PowerOff(_)]));
    assert_eq!(
        scenario.budgets["api_write_outage"],
        Some(Milliseconds(120_000))
    );
    assert_eq!(scenario.budgets["new_leader"], Some(Milliseconds(25_000)));
}

#[test]
fn everything_that_the_language_knows_is_read() {
    let scenario = read("everything.yaml", &Overrides::default());
    let [one, two] = &scenario.cases[..] else {
        panic!("two cases")
    };
    let occurrence = |index: usize| match &scenario.cases[index].timeline[2] {
        Entry::At(at) => at.occurrence,
        other => panic!("{other:?}"),
    };
    assert_eq!((occurrence(0), occurrence(1)), (2, 1));
    assert_eq!(two.tags, BTreeSet::from(["a", "b", "c"].map(str::to_owned)));
    let joined = |index: usize| match &one.timeline[index] {
        Entry::Operation(operation) => operation.joined,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (joined(1), joined(4)),
        (Joined::ByEntry(4), Joined::ByItself)
    );
    assert_eq!(scenario.budgets["api_write_outage"], None);
}

#[test]
fn a_recovery_stays_in_the_background_only_to_be_held_itself() {
    let scenario = read("held-recovery.yaml", &Overrides::default());
    let joined = |index: usize| match &scenario.cases[0].timeline[index] {
        Entry::Operation(operation) => operation.joined,
        other => panic!("{other:?}"),
    };
    assert_eq!(joined(1), Joined::ByEntry(3));
    assert_eq!(joined(3), Joined::ByItself);
}

#[test]
fn ids_are_stable_and_unique() {
    let plan = plan(
        "everything.yaml",
        &Selection {
            repeat: 2,
            ..Selection::default()
        },
    )
    .unwrap();
    assert_eq!(
        plan.planned,
        [
            "everything/selfhost-modern-agent-bootkube@1.34#two",
            "everything/selfhost-modern-agent-bootkube@1.34#two~2",
            "everything/selfhost-modern-apiserver-node-selector@1.34#one",
            "everything/selfhost-modern-apiserver-node-selector@1.34#one~2",
        ]
    );
    let seeds: BTreeSet<u64> = plan.cases.iter().map(|case| case.seed).collect();
    assert_eq!(seeds.len(), 4);
    assert_eq!(plan.cases[0].subject(), plan.cases[1].subject());
}

#[test]
fn a_sweep_makes_a_case_for_each_step_and_moment() {
    let plan = plan("sweep.yaml", &Selection::default()).unwrap();
    let (modern, bootkube) = (14 * 2, 8 * 2);
    assert_eq!(plan.cases.len(), modern + bootkube);
    let id = "sweep/selfhost-bootkube@1.34#bootstrap-removed-completed".to_owned();
    assert!(plan.planned.contains(&id), "{:?}", plan.planned);
}

#[test]
fn shards_share_out_everything_exactly_once() {
    let scenarios = [read("sweep.yaml", &Overrides::default())];
    let part = |shard| {
        expand(
            &scenarios,
            &Selection {
                shard,
                ..Selection::default()
            },
        )
        .unwrap()
    };
    let whole = part(None);
    for of in [1, 2, 3, 7, 100] {
        let mut seen = Vec::new();
        for number in 1..=of {
            let part = part(Some(format!("{number}/{of}").parse().unwrap()));
            seen.extend(part.cases.iter().map(|case| case.id.clone()));
            assert_eq!(part.fingerprint, whole.fingerprint);
        }
        seen.sort();
        assert_eq!(seen, whole.planned);
    }
    for wrong in ["0/3", "4/3", "1", "1/0", "a/b", "-1/2"] {
        assert!(wrong.parse::<scenarios::Shard>().is_err(), "{wrong}");
    }
}

#[test]
fn a_plan_is_the_same_twice_and_survives_json() {
    let once = plan("everything.yaml", &Selection::default()).unwrap();
    let json = serde_json::to_string(&once).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), once);
    let other = plan(
        "everything.yaml",
        &Selection {
            seed: 2,
            ..Selection::default()
        },
    )
    .unwrap();
    assert_ne!(other.fingerprint, once.fingerprint);
    assert_ne!(other.cases[0].seed, once.cases[0].seed);
}

#[test]
fn what_nothing_bears_cannot_be_selected() {
    let tag = plan(
        "everything.yaml",
        &Selection {
            tags: vec!["aa".into()],
            ..Selection::default()
        },
    );
    assert!(tag.unwrap_err().to_string().contains("did you mean `a`?"));
    let case = plan(
        "everything.yaml",
        &Selection {
            cases: vec!["tow".into()],
            ..Selection::default()
        },
    );
    assert!(
        case.unwrap_err()
            .to_string()
            .contains("did you mean `two`?")
    );
    let selection = Selection {
        cases: vec!["two".into()],
        tags: vec!["c".into()],
        ..Selection::default()
    };
    assert_eq!(plan("everything.yaml", &selection).unwrap().cases.len(), 1);
    let selection = Selection {
        cases: vec!["one".into()],
        ..selection
    };
    assert_eq!(
        plan("everything.yaml", &selection),
        Err(ExpandError::NothingLeft)
    );
}

#[test]
fn another_installer_takes_the_place_of_each() {
    let scratch = tempfile::tempdir().unwrap();
    let other = scratch.path().join("other.yaml");
    std::fs::write(&other, "selfhost: { policy: bootkube }\n").unwrap();
    let installer = Some(read_installer(&other).unwrap());
    let alone = Overrides {
        installer: installer.clone(),
        expect: None,
    };
    let said = load(&[file("design-example.yaml")], &alone)
        .unwrap_err()
        .to_string();
    assert!(said.contains("--expect"), "{said}");
    let expect = Some(read_expectation("{ ends: holding }").unwrap());
    let scenario = read("design-example.yaml", &Overrides { installer, expect });
    assert_eq!(
        scenario.cases.len(),
        1,
        "two cases that differed by their installer only"
    );
    assert_eq!(scenario.cases[0].expect.ends, "holding");
    assert!(!scenario.cases[0].capabilities.contains(&Capability::Ha));
}

#[test]
fn mistakes_on_the_command_line_are_shown_as_in_files() {
    let said = read_expectation("{ violated: [guard-hold-at-teardown] }")
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("--expect:1") && said.contains("did you mean `guard-holds-at-teardown`?"),
        "{said}"
    );
}

#[test]
fn a_plan_file_beside_the_scenario_is_a_policy() {
    let scratch = tempfile::tempdir().unwrap();
    let plan = pivot::Plan {
        policy: "mine".to_owned(),
        ..pivot::bootkube()
    };
    std::fs::write(
        scratch.path().join("mutant.json"),
        serde_json::to_vec(&plan).unwrap(),
    )
    .unwrap();
    let text = std::fs::read_to_string(file("sweep.yaml"))
        .unwrap()
        .replace("bootkube", "mutant.json");
    let scenario = scratch.path().join("scenario.yaml");
    std::fs::write(&scenario, text).unwrap();
    let read =
        load(&[scenario], &Overrides::default()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let plan = expand(&read, &Selection::default()).unwrap();
    let case = plan
        .cases
        .iter()
        .find(|case| case.id.contains("selfhost-mutant@"))
        .unwrap();
    let scenarios::Installer::Selfhost(selfhost) = &case.installer;
    assert!(
        Path::new(&selfhost.policy).is_file(),
        "the path is meant from here: {}",
        selfhost.policy
    );
    assert_eq!(plan.cases.len(), (14 + 8) * 2);
}
