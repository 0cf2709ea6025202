//! Prints `docs/checkpoints.md`: `cargo run --release -p simulator --example checkpoints-page > page && mv page docs/checkpoints.md`.

use std::error::Error;

use simulator::agent::{page, subjects, tried};

fn main() -> Result<(), Box<dyn Error>> {
    let trials: Result<Vec<_>, _> = subjects().into_iter().map(tried).collect();
    let trials = trials.map_err(|error| error.to_string())?;
    print!("{}", page(&trials)?);
    Ok(())
}
