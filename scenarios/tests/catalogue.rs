//! The catalogue: it parses, it covers, and its gate is affordable.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;

use std::path::{Path, PathBuf};

use scenarios::{Case, Overrides, Plan, Selection, describe_entry, expand, load};

fn catalogue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue")
}

fn plan(selection: &Selection) -> Plan {
    let scenarios =
        load(&[catalogue()], &Overrides::default()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    expand(&scenarios, selection).unwrap()
}

fn described(case: &Case) -> String {
    let Case {
        id,
        cluster,
        expect,
        tags,
        cost_s,
        capabilities,
        timeline,
        ..
    } = case;
    let tags: Vec<_> = tags.iter().map(String::as_str).collect();
    let mut text = format!(
        "{id}\n  {}+{}, {cost_s} s, tags {}, claims {capabilities:?}\n  ends {}, violated {:?}\n",
        cluster.control_plane,
        cluster.workers,
        tags.join(" "),
        expect.ends,
        expect.violated,
    );
    for (entry, index) in timeline.iter().zip(0..) {
        text.push_str(&format!("  {index} {}\n", describe_entry(entry)));
    }
    text
}

#[test]
fn the_expansion_is_as_it_was() {
    let plan = plan(&Selection::default());
    let text: Vec<String> = plan.cases.iter().map(described).collect();
    golden::check("tests/catalogue.expansion.txt", &text.join("\n"));
}

#[test]
fn files_are_named_after_their_scenarios() {
    for case in plan(&Selection::default()).cases {
        assert_eq!(
            Path::new(&case.file).file_stem().unwrap(),
            case.scenario.as_str()
        );
    }
}

#[test]
fn the_gate_has_at_most_eight_cases_and_takes_at_most_ten_minutes() {
    let gate = plan(&Selection {
        tags: vec!["gate".to_owned()],
        ..Selection::default()
    });
    let cost_s: u32 = gate.cases.iter().map(|case| case.cost_s).sum();
    assert!(
        (1..=8).contains(&gate.cases.len()),
        "{} cases",
        gate.cases.len()
    );
    assert!(cost_s <= 600, "{cost_s} s");
}

#[test]
fn every_case_is_in_the_gate_or_nightly() {
    for case in plan(&Selection::default()).cases {
        assert!(
            case.tags.contains("gate") || case.tags.contains("nightly"),
            "{}",
            case.id
        );
    }
}

#[test]
fn every_cost_is_declared() {
    for entry in std::fs::read_dir(catalogue()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.lines().any(|line| line.starts_with("cost_s: ")),
            "{}",
            path.display()
        );
    }
}
