//! Pages that are generated must be what the code says.

/// Offences of the generated pages.
pub(crate) fn offences() -> Vec<String> {
    let page = "docs/invariants.md";
    let stands = std::fs::read_to_string(page).unwrap_or_default();
    if stands.trim_end() == oracle::register::markdown().trim_end() {
        return Vec::new();
    }
    vec![format!(
        "{page} is stale: `cargo run -p oracle --example invariants-page > {page}`"
    )]
}
