//! Bad input: every mistake is found, at its line, in words that help.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use scenarios::{Mistakes, Overrides, load};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

fn mistakes(file: &str) -> Mistakes {
    match load(&[folder().join(file)], &Overrides::default()) {
        Ok(_) => panic!("{file} was taken for a scenario"),
        Err(mistakes) => mistakes,
    }
}

/// Lines and words by file, from `expected.txt`.
fn expected() -> BTreeMap<String, Vec<(usize, String)>> {
    let table = std::fs::read_to_string(folder().join("expected.txt")).unwrap();
    let mut expected: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let [file, line, words] = row.splitn(3, " | ").collect::<Vec<_>>()[..] else {
            panic!("not a row: {row}")
        };
        let row = (line.parse().unwrap(), words.to_owned());
        expected
            .entry(format!("{file}.yaml"))
            .or_default()
            .push(row);
    }
    expected
}

#[test]
fn every_mistake_is_found_at_its_line() {
    let mut missed = Vec::new();
    for (file, expected) in expected() {
        let Mistakes(found) = mistakes(&file);
        for (line, words) in expected {
            let says = |mistake: &scenarios::Mistake| {
                mistake.line == line
                    && (mistake.what.contains(&words)
                        || mistake
                            .help
                            .as_ref()
                            .is_some_and(|help| help.contains(&words)))
            };
            if !found.iter().any(says) {
                missed.push(format!(
                    "{file}:{line}: {words}\n{}",
                    Mistakes(found.clone())
                ));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

#[test]
fn every_bad_file_is_expected_to_be_bad() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    assert_eq!(files, expected().into_keys().collect());
    assert!(files.len() >= 35, "{}", files.len());
}

#[test]
fn mistakes_are_shown_as_before() {
    let folder = format!("{}/", folder().display());
    let shown: Vec<String> = expected()
        .keys()
        .map(|file| mistakes(file).to_string().replace(&folder, ""))
        .collect();
    golden::check("tests/bad.shown.txt", &shown.join("\n\n----\n\n"));
}

#[test]
fn one_file_reports_all_of_its_mistakes_and_no_consequences() {
    assert_eq!(mistakes("many-mistakes.yaml").0.len(), 3);
    assert_eq!(mistakes("many-in-a-timeline.yaml").0.len(), 2);
}

#[test]
fn huge_files_are_not_read() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("huge.yaml");
    std::fs::write(&file, "name: x\n".repeat(64 * 1024)).unwrap();
    let said = load(&[file], &Overrides::default())
        .unwrap_err()
        .to_string();
    assert!(said.contains("a scenario has at most 256"), "{said}");
}

#[test]
fn folders_without_scenarios_and_paths_without_files_are_mistakes() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join("notes.txt"), "nothing").unwrap();
    let said = load(&[scratch.path().to_owned()], &Overrides::default())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("there is no scenario in this folder"),
        "{said}"
    );
    let nowhere = scratch.path().join("nowhere.yaml");
    let said = load(&[nowhere], &Overrides::default())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("nowhere.yaml") && said.contains("cannot be read"),
        "{said}"
    );
}

#[test]
fn two_scenarios_of_one_name_are_named_both() {
    let scratch = tempfile::tempdir().unwrap();
    let text = std::fs::read(folder().join("../good/sweep.yaml")).unwrap();
    for name in ["first.yaml", "second.yml"] {
        std::fs::write(scratch.path().join(name), &text).unwrap();
    }
    let said = load(&[scratch.path().to_owned()], &Overrides::default())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("first.yaml") && said.contains("second.yml"),
        "{said}"
    );
    assert!(said.contains("the name `sweep` is taken"), "{said}");
}

#[test]
fn mistakes_of_all_files_are_reported() {
    let Mistakes(all) = load(&[folder()], &Overrides::default()).unwrap_err();
    let files: BTreeSet<_> = all.iter().map(|mistake| &mistake.file).collect();
    assert_eq!(files.len(), expected().len());
}
