//! What may not stand in files, and how long they may be.

/// A file that is longer answers more than one question of a reader.
const MOST_LINES: usize = 500;

/// What may not stand in Rust code, with the reason. Written in halves, so that this file may say it.
const BANNED: [(&str, &str, &str); 5] = [
    ("todo", "!(", "finish it, or leave it out"),
    ("unimplemented", "!(", "finish it, or leave it out"),
    ("#[ig", "nore", "a test that does not run proves nothing"),
    ("dbg", "!(", "left over from a search"),
    ("un", "safe {", "this project needs none"),
];

/// All offences of these files' texts.
pub(crate) fn offences(files: &[String]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".rs")) {
        // A file that was deleted and not yet committed is still listed.
        let Ok(text) = std::fs::read_to_string(file) else {
            continue;
        };
        let lines = text.lines().count();
        if lines > MOST_LINES {
            offences.push(format!(
                "{file}: {lines} lines, at most {MOST_LINES}: split it by a reader's question"
            ));
        }
        for (number, line) in (1..).zip(text.lines()) {
            for (first, second, reason) in BANNED {
                if line.contains(&format!("{first}{second}")) {
                    offences.push(format!("{file}:{number}: `{first}{second}`: {reason}"));
                }
            }
        }
        let name = file.rsplit('/').next().unwrap_or_default();
        if ["utils.rs", "util.rs", "common.rs", "helpers.rs", "types.rs"].contains(&name) {
            offences.push(format!("{file}: find the noun"));
        }
    }
    offences
}
