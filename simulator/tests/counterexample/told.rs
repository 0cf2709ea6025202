//! Tables for a person, as they stand beside this file. `UPDATE_GOLDEN=1` writes them anew.

use std::path::Path;

use super::caught;

fn check(name: &str, told: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/counterexample")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, told).expect("the file can be written");
    }
    let stands = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        stands == told,
        "{name} is another; UPDATE_GOLDEN=1 writes:\n{told}"
    );
}

#[test]
fn a_table_shows_who_did_what_and_which_guard_was_wrong() {
    let killed = &caught("bootkube", "somebody-can-start-an-apiserver").counterexample;
    check("bootkube-killed.txt", &killed.table());
    let two = &caught("one-apiserver-is-enough", "guard-holds-at-teardown").counterexample;
    check("one-of-two.txt", &two.table());
}

#[test]
fn a_scenario_says_what_it_is_about() {
    let killed = &caught("bootkube", "somebody-can-start-an-apiserver").counterexample;
    check(
        "bootkube-killed.yaml",
        &killed.scenario().expect("it has words"),
    );
}
