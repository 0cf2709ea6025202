//! Expected texts in files: compared, or with `UPDATE_GOLDENS=1` written anew.

use std::path::Path;

/// Compares a text with the file at this path of the crate.
pub(crate) fn check(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        assert!(
            std::env::var_os("CI").is_none(),
            "goldens are not updated in CI"
        );
        std::fs::write(&file, text).expect("a golden can be written where it was read");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if expected != text {
        let differs = expected
            .lines()
            .zip(text.lines())
            .position(|(old, new)| old != new);
        panic!(
            "{path} is stale from line {} on; look at the difference after UPDATE_GOLDENS=1 cargo test -p simulator\n{text}",
            differs.unwrap_or(expected.lines().count().min(text.lines().count())) + 1,
        );
    }
}
