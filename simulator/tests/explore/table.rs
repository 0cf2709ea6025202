//! The table of worlds, invariants and lengths.

use simulator::explore::{Bounds, Entry, Model, Search, Symmetry, entry, go_on, table};

use crate::golden;
use crate::search::search;
use crate::toys::{Mistake, Pivot, TwoPhase};

fn of<M: Model>(name: &str, model: &M, search: &Search) -> Entry {
    entry(name, model, search, &go_on).expect("symmetry is sound")
}

fn entries() -> Vec<Entry> {
    let all = search(Symmetry::On, 1);
    let shallow = Search {
        bounds: Bounds::within_mib(16).depth(4),
        ..all
    };
    vec![
        of("pivot", &Pivot::new(3, 2, Mistake::None), &all),
        of(
            "pivot, torn down early",
            &Pivot::new(3, 2, Mistake::TearsDownEarly),
            &all,
        ),
        of(
            "the same, not deep",
            &Pivot::new(3, 2, Mistake::TearsDownEarly),
            &shallow,
        ),
        of(
            "pivot, checkpoints forgotten",
            &Pivot::new(3, 2, Mistake::ForgetsCheckpoints),
            &all,
        ),
        of("commit", &TwoPhase::correct(4), &all),
        of(
            "commit, hasty",
            &TwoPhase {
                hasty: true,
                ..TwoPhase::correct(4)
            },
            &all,
        ),
    ]
}

#[test]
fn says_what_was_found_and_no_more() {
    golden::check("tests/explore/table.md", &table(&entries()));
}

#[test]
fn time_has_its_column_when_it_was_measured() {
    let mut entries = entries();
    entries.truncate(2);
    entries[1].took_ms = Some(1_234);
    let text = table(&entries);
    assert!(text.starts_with("| world | violated | actions | states | transitions | time |\n"));
    assert!(text.contains(" | 1.234 s |\n"));
    let bars = |line: &str| line.matches('|').count();
    assert!(text.lines().all(|line| bars(line) == 7), "{text}");
}
