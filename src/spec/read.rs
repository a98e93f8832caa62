//! Reading JSON with errors that name a pointer, a rule and a limit.
//!
//! A document is read as if it kept every rule. The first rule that it breaks is noted ([`Node::note`]), and what could
//! not be read is replaced by nothing: 0, an empty text, an empty list. At the end [`read`] gives the error and not what
//! was read. So no step has to ask whether an earlier one failed, which is most of what a reader would consist of; a
//! device downloads the reader. What is read must not be relied upon before the end.

use alloc::{boxed::Box, string::String, vec::Vec};

use core::cell::Cell;
use core::ops::RangeInclusive;

use super::document::Value;
use super::text::{Part, push_decimal, sentence};

/// A rule of the spec that a document does not keep. Holds no value of the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
#[non_exhaustive]
pub struct SpecError {
    /// JSON pointer (RFC 6901) of the offending value.
    pub pointer: String,
    /// The rule, with its limit.
    pub rule: String,
}

impl SpecError {
    /// Pointer and rule, for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let pointer = if self.pointer.is_empty() { "(root)" } else { &self.pointer };
        sentence(&[Part::Text(pointer), Part::Text(": "), Part::Text(&self.rule)])
    }
}

/// Reads a document.
///
/// # Errors
///
/// [`SpecError`], the first rule that was noted.
pub(crate) fn read<T>(document: &Value, from: impl FnOnce(Node<'_>) -> T) -> Result<T, SpecError> {
    let noted = Noted { first: Cell::new(None) };
    let read = from(Node { value: document, noted: &noted });
    match noted.first.take() {
        None => Ok(read),
        Some(breach) => Err(breach.within(document)),
    }
}

/// The first rule that is broken.
struct Noted {
    first: Cell<Option<Box<Breach>>>,
}

/// A rule that a value does not keep, before it is known where in the document the value stands.
struct Breach {
    /// The value, by its address: no two values of a document share one.
    at: *const Value,
    rule: String,
}

impl Breach {
    fn within(self, document: &Value) -> SpecError {
        let mut pointer = String::new();
        point(document, self.at, &mut pointer);
        SpecError { pointer, rule: self.rule }
    }
}

/// Appends the pointer from `from` to the value at an address; whether it is there.
fn point(from: &Value, at: *const Value, pointer: &mut String) -> bool {
    if core::ptr::eq(from, at) {
        return true;
    }
    let length = pointer.len();
    match from {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push('/');
                push_decimal(pointer, index as u64);
                if point(item, at, pointer) {
                    return true;
                }
                pointer.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                pointer.push('/');
                for c in name.chars() {
                    match c {
                        '~' => pointer.push_str("~0"),
                        '/' => pointer.push_str("~1"),
                        _ => pointer.push(c),
                    }
                }
                if point(value, at, pointer) {
                    return true;
                }
                pointer.truncate(length);
            }
        }
        _ => {}
    }
    false
}

/// Longest document that is read, in bytes.
#[cfg(feature = "text")]
const MAX_DOCUMENT_BYTES: usize = 1 << 24;

/// Reads JSON text.
#[cfg(feature = "text")]
pub(crate) fn json(text: &str) -> Result<Value, SpecError> {
    let error = |rule| SpecError { pointer: String::new(), rule };
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(error(alloc::format!("must be at most {MAX_DOCUMENT_BYTES} bytes")));
    }
    super::document::from_text(text)
        .map_err(|(line, column)| error(alloc::format!("must be JSON (line {line}, column {column})")))
}

/// What stands where nothing is.
static ABSENT: Value = Value::Null;

/// A value of the document.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    noted: &'a Noted,
}

