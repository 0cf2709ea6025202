//! What a person watches while a run goes on: a consumer of the one stream of events.
//!
//! On a terminal the open cases are shown live, with their phase, how long it has taken, how long
//! it usually takes and what is being waited for; what happened scrolls by above. Anywhere else
//! each event is a plain line. Both go to standard output.

mod console;
mod kind;
pub mod lines;
mod palette;
mod screen;

pub use console::Console;
pub use kind::ConsoleKind;

#[cfg(test)]
mod tests;
