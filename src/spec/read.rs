//! Reading JSON with errors that name a pointer, a rule and a limit.

use alloc::{borrow::ToOwned, string::String, string::ToString, vec::Vec};

use core::fmt;
use core::ops::RangeInclusive;

use super::document::Value;

/// A rule of the spec that a document does not keep. Holds no value of the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {rule}", if pointer.is_empty() { "(root)" } else { pointer })]
#[non_exhaustive]
pub struct SpecError {
    /// JSON pointer (RFC 6901) of the offending value.
    pub pointer: String,
    /// The rule, with its limit.
    pub rule: String,
}

/// A rule that a value does not keep, before it is known where in the document the value stands.
#[derive(Debug)]
pub(crate) struct Breach {
    /// The value, by its address: no two values of a document share one.
    at: *const Value,
    rule: String,
}

impl Breach {
    /// The error, with the pointer to the value in the document.
    pub(crate) fn within(self, document: &Value) -> SpecError {
        let mut pointer = String::new();
        point(document, self.at, &mut pointer);
        SpecError { pointer, rule: self.rule }
    }
}

/// Appends the pointer from `from` to the value at an address; whether it is there.
fn point(from: &Value, at: *const Value, pointer: &mut String) -> bool {
    let length = pointer.len();
    let mut below = |name: &str, value: &Value| {
        pointer.push('/');
        for c in name.chars() {
            match c {
                '~' => pointer.push_str("~0"),
                '/' => pointer.push_str("~1"),
                _ => pointer.push(c),
            }
        }
        let found = point(value, at, pointer);
        if !found {
            pointer.truncate(length);
        }
        found
    };
    core::ptr::eq(from, at)
        || match from {
            Value::Array(items) => items.iter().enumerate().any(|(index, item)| below(&index.to_string(), item)),
            Value::Object(members) => members.iter().any(|(name, value)| below(name, value)),
            _ => false,
        }
}

/// Longest document that is read, in bytes.
#[cfg(feature = "std")]
const MAX_DOCUMENT_BYTES: usize = 1 << 24;

/// Reads JSON text.
#[cfg(feature = "std")]
pub(crate) fn json(text: &str) -> Result<Value, SpecError> {
    let error = |rule| SpecError { pointer: String::new(), rule };
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(error(alloc::format!("must be at most {MAX_DOCUMENT_BYTES} bytes")));
    }
    super::document::from_text(text)
        .map_err(|(line, column)| error(alloc::format!("must be JSON (line {line}, column {column})")))
}