impl<'a> Node<'a> {
    pub(crate) fn value(self) -> &'a Value {
        self.value
    }

    /// Whether a rule was broken.
    pub(crate) fn failed(self) -> bool {
        let first = self.noted.first.take();
        let failed = first.is_some();
        self.noted.first.set(first);
        failed
    }

    /// Notes that this value breaks a rule.
    pub(crate) fn note(self, rule: &str) {
        self.note_parts(&[Part::Text(rule)]);
    }

    /// As [`Node::note`], of a rule with limits.
    pub(crate) fn note_parts(self, parts: &[Part<'_>]) {
        let first = self.noted.first.take();
        let first = first.unwrap_or_else(|| Box::new(Breach { at: self.value, rule: sentence(parts) }));
        self.noted.first.set(Some(first));
    }

    fn note_limits(self, before: &str, low: u64, high: u64, after: &str) {
        let (before, after) = (Part::Text(before), Part::Text(after));
        if low == high {
            self.note_parts(&[before, Part::Text("exactly "), Part::Number(low), after]);
        } else {
            let [from, to] = [Part::Text("from "), Part::Text(" to ")];
            self.note_parts(&[before, from, Part::Number(low), to, Part::Number(high), after]);
        }
    }

    /// This value as an object without unknown members. The names have spaces between.
    pub(crate) fn object(self, known: &str) -> Self {
        for (name, value) in self.members() {
            if !known.split(' ').any(|one| one == name) {
                let unknown = Node { value, ..self };
                unknown.note_parts(&[Part::Text("unknown field; known here: "), Part::Words(known)]);
                break;
            }
        }
        self
    }

    /// A member of this object that must be there.
    pub(crate) fn field(self, name: &str) -> Self {
        self.members();
        self.optional(name).unwrap_or_else(|| {
            self.note_parts(&[Part::Text("needs the field \""), Part::Text(name), Part::Text("\"")]);
            Node { value: &ABSENT, ..self }
        })
    }

    /// A member that may be absent.
    pub(crate) fn optional(self, name: &str) -> Option<Self> {
        self.value.member(name).map(|value| Node { value, ..self })
    }

    /// A truth value that is false when absent.
    pub(crate) fn flag(self, name: &str) -> bool {
        self.optional(name).is_some_and(Self::boolean)
    }

    fn members(self) -> &'a [(String, Value)] {
        if let Value::Object(members) = self.value {
            return members;
        }
        self.note("must be an object");
        &[]
    }

    /// The items of an array whose length lies in a range; none if it does not.
    pub(crate) fn items(self, lengths: RangeInclusive<usize>) -> Items<'a> {
        let (low, high) = lengths.into_inner();
        let items: &[Value] = match self.value {
            Value::Array(items) if (low..=high).contains(&items.len()) => items,
            Value::Array(_) => {
                self.note_limits("must have ", low as u64, high as u64, " items");
                &[]
            }
            _ => {
                self.note("must be an array");
                &[]
            }
        };
        Items { items, noted: self.noted }
    }

    /// An integer in a range.
    pub(crate) fn integer(self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        match self.value.integer() {
            Some(number) if (low..=high).contains(&number) => number,
            _ => {
                self.note_limits("must be an integer, ", low, high, "");
                low
            }
        }
    }

    /// An integer in a range, as a size.
    pub(crate) fn size(self, range: RangeInclusive<usize>) -> usize {
        let (low, high) = range.into_inner();
        // Fits: the range is of usize.
        self.integer(low as u64..=high as u64) as usize
    }

    /// A finite number.
    pub(crate) fn finite(self) -> f64 {
        self.number(f64::NEG_INFINITY..=f64::INFINITY, "must be a number")
    }

    /// A finite number in a range, which the rule names.
    pub(crate) fn number(self, range: RangeInclusive<f64>, rule: &str) -> f64 {
        match self.value.number() {
            Some(number) if range.contains(&number) => number,
            _ => {
                self.note(rule);
                *range.start()
            }
        }
    }

    /// How the numbers of a list are spelled canonically.
    pub(crate) fn spellings(self, into: &mut Vec<String>) {
        let Value::Array(items) = self.value else { return };
        for item in items {
            if let Value::Number(number) = item {
                into.push(number.spelling.clone());
            }
        }
    }

    pub(crate) fn boolean(self) -> bool {
        if let Value::Bool(truth) = self.value {
            return *truth;
        }
        self.note("must be true or false");
        false
    }

    /// Text whose length in characters lies in a range.
    pub(crate) fn text(self, lengths: RangeInclusive<usize>) -> &'a str {
        let (low, high) = lengths.into_inner();
        match self.value.text() {
            Some(text) if (low..=high).contains(&characters(text)) => text,
            _ => {
                self.note_limits("must be text, ", low as u64, high as u64, " characters");
                ""
            }
        }
    }

    /// A name: lower-case letters, digits and one joining character.
    pub(crate) fn name(self, joint: char) -> &'a str {
        let text = self.text(1..=64);
        if !text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joint) {
            let joint = if joint == '_' { "_" } else { "-" };
            self.note_parts(&[Part::Text("must be made of a-z, 0-9 and '"), Part::Text(joint), Part::Text("'")]);
        }
        text
    }

    /// Exactly this many bytes in hexadecimal.
    pub(crate) fn hex<const N: usize>(self) -> [u8; N] {
        self.value.text().and_then(hex_bytes).unwrap_or_else(|| {
            self.note_parts(&[
                Part::Text("must be "),
                Part::Number(2 * N as u64),
                Part::Text(" hexadecimal digits in lower case"),
            ]);
            [0; N]
        })
    }

    /// The number of this word among words with spaces between.
    pub(crate) fn word(self, words: &str) -> usize {
        let found = self.value.text().and_then(|text| words.split(' ').position(|word| word == text));
        found.unwrap_or_else(|| {
            self.note_parts(&[Part::Text("must be one of: "), Part::Words(words)]);
            0
        })
    }
}

/// The items of an array.
#[derive(Clone, Copy)]
pub(crate) struct Items<'a> {
    items: &'a [Value],
    noted: &'a Noted,
}

impl<'a> Items<'a> {
    /// An item; what stands where nothing is, if there are not as many.
    pub(crate) fn at(self, index: usize) -> Node<'a> {
        Node { value: self.items.get(index).unwrap_or(&ABSENT), noted: self.noted }
    }

    /// Reads each item, until one breaks a rule.
    pub(crate) fn each<T>(self, mut from: impl FnMut(Node<'a>) -> T) -> Vec<T> {
        let mut read = Vec::with_capacity(self.items.len());
        for value in self.items {
            let node = Node { value, noted: self.noted };
            if node.failed() {
                break;
            }
            read.push(from(node));
        }
        read
    }
}

/// Number of characters: bytes that begin one. The library's way is faster, and larger.
fn characters(text: &str) -> usize {
    text.bytes().filter(|byte| byte & 0xC0 != 0x80).count()
}

/// Reads lower-case hexadecimal of exactly `N` bytes.
pub(crate) fn hex_bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    read_hex(text, &mut bytes).then_some(bytes)
}

fn read_hex(text: &str, bytes: &mut [u8]) -> bool {
    let digits = text.as_bytes();
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => u8::MAX,
    };
    let mut valid = digits.len() == 2 * bytes.len();
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (value(pair[0]), value(pair[1]));
        valid &= high < 16 && low < 16;
        *byte = high << 4 | low & 15;
    }
    valid
}
