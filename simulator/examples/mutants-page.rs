//! Prints `docs/mutants.md`: `cargo run --release -p simulator --example mutants-page > page && mv page docs/mutants.md`.
//!
//! With `-- --long` the part that takes minutes is worked out too; otherwise it is that of the
//! page as it stands.

use std::error::Error;
use std::path::Path;

use simulator::counterexample::page::{long_part, page, standing_long_part};
use simulator::counterexample::suite::{subjects, survey};

fn main() -> Result<(), Box<dyn Error>> {
    let part = if std::env::args().any(|argument| argument == "--long") {
        long_part().map_err(|error| error.to_string())?
    } else {
        let stands = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mutants.md");
        let stands = std::fs::read_to_string(stands).unwrap_or_default();
        standing_long_part(&stands).unwrap_or_default().to_owned()
    };
    let surveys: Result<Vec<_>, _> = subjects().into_iter().map(survey).collect();
    let surveys = surveys.map_err(|error| error.to_string())?;
    print!(
        "{}",
        page(&surveys, &part).map_err(|error| error.to_string())?
    );
    Ok(())
}
