//! Which words of a line are secrets, by their form or by the word before them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Keys whose value is a secret, with `-` for `_` and in small letters.
const SECRET_KEYS: [&str; 13] = [
    "access-token",
    "api-key",
    "bootstrap-token",
    "client-key-data",
    "client-secret",
    "id-token",
    "passphrase",
    "passwd",
    "password",
    "refresh-token",
    "token",
    "token-secret",
    "idtoken",
];

/// Beginning of base64 of `-----BEGIN `.
const ENCODED_PEM: &str = "LS0tLS1CRUdJTi";

/// How a line goes on: so many bytes that may stay, then so many that may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Bytes that stay; at least one unless some are taken.
    pub(super) kept: usize,
    /// Bytes after them that are a secret.
    pub(super) taken: usize,
}

/// Reads the next word of `rest`, or what stands before it; `before` is what was kept of the line.
pub(super) fn read_word(before: &str, rest: &str) -> Reading {
    let gap = rest.find(is_of_word).unwrap_or(rest.len());
    if gap > 0 {
        return Reading {
            kept: gap,
            taken: 0,
        };
    }
    let length = rest
        .find(|letter| !is_of_word(letter))
        .unwrap_or(rest.len());
    let word = &rest[..length];
    if is_web_token(word) {
        return Reading {
            kept: 0,
            taken: length,
        };
    }
    if is_encoded_key(word) {
        let padding = rest[length..]
            .bytes()
            .take_while(|byte| *byte == b'=')
            .count();
        return Reading {
            kept: 0,
            taken: length + padding,
        };
    }
    if let Some(id) = bootstrap_token_id(word) {
        return Reading {
            kept: id,
            taken: length - id,
        };
    }
    let after = &rest[length..];
    match value_after(before, word, after) {
        Some(Reading { kept, taken }) => Reading {
            kept: length + kept,
            taken,
        },
        None => Reading {
            kept: length,
            taken: 0,
        },
    }
}

const fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/' | '+')
}

/// `eyJ….eyJ….…`: three parts of base64, the first of which is a JSON object.
fn is_web_token(word: &str) -> bool {
    let mut parts = word.split('.');
    word.starts_with("eyJ")
        && parts.clone().count() == 3
        && parts.all(|part| part.len() >= 8 && !part.contains(['/', '+']))
}

/// Base64 of a PEM file with a private key.
fn is_encoded_key(word: &str) -> bool {
    if !word.starts_with(ENCODED_PEM) {
        return false;
    }
    // The label stands in the first 60 letters, which hold 45 bytes.
    let head = &word[..word.len().min(60) / 4 * 4];
    STANDARD_NO_PAD
        .decode(head)
        .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("PRIVATE KEY"))
}

/// `abcdef.0123456789abcdef`: how long the id is, which is no secret, with its dot.
fn bootstrap_token_id(word: &str) -> Option<usize> {
    let (id, secret) = word.split_once('.')?;
    let is_plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let fits = id.len() == 6 && secret.len() == 16 && is_plain(id) && is_plain(secret);
    fits.then_some(id.len() + 1)
}

/// The secret that follows a word, when the word announces one.
fn value_after(before: &str, word: &str, after: &str) -> Option<Reading> {
    let key = word
        .trim_start_matches('-')
        .to_ascii_lowercase()
        .replace('_', "-");
    let is_scheme = key == "bearer" || (key == "basic" && follows_authorization(before));
    let is_key = SECRET_KEYS.contains(&key.as_str());
    let may_be_key = is_key || key == "secret";
    if !is_scheme && !may_be_key {
        return None;
    }
    let space_will_do = is_scheme || (is_key && word.starts_with("--"));
    let separator = separator(after, space_will_do)?;
    let value = &after[separator.length..];
    let taken = match separator.quote {
        Some(quote) => value.find(quote).unwrap_or(value.len()),
        None => value
            .find(|letter: char| letter.is_whitespace() || ",;}])\"'&\\".contains(letter))
            .unwrap_or(value.len()),
    };
    let value = &value[..taken];
    let is_secret = match key.as_str() {
        _ if value.is_empty() || matches!(value, "true" | "false" | "null") => false,
        // Prose has these words too, and `secret` is also the name of an object.
        "bearer" | "basic" => value.len() >= 8 && !value.starts_with('['),
        "secret" => value.len() >= 16 && value.bytes().all(is_base64),
        _ => !value.starts_with(['{', '[', '<', '|']),
    };
    is_secret.then_some(Reading {
        kept: separator.length,
        taken,
    })
}

fn follows_authorization(before: &str) -> bool {
    before
        .trim_end_matches([' ', '"', '\'', ':', '\\', '['])
        .to_ascii_lowercase()
        .ends_with("authorization")
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// What stands between a key and its value.
struct Separator<'a> {
    length: usize,
    /// The quotation mark that opens the value, escaped as it is.
    quote: Option<&'a str>,
}

/// Reads `": "`, `=`, `: ` and the like; a mere space where that will do.
fn separator(after: &str, space_will_do: bool) -> Option<Separator<'_>> {
    let mut rest = after;
    rest = rest.strip_prefix('\\').unwrap_or(rest);
    rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    let spaced = rest.trim_start_matches([' ', '\t']);
    let has_space = spaced.len() < rest.len();
    rest = match spaced.strip_prefix([':', '=']) {
        Some(value) => value.trim_start_matches([' ', '\t']),
        None if space_will_do && has_space => spaced,
        None => return None,
    };
    let quote = ["\\\"", "\"", "'"]
        .into_iter()
        .find(|quote| rest.starts_with(quote));
    let length = after.len() - rest.len() + quote.map_or(0, str::len);
    Some(Separator { length, quote })
}