/// A value of the document.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    value: &'a Value,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value }
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// That this value breaks a rule.
    pub(crate) fn error(&self, rule: &str) -> Breach {
        Breach { at: self.value, rule: rule.to_owned() }
    }

    /// As [`Node::error`], of a rule with limits.
    pub(crate) fn error_with(&self, rule: fmt::Arguments<'_>) -> Breach {
        Breach { at: self.value, rule: rule.to_string() }
    }

    /// The members of an object, for a reader that learns from them which others it may have.
    pub(crate) fn any_object(&self) -> Result<Object<'a>, Breach> {
        let Value::Object(_) = self.value else { return Err(self.error("must be an object")) };
        Ok(Object { node: *self })
    }

    /// The members of an object, none of them unknown.
    pub(crate) fn object(&self, known: &[&str]) -> Result<Object<'a>, Breach> {
        let Value::Object(members) = self.value else { return Err(self.error("must be an object")) };
        if let Some((_, value)) = members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            return Err(Node { value }.error_with(format_args!("unknown field; known here: {}", List(known))));
        }
        Ok(Object { node: *self })
    }

    /// The items of an array whose length lies in a range.
    pub(crate) fn items(&self, lengths: RangeInclusive<usize>) -> Result<Vec<Node<'a>>, Breach> {
        let Value::Array(values) = self.value else { return Err(self.error("must be an array")) };
        if !lengths.contains(&values.len()) {
            return Err(self.error_with(format_args!(
                "must have {} items",
                Limits(*lengths.start() as u64, *lengths.end() as u64)
            )));
        }
        Ok(values.iter().map(|value| Node { value }).collect())
    }

    /// An integer in a range.
    pub(crate) fn integer(&self, range: RangeInclusive<u64>) -> Result<u64, Breach> {
        self.value.integer().filter(|number| range.contains(number)).ok_or_else(|| {
            self.error_with(format_args!("must be an integer, {}", Limits(*range.start(), *range.end())))
        })
    }

    /// An integer in a range, as a size.
    pub(crate) fn size(&self, range: RangeInclusive<usize>) -> Result<usize, Breach> {
        let wide = *range.start() as u64..=*range.end() as u64;
        // Fits: the range is of usize.
        Ok(self.integer(wide)? as usize)
    }

    /// A finite number.
    pub(crate) fn finite(&self) -> Result<f64, Breach> {
        self.value.number().ok_or_else(|| self.error("must be a number"))
    }

    /// A finite number in a range, which the rule names.
    pub(crate) fn number(&self, range: RangeInclusive<f64>, rule: &str) -> Result<f64, Breach> {
        self.value.number().filter(|number| range.contains(number)).ok_or_else(|| self.error(rule))
    }

    /// How the numbers of a list are spelled canonically.
    pub(crate) fn spellings(&self) -> Vec<String> {
        let Value::Array(items) = self.value else { return Vec::new() };
        let spelling =
            |item: &Value| if let Value::Number(number) = item { number.spelling.clone() } else { String::new() };
        items.iter().map(spelling).collect()
    }

    pub(crate) fn boolean(&self) -> Result<bool, Breach> {
        if let Value::Bool(truth) = self.value { Ok(*truth) } else { Err(self.error("must be true or false")) }
    }

    /// Text whose length in characters lies in a range.
    pub(crate) fn text(&self, lengths: RangeInclusive<usize>) -> Result<&'a str, Breach> {
        self.value.text().filter(|text| lengths.contains(&text.chars().count())).ok_or_else(|| {
            self.error_with(format_args!(
                "must be text, {} characters",
                Limits(*lengths.start() as u64, *lengths.end() as u64)
            ))
        })
    }

    /// A name: lower-case letters, digits and one joining character.
    pub(crate) fn name(&self, joint: char) -> Result<&'a str, Breach> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joint;
        let text = self.text(1..=64)?;
        if text.chars().all(allowed) {
            Ok(text)
        } else {
            Err(self.error_with(format_args!("must be made of a-z, 0-9 and '{joint}'")))
        }
    }

    /// Exactly this many bytes in hexadecimal.
    pub(crate) fn hex<const N: usize>(&self) -> Result<[u8; N], Breach> {
        let rule = || self.error_with(format_args!("must be {} hexadecimal digits in lower case", 2 * N));
        self.value.text().and_then(hex_bytes).ok_or_else(rule)
    }

    /// One of a list of words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Breach> {
        let found = words.iter().find(|(word, _)| self.value.text() == Some(word));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.error_with(format_args!("must be one of: {}", List(&list)))
        })
    }
}

/// An object whose field names are known.
pub(crate) struct Object<'a> {
    node: Node<'a>,
}

impl<'a> Object<'a> {
    /// A field that must be there.
    pub(crate) fn field(&self, name: &str) -> Result<Node<'a>, Breach> {
        self.optional(name).ok_or_else(|| self.node.error_with(format_args!("needs the field \"{name}\"")))
    }

    /// A field that may be absent.
    pub(crate) fn optional(&self, name: &str) -> Option<Node<'a>> {
        self.node.value.member(name).map(|value| Node { value })
    }

    /// A truth value that is false when absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Breach> {
        self.optional(name).map_or(Ok(false), |node| node.boolean())
    }
}

/// A range in words.
struct Limits(u64, u64);

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == self.1 { write!(f, "exactly {}", self.0) } else { write!(f, "from {} to {}", self.0, self.1) }
    }
}

/// Words with commas between.
struct List<'a>(&'a [&'a str]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            f.write_str(word)?;
        }
        Ok(())
    }
}

/// Reads lower-case hexadecimal of exactly `N` bytes.
pub(crate) fn hex_bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}
