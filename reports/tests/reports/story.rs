//! Texts as a person reads them: a second, slower way to the same answer as the reports' own.

/// A text without terminal sequences and control characters, in one line.
pub(crate) fn plain(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if letter == '\u{1b}' {
            rest = &rest[1..];
            if let Some(sequence) = rest.strip_prefix('[') {
                let body = sequence.trim_start_matches(|letter| (' '..='?').contains(&letter));
                rest = body
                    .strip_prefix(|letter| ('@'..='~').contains(&letter))
                    .unwrap_or(body);
            } else if let Some(title) = rest.strip_prefix(']') {
                let end = title.find(['\u{7}', '\u{1b}', '\n']).unwrap_or(title.len());
                rest = title[end..].strip_prefix('\u{7}').unwrap_or(&title[end..]);
            }
            continue;
        }
        rest = &rest[letter.len_utf8()..];
        let is_space = matches!(letter, '\t' | '\n' | '\r');
        if is_space || !(letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}')) {
            kept.push(letter);
        }
    }
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}
