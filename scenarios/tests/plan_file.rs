//! A plan file beside the scenarios is the built-in plan as data.

mod golden;

#[test]
fn the_plan_file_of_the_tests_is_fresh() {
    let plan = serde_json::to_string_pretty(&pivot::modern()).unwrap();
    golden::check("tests/plans/modern.json", &format!("{plan}\n"));
}
