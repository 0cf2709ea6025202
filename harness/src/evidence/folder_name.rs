//! Case ids as folder names.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The longest name of a file on common file systems is 255 bytes; the rest is for suffixes.
const LONGEST_BYTES: usize = 200;

/// A case id as the name of one folder: readable, safe in shells, archives and web addresses, and
/// different for different ids.
///
/// Letters, digits, `.`, `_`, `-`, `@` and `~` stay; `/` becomes `+`, `#` becomes `,`; anything
/// else becomes `=` and two hexadecimal digits a byte. [`case_id`] is the way back. An id that
/// would be too long is cut and ends in `=~` and a hash: then only `case.json` knows it.
pub fn folder_name(case_id: &str) -> String {
    let mut name = String::with_capacity(case_id.len());
    for (position, byte) in case_id.bytes().enumerate() {
        match byte {
            b'.' if position == 0 => name.push_str("=2E"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'@' | b'~' => {
                name.push(char::from(byte));
            }
            b'/' => name.push('+'),
            b'#' => name.push(','),
            _ => push_hexadecimal(&mut name, "=", byte),
        }
    }
    if name.is_empty() {
        return "=".to_owned();
    }
    if name.len() > LONGEST_BYTES {
        let digest = Sha256::digest(case_id.as_bytes());
        name.truncate(LONGEST_BYTES - 18);
        name.push_str("=~");
        digest
            .iter()
            .take(8)
            .for_each(|byte| push_hexadecimal(&mut name, "", *byte));
    }
    name
}

fn push_hexadecimal(name: &mut String, mark: &str, byte: u8) {
    write!(name, "{mark}{byte:02X}").expect("writing into a string cannot fail");
}

/// The case id of a folder; none when the folder is not named by [`folder_name`], or its name was
/// cut.
pub fn case_id(folder_name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(folder_name.len());
    let mut rest = folder_name.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b'/'),
            b',' => bytes.push(b'#'),
            b'=' if folder_name == "=" => return Some(String::new()),
            b'=' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_folders_and_back() {
        for (id, name) in [
            (
                "power-off/selfhost-modern@1.34",
                "power-off+selfhost-modern@1.34",
            ),
            (
                "kill/selfhost-modern@1.34#etcd leader~2",
                "kill+selfhost-modern@1.34,etcd=20leader~2",
            ),
            ("..", "=2E."),
            ("a+b,c=d", "a=2Bb=2Cc=3Dd"),
            ("é\0", "=C3=A9=00"),
            ("", "="),
        ] {
            assert_eq!(folder_name(id), name);
            assert_eq!(case_id(name).as_deref(), Some(id));
        }
    }

    #[test]
    fn long_ids_stay_different_and_fit() {
        let (one, two) = ("x".repeat(300), "x".repeat(301));
        assert_ne!(folder_name(&one), folder_name(&two));
        assert!(folder_name(&two).len() <= LONGEST_BYTES);
        assert_eq!(case_id(&folder_name(&one)), None);
    }
}
