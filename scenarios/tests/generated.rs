//! Generated files are fresh.

mod golden;

#[test]
fn the_schema_is_fresh() {
    golden::check("schema.json", &scenarios::schema());
}

#[test]
fn the_table_of_budgets_is_fresh() {
    golden::check("budgets.md", &scenarios::budgets_table());
}
