//! Secrets out of text evidence, before it is written.
//!
//! What is taken out: private keys in PEM, as they are or in base64; tokens that are recognised by
//! their form (JSON web tokens, bootstrap tokens); bearer and basic credentials; and the values of
//! keys such as `client-key-data`, `token` and `password` in YAML, JSON, flags and logs. In doubt
//! it is taken out: evidence is handed around.

mod secret_word;

use secret_word::{Reading, read_word};

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// A private key in PEM is never longer than this; beyond it, an end that never came is given up,
/// so that the rest of a log is not lost.
const LONGEST_KEY_LINES: u32 = 200;

/// Takes secrets out of a text that comes line by line, such as a log that is being followed.
#[derive(Debug, Default)]
pub struct Redactor {
    /// How many more lines may belong to a private key that has begun; none when none has.
    inside_key: Option<u32>,
}

impl Redactor {
    /// The line without its secrets.
    pub fn line(&mut self, line: &str) -> String {
        let mut out = String::with_capacity(line.len());
        let mut rest = line;
        loop {
            if let Some(left) = self.inside_key {
                let Some(end) = end_of_key(rest) else {
                    self.inside_key = left.checked_sub(1);
                    if !rest.is_empty() {
                        out.push_str(REDACTED);
                    }
                    return out;
                };
                out.push_str(REDACTED);
                out.push_str(&rest[end.start..end.end]);
                rest = &rest[end.end..];
                self.inside_key = None;
            }
            let Some(begin) = begin_of_key(rest) else {
                out.push_str(&redact_words(rest));
                return out;
            };
            out.push_str(&redact_words(&rest[..begin.start]));
            out.push_str(&rest[begin.start..begin.end]);
            rest = &rest[begin.end..];
            self.inside_key = Some(LONGEST_KEY_LINES);
        }
    }
}

/// The text without its secrets, line by line.
pub fn redact(text: &str) -> String {
    let mut redactor = Redactor::default();
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let body = line.strip_suffix('\n');
        out.push_str(&redactor.line(body.unwrap_or(line)));
        if body.is_some() {
            out.push('\n');
        }
    }
    out
}

/// Where `-----BEGIN … PRIVATE KEY-----` stands.
fn begin_of_key(text: &str) -> Option<std::ops::Range<usize>> {
    mark_of_key(text, "-----BEGIN ")
}

/// Where `-----END … PRIVATE KEY-----` stands.
fn end_of_key(text: &str) -> Option<std::ops::Range<usize>> {
    mark_of_key(text, "-----END ")
}

fn mark_of_key(text: &str, mark: &str) -> Option<std::ops::Range<usize>> {
    text.match_indices(mark).find_map(|(start, _)| {
        let label = start + mark.len();
        let length = text[label..].find("-----")?;
        let end = label + length + "-----".len();
        text[label..label + length]
            .ends_with("PRIVATE KEY")
            .then_some(start..end)
    })
}

/// A line without the secrets that its words and the words before them give away.
fn redact_words(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let reading = read_word(&out, rest);
        let Reading { kept, taken } = reading;
        out.push_str(&rest[..kept]);
        if taken > 0 {
            out.push_str(REDACTED);
        }
        rest = &rest[kept + taken..];
    }
    out
}

#[cfg(test)]
mod tests;
