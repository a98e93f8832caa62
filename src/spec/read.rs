//! Reading JSON with errors that name a pointer, a rule and a limit.

use alloc::{format, string::String, string::ToString, vec::Vec};

use core::fmt::{self, Display};
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

/// Longest document that is read, in bytes.
#[cfg(feature = "std")]
const MAX_DOCUMENT_BYTES: usize = 1 << 24;

/// Reads JSON text.
#[cfg(feature = "std")]
pub(crate) fn json(text: &str) -> Result<Value, SpecError> {
    let root = Node::root(&Value::Null);
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(root.error(format_args!("must be at most {MAX_DOCUMENT_BYTES} bytes")));
    }
    super::document::from_text(text)
        .map_err(|(line, column)| root.error(format_args!("must be JSON (line {line}, column {column})")))
}

/// A value of the document and where it stands.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    pointer: String,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, pointer: String::new() }
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// The error that this value breaks a rule.
    pub(crate) fn error(&self, rule: impl Display) -> SpecError {
        SpecError { pointer: self.pointer.clone(), rule: rule.to_string() }
    }

    /// The members of an object, for a reader that learns from them which others it may have.
    pub(crate) fn any_object(&self) -> Result<Object<'a>, SpecError> {
        let Value::Object(_) = self.value else { return Err(self.error("must be an object")) };
        Ok(Object { node: self.clone() })
    }

    /// The members of an object, none of them unknown.
    pub(crate) fn object(&self, known: &[&str]) -> Result<Object<'a>, SpecError> {
        let Value::Object(members) = self.value else { return Err(self.error("must be an object")) };
        if let Some(name) = members.iter().map(|(name, _)| name).find(|name| !known.contains(&name.as_str())) {
            let list = known.join(", ");
            return Err(self.member(name, self.value).error(format_args!("unknown field; known here: {list}")));
        }
        Ok(Object { node: self.clone() })
    }

    /// The items of an array whose length lies in a range.
    pub(crate) fn items(&self, lengths: RangeInclusive<usize>) -> Result<Vec<Node<'a>>, SpecError> {
        let Value::Array(values) = self.value else { return Err(self.error("must be an array")) };
        if !lengths.contains(&values.len()) {
            return Err(self.error(format_args!("must have {} items", Limits(&lengths))));
        }
        Ok(values.iter().enumerate().map(|(index, value)| self.member(&index.to_string(), value)).collect())
    }

    /// An integer in a range.
    pub(crate) fn integer(&self, range: RangeInclusive<u64>) -> Result<u64, SpecError> {
        self.value
            .integer()
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.error(format_args!("must be an integer, {}", Limits(&range))))
    }

    /// An integer in a range, as a size.
    pub(crate) fn size(&self, range: RangeInclusive<usize>) -> Result<usize, SpecError> {
        let wide = *range.start() as u64..=*range.end() as u64;
        // Fits: the range is of usize.
        Ok(self.integer(wide)? as usize)
    }

    /// A finite number in a range.
    pub(crate) fn number(&self, range: RangeInclusive<f64>) -> Result<f64, SpecError> {
        self.value
            .number()
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.error(format_args!("must be a number, {}", Limits(&range))))
    }

    pub(crate) fn boolean(&self) -> Result<bool, SpecError> {
        if let Value::Bool(truth) = self.value { Ok(*truth) } else { Err(self.error("must be true or false")) }
    }

    /// Text whose length in characters lies in a range.
    pub(crate) fn text(&self, lengths: RangeInclusive<usize>) -> Result<&'a str, SpecError> {
        self.value
            .text()
            .filter(|text| lengths.contains(&text.chars().count()))
            .ok_or_else(|| self.error(format_args!("must be text, {} characters", Limits(&lengths))))
    }

    /// A name: lower-case letters, digits and one joining character.
    pub(crate) fn name(&self, joint: char) -> Result<&'a str, SpecError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joint;
        let text = self.text(1..=64)?;
        if text.chars().all(allowed) {
            Ok(text)
        } else {
            Err(self.error(format_args!("must be made of a-z, 0-9 and '{joint}'")))
        }
    }

    /// Exactly this many bytes in hexadecimal.
    pub(crate) fn hex<const N: usize>(&self) -> Result<[u8; N], SpecError> {
        let rule = || self.error(format_args!("must be {} hexadecimal digits in lower case", 2 * N));
        self.value.text().and_then(hex_bytes).ok_or_else(rule)
    }

    /// One of a list of words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, SpecError> {
        let found = words.iter().find(|(word, _)| self.value.text() == Some(word));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.error(format_args!("must be one of: {}", list.join(", ")))
        })
    }

    fn member(&self, name: &str, value: &'a Value) -> Node<'a> {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        Node { value, pointer: format!("{}/{escaped}", self.pointer) }
    }
}

/// An object whose field names are known.
pub(crate) struct Object<'a> {
    node: Node<'a>,
}

impl<'a> Object<'a> {
    /// A field that must be there.
    pub(crate) fn field(&self, name: &str) -> Result<Node<'a>, SpecError> {
        self.optional(name).ok_or_else(|| self.node.error(format_args!("needs the field \"{name}\"")))
    }

    /// A field that may be absent.
    pub(crate) fn optional(&self, name: &str) -> Option<Node<'a>> {
        self.node.value.member(name).map(|value| self.node.member(name, value))
    }

    /// A truth value that is false when absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, SpecError> {
        self.optional(name).map_or(Ok(false), |node| node.boolean())
    }
}

/// A range in words.
struct Limits<'r, T>(&'r RangeInclusive<T>);

impl<T: Display + PartialEq> Display for Limits<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.start() == self.0.end() {
            write!(f, "exactly {}", self.0.start())
        } else {
            write!(f, "from {} to {}", self.0.start(), self.0.end())
        }
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
