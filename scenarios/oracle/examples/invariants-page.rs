//! Prints `docs/invariants.md`: `cargo run -p oracle --example invariants-page > docs/invariants.md`.

fn main() {
    print!("{}", oracle::register::markdown());
}
