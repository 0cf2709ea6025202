//! Who may know whom: dependencies between rooms, and crates that must stay in theirs.

use std::process::Command;

use serde_json::Value;

/// Each package with the packages of this project that it may know.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("terms", &[]),
    ("oracle", &["terms"]),
    ("pivot", &["terms"]),
    ("scenarios", &["terms", "oracle", "pivot"]),
    ("reports", &["terms", "oracle"]),
    (
        "simulator",
        &["terms", "oracle", "scenarios", "pivot", "reports"],
    ),
    ("observer", &["terms", "oracle"]),
    ("pod-network", &[]),
    ("selfhost", &["terms", "pivot"]),
    (
        "chrysalis",
        &[
            "terms",
            "oracle",
            "scenarios",
            "pivot",
            "simulator",
            "reports",
            "observer",
        ],
    ),
    ("tidy", &["oracle"]),
];

/// Crates that touch the world live under `harness/` only.
const WORLDLY: [&str; 4] = ["tokio", "kube", "bollard", "testcontainers"];

/// Offences of the dependency graph.
pub(crate) fn offences() -> Vec<String> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output();
    let Some(metadata) = output
        .ok()
        .and_then(|output| serde_json::from_slice(&output.stdout).ok())
    else {
        return vec!["cargo does not tell the dependencies".to_owned()];
    };
    packages(&metadata)
        .iter()
        .flat_map(|package| of_package(package))
        .collect()
}

fn packages(metadata: &Value) -> Vec<Value> {
    metadata["packages"].as_array().cloned().unwrap_or_default()
}

fn of_package(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
        return vec![format!("package {name} has no place in the table of rooms")];
    };
    let harness = package["manifest_path"]
        .as_str()
        .is_some_and(|path| path.contains("/harness/"));
    let dependencies = package["dependencies"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let mut offences = Vec::new();
    for dependency in &dependencies {
        let other = dependency["name"].as_str().unwrap_or_default();
        let ours = ALLOWED.iter().any(|(known, _)| *known == other);
        // Tests may look from outside; what ships may not.
        let ships = dependency["kind"].is_null();
        if ours && ships && !allowed.contains(&other) {
            offences.push(format!("{name} must not know {other}"));
        }
        if WORLDLY.contains(&other) && !harness {
            offences.push(format!(
                "{name} must not use {other}: it belongs under harness/"
            ));
        }
    }
    offences
}
