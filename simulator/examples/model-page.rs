//! Prints `docs/simulator.md`: `cargo run -p simulator --example model-page > docs/simulator.md`.

fn main() {
    print!("{}", simulator::timed::model_page());
}
