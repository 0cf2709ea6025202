//! Text that every reader of XML takes.

/// What one attribute or element of a report may hold at most, in bytes: some readers refuse
/// files above 30 MB.
const LONGEST_BYTES: usize = 64 << 10;

/// A text without terminal colours and without letters that XML 1.0 does not know, cut where it
/// would be too long. Line breaks and tabs stay.
pub(crate) fn xml_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            skip_escape_sequence(&mut letters);
        } else if letter == '\r' {
            // A parser would turn it into a line break.
            if letters.peek() != Some(&'\n') {
                out.push('\n');
            }
        } else if is_xml(letter) {
            out.push(letter);
        }
        if out.len() > LONGEST_BYTES {
            out.push_str(" [cut]");
            break;
        }
    }
    out
}

/// A text for an attribute: one line, for a parser turns line breaks into spaces there.
pub(crate) fn xml_attribute(text: &str) -> String {
    xml_text(text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// A text for a CDATA section, whose end may not occur in it.
pub(crate) fn xml_content(text: &str) -> String {
    xml_text(text).replace("]]>", "]]]]><![CDATA[>")
}

/// `ESC [ … letter` and `ESC ] … BEL` are colours and titles; any other `ESC` goes alone.
fn skip_escape_sequence(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match letters.peek() {
        Some('[') => {
            letters.next();
            while letters
                .next_if(|letter| matches!(letter, ' '..='?'))
                .is_some()
            {}
            letters.next_if(|letter| matches!(letter, '@'..='~'));
        }
        Some(']') => {
            letters.next();
            while letters
                .next_if(|letter| !matches!(letter, '\u{7}' | '\u{1b}' | '\n'))
                .is_some()
            {}
            letters.next_if(|letter| *letter == '\u{7}');
        }
        _ => {}
    }
}

/// The letters of XML 1.0, without the control characters that it merely discourages.
const fn is_xml(letter: char) -> bool {
    matches!(letter,
        '\t' | '\n' | ' '..='\u{7e}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'
        | '\u{10000}'..='\u{10ffff}')
}

/// Rewrites `time="…"` of every element to exactly three decimals, for the strict readers.
///
/// The values themselves are made from whole milliseconds, but are written as floating-point
/// numbers, such as `2.3449999999999998`.
pub(crate) fn three_decimals(xml: &str) -> String {
    const MARK: &str = " time=\"";
    let mut out = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some(start) = next_tag_attribute(rest, MARK) {
        let value = start + MARK.len();
        let Some(length) = rest[value..].find('"') else {
            break;
        };
        out.push_str(&rest[..value]);
        match rest[value..value + length].parse::<f64>() {
            Ok(seconds) => out.push_str(&format!("{seconds:.3}")),
            Err(_) => out.push_str(&rest[value..value + length]),
        }
        rest = &rest[value + length..];
    }
    out.push_str(rest);
    out
}

/// Where `mark` next stands outside of CDATA: in an attribute's value it cannot stand, for there a
/// quotation mark is escaped.
fn next_tag_attribute(xml: &str, mark: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = from + xml[from..].find(mark)?;
        match xml[from..found].find("<![CDATA[") {
            None => return Some(found),
            Some(open) => {
                let inside = from + open;
                from = inside + xml[inside..].find("]]>")? + "]]>".len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_does_not_know_is_taken_out() {
        for (text, expected) in [
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("a\0b\u{1}c\u{fffe}d\u{85}e", "abcde"),
            ("a\r\nb\rc\td", "a\nb\nc\td"),
            ("\u{1b}", ""),
            ("naïve ✓ 🦋", "naïve ✓ 🦋"),
        ] {
            assert_eq!(xml_text(text), expected);
        }
        assert_eq!(xml_attribute(" a\n  b\t"), "a b");
        assert_eq!(xml_content("a]]>b"), "a]]]]><![CDATA[>b");
        assert!(xml_text(&"x".repeat(1 << 20)).ends_with(" [cut]"));
    }

    #[test]
    fn times_have_three_decimals_and_texts_are_left_alone() {
        let xml = r#"<a time="2.3449999999999998" x="1"><![CDATA[ time="5" ]]><b time="0"/></a>"#;
        let expected = r#"<a time="2.345" x="1"><![CDATA[ time="5" ]]><b time="0.000"/></a>"#;
        assert_eq!(three_decimals(xml), expected);
    }
}
