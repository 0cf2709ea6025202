//! The page and the last words.

use std::collections::BTreeMap;

use reports::{closing, summary_markdown, summary_with_timelines, verdict_json};

use crate::{example, golden};

#[test]
fn the_page_is_as_it_was() {
    let run = example::all_kinds();
    let timelines = BTreeMap::from([(
        run.cases[2].record.id.clone(),
        reports::timeline(&crate::timeline::story()),
    )]);
    golden::check("summary.md", &summary_with_timelines(&run, &timelines));
}

#[test]
fn the_last_words_are_as_they_were() {
    golden::check("closing.txt", &closing(&example::all_kinds()));
}

#[test]
fn counts_are_said_even_for_nothing() {
    let text = "0 passed, 0 failed, 0 inconclusive, 0 not applicable";
    assert!(closing(&example::run(Vec::new())).contains(text));
    assert!(summary_markdown(&example::run(Vec::new())).contains(text));
}

#[test]
fn texts_from_elsewhere_cannot_break_the_page() {
    let mut case = example::failed();
    case.verdict.reason = "a | b\n# not a title <script> `x` **y**".into();
    case.record.repro = "echo `a` ``b``".into();
    case.record.id = "a|b".into();
    let page = summary_markdown(&example::run(vec![case]));
    assert!(page.contains("| a\\|b | **failed** |"), "{page}");
    assert!(
        page.contains("a \\| b \\# not a title &lt;script> \\`x\\` \\*\\*y\\*\\*"),
        "{page}"
    );
    assert!(page.contains("- again: ``` echo `a` ``b`` ```"), "{page}");
}

#[test]
fn a_long_timeline_is_shown_in_part_and_says_so() {
    let run = example::all_kinds();
    let long: String = (0..200).map(|number| format!("line {number}\n")).collect();
    let page = summary_with_timelines(
        &run,
        &BTreeMap::from([(run.cases[2].record.id.clone(), long)]),
    );
    assert!(
        page.contains("line 39\n… 120 lines left out …\nline 160\n"),
        "{page}"
    );
}

#[test]
fn a_verdict_is_read_back_as_it_was_written() {
    for case in example::all_kinds().cases {
        let text = verdict_json(&case.verdict);
        assert_eq!(
            serde_json::from_str::<oracle::Verdict>(&text).unwrap(),
            case.verdict
        );
        assert!(text.ends_with("}\n"));
    }
}

#[test]
fn what_a_loss_cost_is_shown_with_what_the_fault_really_did() {
    let mut costly = example::failed();
    costly.verdict.figures = BTreeMap::from([
        ("api_return_ms".into(), 9_950),
        ("control_plane_return_ms".into(), 26_500),
        ("writes_lost_count".into(), 2),
    ]);
    let did = "process-level: every process is killed at once";
    costly.verdict.fidelity = BTreeMap::from([("power_off".into(), did.into())]);
    let mut harmless = example::failed();
    harmless.verdict.fidelity = BTreeMap::from([("kill_installer".into(), "exact".into())]);
    let page = summary_markdown(&example::run(vec![costly, harmless]));
    let head = "| case | result | time | write gap | bootstrap | API back | all self-hosted | writes lost |";
    assert!(page.contains(head), "{page}");
    assert!(page.contains("| 10.0s | 26.5s | 2 |"), "{page}");
    assert!(
        page.contains(&format!("\n- `power_off`: {did}\n")),
        "{page}"
    );
    assert!(!page.contains("kill_installer"), "{page}");
}
