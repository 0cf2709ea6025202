//! What the language will say in a later version: named, so that nobody takes it for a misspelling.

/// Keys of faults that a later version injects.
const FAULTS: [&str; 6] = [
    "partition",
    "slow",
    "fill_disk",
    "skew_clock",
    "drop_packets",
    "corrupt",
];

/// Keys of timeline entries that a later version carries out.
const ENTRIES: [&str; 3] = ["upgrade", "join", "leave"];

/// Installers that a later version runs.
const INSTALLERS: [&str; 2] = ["kubeadm", "external"];

/// Whether a later version knows the word, which stands where a `noun` is expected.
pub(crate) fn is_later(noun: &str, word: &str) -> bool {
    match noun {
        "fault" => FAULTS.contains(&word),
        "timeline entry" => ENTRIES.contains(&word),
        "installer" => INSTALLERS.contains(&word),
        _ => false,
    }
}
