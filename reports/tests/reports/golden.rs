//! Files that hold what must come out.

use std::path::Path;

/// Compares with `golden/<name>`; with `UPDATE_GOLDEN=1` writes it instead, which CI never sets.
pub(crate) fn check(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reports/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(
        expected == actual,
        "{} is no longer what comes out; look at the difference, then run with UPDATE_GOLDEN=1\n\
         --- expected ---\n{expected}\n--- actual ---\n{actual}",
        path.display()
    );
}
