//! Sentences with numbers in them, without the machinery that formats: a device downloads what it links.

use alloc::string::String;

/// A part of a sentence.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    /// As it is.
    Text(&'a str),
    /// In decimal.
    Number(u64),
    /// Words with spaces between; commas are put before the spaces.
    Words(&'a str),
}

/// The parts, one after the other.
pub(crate) fn sentence(parts: &[Part<'_>]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(more) => text.push_str(more),
            Part::Number(number) => push_decimal(&mut text, *number),
            Part::Words(words) => words.split(' ').enumerate().for_each(|(index, word)| {
                text.push_str(if index > 0 { ", " } else { "" });
                text.push_str(word);
            }),
        }
    }
    text
}

/// Two texts, one after the other.
pub(crate) fn joined(first: &str, second: &str) -> String {
    sentence(&[Part::Text(first), Part::Text(second)])
}

/// Appends a number in decimal.
pub(crate) fn push_decimal(text: &mut String, number: u64) {
    if number >= 10 {
        push_decimal(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_do() {
        for number in [0, 9, 10, 99, 1_000_000, u64::MAX] {
            let mut text = String::new();
            push_decimal(&mut text, number);
            assert_eq!(text, number.to_string());
        }
        assert_eq!(hex(&[0x00, 0x9A, 0xFF]), "009aff");
        let parts = [Part::Text("one of "), Part::Words("a b c"), Part::Text(", "), Part::Number(12)];
        assert_eq!(sentence(&parts), "one of a, b, c, 12");
    }
}
