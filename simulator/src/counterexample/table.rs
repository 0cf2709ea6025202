//! A counterexample for a person: one line an event, one column a node.

use std::fmt::Write as _;

use super::Counterexample;

impl Counterexample {
    /// One line an event, one column a node, and the guard that was wrong at the end.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (number, action) in (1..).zip(&self.path) {
            writeln!(text, "{number:>3}  {action}").expect("writing into a string cannot fail");
        }
        text
    }
}
