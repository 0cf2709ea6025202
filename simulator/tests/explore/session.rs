//! Interactive sessions, played from scripts: what a person sees is compared as a whole.
//!
//! A script's lines beginning with `> ` are commands, with `#` comments; what follows is the answer.

use std::path::Path;

use simulator::explore::{Bounds, Model, Session};

use crate::golden;
use crate::toys::{Mistake, Pivot};

fn check<M: Model>(script: &str, model: &M, bounds: Bounds) {
    let file = format!("tests/explore/sessions/{script}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
    let text = std::fs::read_to_string(path).expect("the script is there");
    let mut session = Session::new(model, model.initial()[0], bounds);
    let mut played = String::new();
    for line in text
        .lines()
        .filter(|line| line.starts_with("> ") || line.starts_with('#'))
    {
        played += &format!("{line}\n");
        played += &line
            .strip_prefix("> ")
            .map_or_else(String::new, |command| session.obey(command));
    }
    // Undoing and running keep path and state together.
    assert_eq!(
        session.obey("show"),
        format!("{:#?}\n", session.path().end(model))
    );
    golden::check(&file, &played);
}

#[test]
fn power_is_lost_before_the_first_checkpoint() {
    let model = Pivot::new(2, 1, Mistake::TearsDownEarly);
    check("power-loss.txt", &model, Bounds::within_mib(16));
}

#[test]
fn what_cannot_be_done_is_said() {
    let model = Pivot::new(1, 0, Mistake::None);
    check("refusals.txt", &model, Bounds::within_mib(16));
}

#[test]
fn a_search_that_is_too_long_says_so() {
    let model = Pivot::new(8, 2, Mistake::None);
    check("limits.txt", &model, Bounds::within_mib(16).states(500));
}
