//! Whatever stands in a file, reading it ends with a scenario or with mistakes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use scenarios::{Overrides, parse};

fn catalogue() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue");
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

fn ends(bytes: &[u8]) {
    match parse("any.yaml", bytes, Path::new(""), &Overrides::default()) {
        Ok(scenario) => assert!(!scenario.cases.is_empty()),
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                assert!(mistake.to_string().contains("any.yaml"));
            }
        }
    }
}

/// What is put into a file at some place.
fn scrap() -> impl Strategy<Value = String> {
    let words = [
        "",
        "\t",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "&a ",
        "*a",
        "$x",
        "@",
        "<<: ",
        "---\n",
        "!!str ",
        "\"",
        "'",
        "|\n",
        ">\n",
        "#",
        "0",
        "-1",
        "1e999",
        "null",
        "~",
        "true",
        "power_off",
        "@leader(",
        ")",
        "\u{0}",
        "\u{feff}",
        "é",
        "🙂",
    ];
    prop_oneof![
        proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        "[ -~]{0,12}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn arbitrary_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        ends(&bytes);
    }

    #[test]
    fn arbitrary_text_ends(text in "\\PC{0,400}") {
        ends(text.as_bytes());
    }

    #[test]
    fn mutilated_scenarios_end(
        which in any::<proptest::sample::Index>(),
        cuts in proptest::collection::vec((any::<proptest::sample::Index>(), 0_usize..24, scrap()), 1..6),
    ) {
        let catalogue = catalogue();
        let mut characters: Vec<char> = which.get(&catalogue).1.chars().collect();
        for (place, length, scrap) in cuts {
            let from = place.index(characters.len() + 1);
            let to = (from + length).min(characters.len());
            characters.splice(from..to, scrap.chars());
        }
        ends(characters.into_iter().collect::<String>().as_bytes());
    }
}
